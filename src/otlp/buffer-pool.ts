/** Buffers that requests are encoded into, used again once their request is over. */

export interface BufferPool<B> {
  /** Encodes into a free buffer. When `encode` throws, the buffer is free again, and emptied by `take`. */
  encode(encode: (into: B) => Buffer): Buffer
  /**
   * Gives a body back after a request that was answered. A body whose request was cut off is not given back:
   * the socket may still be reading it.
   */
  release(body: Uint8Array): void
}

export function bufferPool<B extends { take(): Buffer }>(create: () => B): BufferPool<B> {
  const free: B[] = []
  const lent = new WeakMap<Uint8Array, B>()
  return {
    encode(encode) {
      const buffer = free.pop() ?? create()
      try {
        const body = encode(buffer)
        lent.set(body, buffer)
        return body
      } catch (error) {
        // What was written before the record that cannot be is not sent.
        buffer.take()
        free.push(buffer)
        throw error
      }
    },
    release(body) {
      const buffer = lent.get(body)
      if (buffer !== undefined && lent.delete(body)) free.push(buffer)
    },
  }
}
