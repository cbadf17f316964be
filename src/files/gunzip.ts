/** Decompression of a file from its beginning, chunk by chunk. */
import type { promises } from 'node:fs'
import { Readable } from 'node:stream'
import { constants, createGunzip } from 'node:zlib'

export const CHUNK_BYTES = 64 * 1024

export interface Decompression {
  /** The next decompressed bytes; undefined at the end. Rejects where the format is violated (`Z_DATA_ERROR`, `Z_BUF_ERROR`). */
  next(): Promise<Buffer | undefined>
  /** Compressed bytes that were understood. */
  readonly consumed: number
  destroy(): void
}

/** With `limit`, only so many compressed bytes are read, and ending in the middle of a member is no error. */
export function decompress(handle: promises.FileHandle, limit?: number): Decompression {
  const finishFlush = limit === undefined ? constants.Z_FINISH : constants.Z_SYNC_FLUSH
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES, finishFlush })
  // Not `handle.createReadStream`: destroying that one closes the file.
  const input = Readable.from(compressedChunks(handle, limit))
  input.on('error', (error) => gunzip.destroy(error))
  input.pipe(gunzip)
  const chunks = gunzip[Symbol.asyncIterator]()
  return {
    async next() {
      const { value, done } = await chunks.next()
      return done ? undefined : (value as Buffer)
    },
    get consumed() {
      return gunzip.bytesWritten
    },
    destroy() {
      input.destroy()
      gunzip.destroy()
    },
  }
}

async function* compressedChunks(
  handle: promises.FileHandle,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  for (let position = 0; position < limit; ) {
    const length = Math.min(CHUNK_BYTES, limit - position)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
