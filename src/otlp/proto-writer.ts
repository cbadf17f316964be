/**
 * Writes protobuf in one pass (encoding: protobuf.dev/programming-guides/encoding).
 *
 * The length of a nested message is not known when it begins, so four bytes are kept for it and filled in
 * at its end as a padded varint, which every decoder reads. That is what makes one pass possible; it costs
 * up to three bytes a message and bounds a message to 256 MiB.
 */
const LENGTH_BYTES = 4
const MAX_MESSAGE = 2 ** 28 - 1

export class ProtoWriter {
  #bytes: Buffer
  #at = 0

  constructor(initialBytes = 256 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes)
  }

  /** What was written since the last call: a view that is valid until the writer is used again. */
  take(): Buffer {
    const view = this.#bytes.subarray(0, this.#at)
    this.#at = 0
    return view
  }

  /** Writes the tag of a nested message and keeps room for its length. Give the result to `end`. */
  begin(tag: number): number {
    this.#need(1 + LENGTH_BYTES)
    this.#bytes[this.#at] = tag
    this.#at += 1 + LENGTH_BYTES
    return this.#at
  }

  end(start: number): void {
    const length = this.#at - start
    if (length > MAX_MESSAGE) throw new RangeError('a protobuf message grew past 256 MiB')
    const bytes = this.#bytes
    bytes[start - 4] = (length & 0x7f) | 0x80
    bytes[start - 3] = ((length >>> 7) & 0x7f) | 0x80
    bytes[start - 2] = ((length >>> 14) & 0x7f) | 0x80
    bytes[start - 1] = length >>> 21
  }

  /** A field's tag and a value below 2^31. */
  uint(tag: number, value: number): void {
    this.#need(6)
    this.#bytes[this.#at++] = tag
    this.#varint(value)
  }

  /** A field's tag and a safe integer as int64: negative ones take ten bytes. */
  int64(tag: number, value: number): void {
    if (value >= 0 && value <= 0x7fffffff) {
      this.uint(tag, value)
      return
    }
    this.#need(11)
    this.#bytes[this.#at++] = tag
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#at++] = Number(rest)
  }

  double(tag: number, value: number): void {
    this.#need(9)
    this.#bytes[this.#at++] = tag
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  /** Seconds (to 2554) and nanoseconds as one fixed64 of nanoseconds, exactly. */
  nanos(tag: number, seconds: number, nanos: number): void {
    this.#need(9)
    const bytes = this.#bytes
    bytes[this.#at++] = tag
    const low = (Math.imul(seconds, 1e9) + nanos) >>> 0
    // What is left is a multiple of 2^32, from which doubles stray by a few thousand at most.
    const high = Math.round((seconds * 1e9 + nanos - low) / 2 ** 32)
    this.#at = bytes.writeUInt32LE(low, this.#at)
    this.#at = bytes.writeUInt32LE(high, this.#at)
  }

  fixed32(tag: number, value: number): void {
    this.#need(5)
    this.#bytes[this.#at++] = tag
    this.#at = this.#bytes.writeUInt32LE(value >>> 0, this.#at)
  }

  string(tag: number, text: string): void {
    const { length } = text
    if (length >= 42) {
      this.#longString(tag, text)
      return
    }
    // At most 3 bytes a code unit: the length of a short string fits one byte whatever is in it.
    this.#need(2 + length * 3)
    const bytes = this.#bytes
    const start = this.#at + 2
    bytes[this.#at] = tag
    let at = start
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        at = start + bytes.write(text, start)
        break
      }
      bytes[at++] = code
    }
    bytes[this.#at + 1] = at - start
    this.#at = at
  }

  /** Bytes that are written as they are: fields made before. */
  raw(field: Uint8Array): void {
    this.#need(field.length)
    this.#bytes.set(field, this.#at)
    this.#at += field.length
  }

  bytes(tag: number, value: Uint8Array): void {
    this.#need(6 + value.length)
    this.#bytes[this.#at++] = tag
    this.#varint(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  #longString(tag: number, text: string): void {
    this.#need(1 + LENGTH_BYTES + text.length * 3)
    const start = this.begin(tag)
    this.#at += this.#bytes.write(text, start)
    this.end(start)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
  }

  #need(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + more))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}
