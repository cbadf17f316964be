/** Cuts what was read of a file into lines. The one loop over bytes that every file receiver pays for. */
import type { Encoding } from './encoding.ts'

export interface LineLimits {
  readonly encoding: Encoding
  readonly maxLineBytes: number
  readonly onLongLine: 'split' | 'truncate'
}

export interface Lines {
  readonly lines: readonly string[]
  /** Bytes from the beginning that the lines (and what was dropped) took; the rest is an unfinished line. */
  readonly consumed: number
  /** Bytes dropped because their line was too long. */
  readonly dropped: number
  /** True when the last line was cut and the rest of it is still to be dropped. */
  readonly cutting: boolean
  /** Where the first line begins. */
  readonly first: number
  /** Where each line begins, relative to the beginning. */
  offsets(): number[]
}

const NOTHING: readonly string[] = []

/**
 * Cuts `buffer[from, to)`, which begins at a line's beginning (or, with `cutting`, inside a line that is being dropped).
 * With `final`, what comes after the last newline is a line too.
 */
export function cutLines(
  buffer: Buffer,
  from: number,
  to: number,
  limits: LineLimits,
  cutting = false,
  final = false,
): Lines {
  if (!cutting) return cutFrom(buffer, from, to, limits, final)
  const end = limits.encoding.newline(buffer, from, to)
  if (end < 0) return nothing(to - from, to - from, !final)
  const begin = end + limits.encoding.unit
  const rest = cutFrom(buffer, begin, to, limits, final)
  const skipped = begin - from
  return {
    ...rest,
    consumed: rest.consumed + skipped,
    dropped: rest.dropped + (end - from),
    first: rest.first + skipped,
    offsets: () => rest.offsets().map((offset) => offset + skipped),
  }
}

function cutFrom(buffer: Buffer, from: number, to: number, limits: LineLimits, final: boolean): Lines {
  const { encoding, maxLineBytes } = limits
  const end = Math.max(from, encoding.lastLineEnd(buffer, from, to))
  if (to - end > maxLineBytes) return cutSlowly(buffer, from, to, limits, final)
  const stop = final ? to : end
  if (stop === from) return nothing(0, 0, false)
  const text = encoding.decode(buffer, from, stop === end ? end - encoding.unit : stop)
  const lines = text.split('\n')
  if (stop - from > maxLineBytes && hasLongLine(lines, maxLineBytes, encoding)) {
    return cutSlowly(buffer, from, to, limits, final)
  }
  if (text.includes('\r')) dropCarriageReturns(lines)
  // Where decoding loses the length of the input, the positions must be taken now: the buffer is reused.
  const known = encoding.sizeOf(text) === undefined ? scanOffsets(buffer, from, stop, encoding) : undefined
  const offsets = (): number[] => known ?? textOffsets(text, encoding)
  return { lines, consumed: stop - from, dropped: 0, cutting: false, first: 0, offsets }
}

function nothing(consumed: number, dropped: number, cutting: boolean): Lines {
  return { lines: NOTHING, consumed, dropped, cutting, first: consumed, offsets: () => [] }
}

function hasLongLine(lines: readonly string[], maxLineBytes: number, encoding: Encoding): boolean {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    // No encoding takes more than four bytes a character, so most lines need no closer look.
    if (line.length * 4 > maxLineBytes && (encoding.sizeOf(line) ?? line.length * 4) > maxLineBytes) return true
  }
  return false
}

function dropCarriageReturns(lines: string[]): void {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (line.charCodeAt(line.length - 1) === 13) lines[i] = line.slice(0, -1)
  }
}

function textOffsets(text: string, encoding: Encoding): number[] {
  const offsets = [0]
  const isFixed = encoding.sizeOf(text) === text.length * encoding.unit
  let position = 0
  let start = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
    position += isFixed ? (at + 1 - start) * encoding.unit : (encoding.sizeOf(text.slice(start, at + 1)) as number)
    offsets.push(position)
    start = at + 1
  }
  return offsets
}

function scanOffsets(buffer: Buffer, from: number, stop: number, encoding: Encoding): number[] {
  const offsets: number[] = []
  for (let start = from; start < stop; ) {
    offsets.push(start - from)
    const end = encoding.newline(buffer, start, stop)
    if (end < 0) break
    start = end + encoding.unit
  }
  return offsets
}

/** The same with lines that are too long among them: line by line, from the bytes. */
function cutSlowly(buffer: Buffer, from: number, to: number, limits: LineLimits, final: boolean): Lines {
  const lines: string[] = []
  const offsets: number[] = []
  let dropped = 0
  let cutting = false
  let start = from
  while (start < to) {
    const piece = nextPiece(buffer, start, to, limits)
    if (piece.isOpen && !final) break
    const line = limits.encoding.decode(buffer, start, piece.end)
    lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
    offsets.push(start - from)
    start = piece.next
    dropped += piece.dropped
    cutting = piece.cutting && !final
  }
  return { lines, consumed: start - from, dropped, cutting, first: 0, offsets: () => offsets }
}

interface Piece {
  readonly end: number
  readonly next: number
  readonly dropped: number
  /** It is short, and its line may go on. */
  readonly isOpen: boolean
  /** It is full, and its line may go on: what comes is to be dropped. */
  readonly cutting: boolean
}

function nextPiece(buffer: Buffer, start: number, to: number, limits: LineLimits): Piece {
  const { encoding, maxLineBytes, onLongLine } = limits
  const newline = encoding.newline(buffer, start, to)
  const isOpen = newline < 0
  const lineEnd = isOpen ? to : newline
  const next = isOpen ? to : newline + encoding.unit
  if (lineEnd - start <= maxLineBytes) return { end: lineEnd, next, dropped: 0, isOpen, cutting: false }
  const end = encoding.boundary(buffer, start, start + maxLineBytes)
  if (onLongLine === 'split') return { end, next: end, dropped: 0, isOpen: false, cutting: false }
  return { end, next, dropped: lineEnd - end, isOpen: false, cutting: isOpen }
}
