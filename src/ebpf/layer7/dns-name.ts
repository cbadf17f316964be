/** Domain names as they stand in a DNS message: labels, and pointers to labels that stand before them. */
import { cleanUtf8 } from './text.ts'

/** A place in a message. `start` and `end` are those of the message, whatever is read of it. */
export interface Cursor {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  at: number
}

const HEADER = 12
/** As text, without the last dot: 255 bytes in a message. */
const MOST_BYTES = 253
/** Of the longest name, every label could stand elsewhere; nobody writes it that way. */
const MOST_JUMPS = 128
const POINTER = 0xc0
const MOST_LABEL = 63
const DOT = 0x2e

const SCRATCH = Buffer.alloc(MOST_BYTES + 1)
/**
 * A byte of a label as it is put into the text: letters small (some resolvers mix the case at random). Controls and dots
 * inside a label are 0, which becomes U+FFFD: such a label must not pass for two.
 */
const LETTERS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === 0x7f || byte === DOT) return 0
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
})

/** Whether the labels that were put into `SCRATCH` since the name began are all plain. */
let isPlain = true

/** The name at the cursor, without the last dot; the root is `.`. Undefined when it is none; the cursor is then lost. */
export function readName(cursor: Cursor): string | undefined {
  isPlain = true
  const size = putLabels(cursor, cursor.at, 0, 0)
  if (size < 0) return undefined
  if (size === 0) return '.'
  return isPlain ? SCRATCH.toString('latin1', 0, size) : cleanUtf8(SCRATCH, size)
}

/** Puts the labels from `from` behind the `size` bytes that are there. Returns the new size, or -1 for what is no name. */
function putLabels(cursor: Cursor, from: number, size: number, jumps: number): number {
  const { bytes, end } = cursor
  for (let at = from; at < end; ) {
    const length = bytes[at] as number
    if (length === 0) {
      cursor.at = at + 1
      return size
    }
    if (length >= POINTER) return follow(cursor, at, from, size, jumps)
    if (length > MOST_LABEL || at + length >= end || size + length + 1 > MOST_BYTES) return -1
    if (size > 0) SCRATCH[size++] = DOT
    putLabel(bytes, at + 1, length, size)
    size += length
    at += length + 1
  }
  return -1
}

/** Puts what the pointer at `at` points to, which must stand before `from`: so no loop can come of it. */
function follow(cursor: Cursor, at: number, from: number, size: number, jumps: number): number {
  const { bytes, start, end } = cursor
  if (at + 1 >= end || jumps === MOST_JUMPS) return -1
  const target = start + (((bytes[at] as number) & MOST_LABEL) << 8) + (bytes[at + 1] as number)
  if (target >= from || target < start + HEADER) return -1
  const whole = putLabels(cursor, target, size, jumps + 1)
  cursor.at = at + 2
  return whole
}

function putLabel(bytes: Uint8Array, at: number, length: number, to: number): void {
  for (let i = 0; i < length; i++) {
    const letter = LETTERS[bytes[at + i] as number] as number
    SCRATCH[to + i] = letter
    if (letter === 0 || letter > 0x7e) isPlain = false
  }
}

/** Moves the cursor behind a name; false when there is no whole one. */
export function skipName(cursor: Cursor): boolean {
  const { bytes, end } = cursor
  let { at } = cursor
  while (at < end) {
    const length = bytes[at] as number
    if (length === 0 || length >= POINTER) {
      cursor.at = at + (length === 0 ? 1 : 2)
      return cursor.at <= end
    }
    if (length > MOST_LABEL) return false
    at += length + 1
  }
  return false
}
