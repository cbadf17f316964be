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
const MOST_BYTES = 255
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

/** The name at the cursor, without the last dot; the root is `.`. Undefined when it is none; the cursor is then lost. */
export function readName(cursor: Cursor): string | undefined {
  const { bytes, start, end } = cursor
  let at = cursor.at
  let earliest = at
  let after = -1
  let size = 0
  let isPlain = true
  for (;;) {
    if (at >= end) return undefined
    const length = bytes[at] as number
    if (length === 0) break
    if (length >= POINTER) {
      if (at + 1 >= end) return undefined
      if (after < 0) after = at + 2
      const target = start + (((length & MOST_LABEL) << 8) | (bytes[at + 1] as number))
      // Only ever backwards: no loop can come of it.
      if (target >= earliest || target < start + HEADER) return undefined
      earliest = target
      at = target
      continue
    }
    if (length > MOST_LABEL || at + length >= end || size + length + 1 > MOST_BYTES) return undefined
    if (size > 0) SCRATCH[size++] = DOT
    isPlain = putLabel(bytes, at + 1, length, size) && isPlain
    size += length
    at += length + 1
  }
  cursor.at = after < 0 ? at + 1 : after
  if (size === 0) return '.'
  return isPlain ? SCRATCH.toString('latin1', 0, size) : cleanUtf8(SCRATCH, size)
}

/** False when something in it needs a closer look. */
function putLabel(bytes: Uint8Array, at: number, length: number, to: number): boolean {
  let isPlain = true
  for (let i = 0; i < length; i++) {
    const letter = LETTERS[bytes[at + i] as number] as number
    SCRATCH[to + i] = letter
    if (letter === 0 || letter > 0x7e) isPlain = false
  }
  return isPlain
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
