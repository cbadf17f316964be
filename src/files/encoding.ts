/** Encodings of text files: how bytes become characters, and where a line may end. */
import { isAscii } from 'node:buffer'

export interface Encoding {
  /** Bytes of a code unit: a newline is one unit, aligned to the beginning of the file. */
  readonly unit: 1 | 2
  /** Bytes that a file may begin with and that are no text. */
  readonly bom: Buffer
  decode(buffer: Buffer, from: number, to: number): string
  /**
   * Bytes of a decoded text on disk, or undefined where decoding loses that (malformed input, legacy encodings).
   * Additive: the size of a whole is the sum over its parts.
   */
  sizeOf(text: string): number | undefined
  /** Index of the first byte of the first newline in `[from, to)`, or -1. */
  newline(buffer: Buffer, from: number, to: number): number
  /** Index just past the last newline in `[from, to)`, or -1. */
  lastLineEnd(buffer: Buffer, from: number, to: number): number
  /** The last index at or before `at` (and after `from`) that does not cut a character in two. */
  boundary(buffer: Buffer, from: number, at: number): number
}

const LF = 10
const NO_BOM = Buffer.alloc(0)

const bytewise = {
  unit: 1,
  newline(buffer: Buffer, from: number, to: number): number {
    const at = buffer.indexOf(LF, from)
    return at < 0 || at >= to ? -1 : at
  },
  lastLineEnd(buffer: Buffer, from: number, to: number): number {
    if (to <= from) return -1
    const at = buffer.lastIndexOf(LF, to - 1)
    return at < from ? -1 : at + 1
  },
  boundary: (_buffer: Buffer, _from: number, at: number): number => at,
} as const

const utf8: Encoding = {
  ...bytewise,
  bom: Buffer.from([0xef, 0xbb, 0xbf]),
  decode: (buffer, from, to) =>
    // A one-byte string costs half of a decoded one, to make and to parse.
    isAscii(buffer.subarray(from, to)) ? buffer.toString('latin1', from, to) : buffer.toString('utf8', from, to),
  // A replacement character stands for one to three bytes that were no UTF-8, or for itself.
  sizeOf: (text) => (text.includes('\ufffd') ? undefined : Buffer.byteLength(text)),
  boundary(buffer, from, at) {
    let cut = at
    while (cut > from && at - cut < 4 && ((buffer[cut] ?? 0) & 0xc0) === 0x80) cut -= 1
    return cut > from ? cut : at
  },
}

const latin1: Encoding = {
  ...bytewise,
  bom: NO_BOM,
  decode: (buffer, from, to) => buffer.toString('latin1', from, to),
  sizeOf: (text) => text.length,
}

function utf16(littleEndian: boolean): Encoding {
  const low = littleEndian ? 0 : 1
  const newline: Encoding['newline'] = (buffer, from, to) => {
    for (let at = buffer.indexOf(LF, from + low); at >= 0; at = buffer.indexOf(LF, at + 1)) {
      const start = at - low
      if (start + 2 > to) return -1
      if ((start - from) % 2 === 0 && buffer[start + 1 - low] === 0) return start
    }
    return -1
  }
  const lastLineEnd: Encoding['lastLineEnd'] = (buffer, from, to) => {
    for (let start = from + ((to - from) & ~1) - 2; start >= from; start -= 2) {
      if (buffer[start + low] === LF && buffer[start + 1 - low] === 0) return start + 2
    }
    return -1
  }
  return {
    unit: 2,
    bom: Buffer.from(littleEndian ? [0xff, 0xfe] : [0xfe, 0xff]),
    decode(buffer, from, to) {
      if (littleEndian) return buffer.toString('utf16le', from, to)
      return Buffer.from(buffer.subarray(from, from + ((to - from) & ~1)))
        .swap16()
        .toString('utf16le')
    },
    sizeOf: (text) => text.length * 2,
    newline,
    lastLineEnd,
    boundary(buffer, from, at) {
      const cut = from + ((at - from) & ~1)
      const lowSurrogate = ((buffer[cut + 1 - low] ?? 0) & 0xfc) === 0xdc
      return lowSurrogate && cut - 2 > from ? cut - 2 : cut
    },
  }
}

// In every encoding of the WHATWG list but UTF-16 the byte 0x0a is always a newline, never part of a character.
function legacy(label: string): Encoding | undefined {
  try {
    const decoder = new TextDecoder(label)
    return {
      ...bytewise,
      bom: NO_BOM,
      decode: (buffer, from, to) => decoder.decode(buffer.subarray(from, to)),
      sizeOf: () => undefined,
    }
  } catch {
    return undefined
  }
}

/** The encoding of this name (the Collector's `nop` and `ascii` included), or undefined when there is none. */
export function encodingOf(label: string): Encoding | undefined {
  switch (label.toLowerCase()) {
    case '':
    case 'utf-8':
    case 'utf8':
      return utf8
    case 'nop':
    case 'ascii':
    case 'us-ascii':
    case 'latin1':
    case 'iso-8859-1':
      return latin1
    case 'utf-16':
    case 'utf-16le':
    case 'utf16le':
      return utf16(true)
    case 'utf-16be':
    case 'utf16be':
      return utf16(false)
    default:
      return legacy(label)
  }
}
