/** Text that strangers chose: bounded, UTF-8, and free of characters that act on a terminal or hide. */

const SCRATCH = Buffer.alloc(2048)
/** Controls, what reorders text, and line separators: they change how the text around them is shown. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const REPLACEMENT = '\ufffd'

/** The bytes as text of at most `most` characters. What is no UTF-8 and every control character become U+FFFD. */
export function cleanText(bytes: Uint8Array, at: number, length: number, most: number): string {
  const size = Math.max(0, Math.min(length, most, SCRATCH.length, bytes.length - at))
  let isPlain = true
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i] as number
    if (byte < 0x20 || byte > 0x7e) isPlain = false
    SCRATCH[i] = byte
  }
  return isPlain ? SCRATCH.toString('latin1', 0, size) : cleanUtf8(SCRATCH, size)
}

/** The first `size` bytes as text; what is no UTF-8 and every control character become U+FFFD. */
export function cleanUtf8(bytes: Buffer, size: number): string {
  return cleaned(bytes.toString('utf8', 0, size))
}

/** A text in which every control character became U+FFFD. */
export function cleaned(text: string): string {
  return text.replace(UNSAFE, REPLACEMENT)
}

/** Where the bytes end that may be read: never behind the memory. -1 when the start lies outside of it. */
export function endOf(bytes: Uint8Array, at: number, length: number): number {
  return at >= 0 && at <= bytes.length && length >= 0 ? Math.min(at + length, bytes.length) : -1
}

export function big16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function big24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | big16(bytes, at + 1)
}

export function big32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | big24(bytes, at + 1)) >>> 0
}
