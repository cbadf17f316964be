/**
 * Reads protobuf in one pass (encoding: protobuf.dev/programming-guides/encoding), from bytes that nobody vouches for.
 *
 * Every length is checked against the message it stands in before anything is made of it, so that no length can
 * make the reader allocate, loop or look past the end. What is wrong is a `RangeError` with a sentence.
 */
import { TextTable } from './text-table.ts'

/** Wire types, the lower three bits of a tag. */
const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

/** Keys are few and come with every record: one string for each, made once. */
const keys = new TextTable(4096, 96)
/** Values often repeat, too: names of namespaces, verbs, users. */
const values = new TextTable(4096, 40)

const TWO_TO_32 = 2 ** 32

export class ProtoReader {
  readonly #bytes: Buffer
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get length(): number {
    return this.#bytes.length
  }

  /** Where the next byte is read. */
  get at(): number {
    return this.#at
  }

  /** Goes back to a place that was passed before. */
  rewind(at: number): void {
    this.#at = at
  }

  /** True while the message that ends at `end` has more fields. Throws when its last field went past its end. */
  hasMore(end: number): boolean {
    if (this.#at < end) return true
    if (this.#at > end)
      throw new RangeError(`truncated protobuf: a field goes past the end of its message at byte ${end}`)
    return false
  }

  /** The tag of the next field: `field << 3 | wire type`. */
  tag(): number {
    const tag = this.uint32()
    if (tag < 8) throw new RangeError(`not protobuf: there is no field 0 (byte ${this.#at - 1})`)
    return tag
  }

  /** Reads a length and answers where what has it ends. */
  end(limit: number): number {
    const bytes = this.#bytes
    let at = this.#at
    let length = 0
    // Past the end there are no bytes, which count as 0 and end past the limit.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++] as number
      length |= (byte & 0x7f) << shift
      if (byte >= 0x80) continue
      if (at + length > limit) break
      this.#at = at
      return at + length
    }
    return this.#longEnd(limit)
  }

  #longEnd(limit: number): number {
    const at = this.#at
    const length = this.int64()
    const end = this.#at + (length as number)
    // Text stands for a length beyond 2^53.
    if (typeof length === 'string' || length < 0 || end > limit) {
      throw new RangeError(
        `truncated protobuf: the field at byte ${at} goes past the end of its message at byte ${limit}`,
      )
    }
    return end
  }

  /** A varint of which the lower 32 bits matter. */
  uint32(): number {
    // Past the end there is no byte, which is not below anything.
    const byte = this.#bytes[this.#at] as number
    if (!(byte < 0x80)) return this.#longUint32()
    this.#at += 1
    return byte
  }

  #longUint32(): number {
    const first = this.#byte()
    let value = first & 0x7f
    let byte = first
    let shift = 7
    for (; byte >= 0x80; shift += 7) {
      byte = this.#byte()
      if (shift < 28) value |= (byte & 0x7f) << shift
      else if (shift === 28) value = (value | (byte << 28)) >>> 0
      else if (shift >= 70) throw this.#overlong()
    }
    return value >>> 0
  }

  /** A signed 64-bit varint; beyond 2^53 as decimal text, so that no digit is lost. */
  int64(): number | string {
    const byte = this.#bytes[this.#at] as number
    if (!(byte < 0x80)) return this.#longInt64()
    this.#at += 1
    return byte
  }

  #longInt64(): number | string {
    const first = this.#byte()
    const start = this.#at - 1
    let low = first & 0x7f
    let high = 0
    let byte = first
    let shift = 7
    for (; byte >= 0x80; shift += 7) {
      byte = this.#byte()
      if (shift < 28) low |= (byte & 0x7f) << shift
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28
        high = (byte & 0x7f) >> 4
      } else if (shift < 70) high |= (byte & 0x7f) << (shift - 32)
      else throw new RangeError(`not protobuf: the number at byte ${start} is longer than ten bytes`)
    }
    const value = (high | 0) * TWO_TO_32 + (low >>> 0)
    if (Number.isSafeInteger(value)) return value
    return String((BigInt(high | 0) << 32n) | BigInt(low >>> 0))
  }

  double(limit: number): number {
    const at = this.#fixed(8, limit)
    return this.#view.getFloat64(at, true)
  }

  fixed32(limit: number): number {
    const at = this.#fixed(4, limit)
    return this.#view.getUint32(at, true)
  }

  /** A fixed64 of nanoseconds as seconds and nanoseconds, exactly. */
  nanos(limit: number): [seconds: number, nanos: number] {
    const at = this.#fixed(8, limit)
    const low = this.#view.getUint32(at, true)
    const high = this.#view.getUint32(at + 4, true)
    // The quotient is off by one at most, and the lower 32 bits of the remainder say by how much.
    let seconds = Math.floor((high * TWO_TO_32 + low) / 1e9)
    let nanos = (low - Math.imul(seconds, 1e9)) | 0
    if (nanos < 0) {
      seconds -= 1
      nanos += 1e9
    } else if (nanos >= 1e9) {
      seconds += 1
      nanos -= 1e9
    }
    return [seconds, nanos]
  }

  /** Text up to `end`; what is not UTF-8 becomes U+FFFD. */
  text(end: number): string {
    const at = this.#at
    this.#at = end
    return values.read(this.#bytes, this.#view, at, end)
  }

  /** The name of an attribute. */
  key(end: number): string {
    const at = this.#at
    this.#at = end
    return keys.read(this.#bytes, this.#view, at, end)
  }

  hex(end: number): string {
    const at = this.#at
    this.#at = end
    return this.#bytes.toString('hex', at, end)
  }

  /** The bytes themselves as text, one character each: a key for what is made of them. */
  raw(from: number, end: number): string {
    return this.#bytes.toString('latin1', from, end)
  }

  /** A copy, which does not keep the request in memory. */
  bytes(end: number): Uint8Array {
    const at = this.#at
    this.#at = end
    return new Uint8Array(this.#bytes.subarray(at, end))
  }

  /** Passes over the field whose tag was read. */
  skip(tag: number, limit: number): void {
    const wire = tag & 7
    if (wire === DELIMITED) this.#at = this.end(limit)
    else if (wire === VARINT) this.#skipVarint()
    else if (wire === FIXED64) this.#fixed(8, limit)
    else if (wire === FIXED32) this.#fixed(4, limit)
    else throw new RangeError(`not protobuf: byte ${this.#at - 1} begins a field of wire type ${wire}`)
  }

  #skipVarint(): void {
    for (let count = 1; this.#byte() >= 0x80; count++) if (count === 10) throw this.#overlong()
  }

  /** Passes over `size` bytes and answers where they are. */
  #fixed(size: number, limit: number): number {
    const at = this.#at
    if (at + size > limit) {
      throw new RangeError(
        `truncated protobuf: the number at byte ${at} goes past the end of its message at byte ${limit}`,
      )
    }
    this.#at = at + size
    return at
  }

  #byte(): number {
    const at = this.#at
    if (at >= this.#bytes.length) throw new RangeError(`truncated protobuf: it ends within a number at byte ${at}`)
    this.#at = at + 1
    return this.#bytes[at] as number
  }

  #overlong(): RangeError {
    return new RangeError(`not protobuf: the number that ends at byte ${this.#at} is longer than ten bytes`)
  }
}
