/**
 * Memory that kernel records lie in, with the views a decoder reads by. Offsets are in bytes; records are aligned to
 * eight bytes, so that `u32[(at + 4) >> 2]` is the field at offset 4.
 *
 * The memory is only lent: the kernel writes it anew once a record was taken. What outlives the call is copied out.
 */
export interface RingMemory {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  /** The same bytes, for text. */
  readonly text: Buffer
}

/** Views over the bytes of `buffer`, which begins at a multiple of eight and has a length that is one. */
export function ringMemory(buffer: ArrayBuffer, offset = 0, length = buffer.byteLength - offset): RingMemory {
  return {
    u8: new Uint8Array(buffer, offset, length),
    u16: new Uint16Array(buffer, offset, length >> 1),
    u32: new Uint32Array(buffer, offset, length >> 2),
    i32: new Int32Array(buffer, offset, length >> 2),
    text: Buffer.from(buffer, offset, length),
  }
}

/** What takes a record: `size` bytes at `at`. Must not keep the memory, and must not throw. */
export type TakeRecord = (memory: RingMemory, at: number, size: number) => void
