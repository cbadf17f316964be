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
  const { encoding, maxLineBytes } = limits
  let begin = from
  if (cutting) {
    const end = encoding.newline(buffer, from, to)
    if (end < 0) return nothing(to - from, to - from, !final)
    begin = end + encoding.unit
  }
  const skipped = begin - from
  const last = encoding.lastLineEnd(buffer, begin, to)
  const end = last < 0 ? begin : last
  const rest = to - end
  if (rest > maxLineBytes) return cutSlowly(buffer, from, begin, to, limits, final)
  const stop = final && rest > 0 ? to : end
  if (stop === begin) return nothing(skipped, skipped, false)
  const text = encoding.decode(buffer, begin, stop === end ? end - encoding.unit : stop)
  const lines = text.split('\n')
  if (stop - begin > maxLineBytes && hasLongLine(lines, maxLineBytes, encoding)) {
    return cutSlowly(buffer, from, begin, to, limits, final)
  }
  if (text.includes('\r')) dropCarriageReturns(lines)
  // Where decoding loses the length of the input, the positions must be taken now: the buffer is reused.
  const known = encoding.sizeOf(text) === undefined ? scanOffsets(buffer, from, begin, stop, encoding) : undefined
  return {
    lines,
    consumed: stop - from,
    dropped: skipped,
    cutting: false,
    first: skipped,
    offsets: () => known ?? textOffsets(text, skipped, encoding),
  }
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

function textOffsets(text: string, first: number, encoding: Encoding): number[] {
  const offsets = [first]
  const isFixed = encoding.sizeOf(text) === text.length * encoding.unit
  let position = first
  let start = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
    position += isFixed ? (at + 1 - start) * encoding.unit : (encoding.sizeOf(text.slice(start, at + 1)) as number)
    offsets.push(position)
    start = at + 1
  }
  return offsets
}

function scanOffsets(buffer: Buffer, from: number, begin: number, stop: number, encoding: Encoding): number[] {
  const offsets: number[] = []
  for (let start = begin; start < stop; ) {
    offsets.push(start - from)
    const end = encoding.newline(buffer, start, stop)
    if (end < 0) break
    start = end + encoding.unit
  }
  return offsets
}

/** The same with lines that are too long among them: line by line, from the bytes. */
function cutSlowly(buffer: Buffer, from: number, begin: number, to: number, limits: LineLimits, final: boolean): Lines {
  const { encoding, maxLineBytes, onLongLine } = limits
  const lines: string[] = []
  const offsets: number[] = []
  let dropped = begin - from
  let start = begin
  let cutting = false
  const emit = (end: number): void => {
    const line = encoding.decode(buffer, start, end)
    lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
    offsets.push(start - from)
  }
  while (start < to) {
    const newline = encoding.newline(buffer, start, to)
    const isOpen = newline < 0
    const end = isOpen ? to : newline
    if (end - start > maxLineBytes) {
      const cut = encoding.boundary(buffer, start, start + maxLineBytes)
      emit(cut)
      start = cut
      if (onLongLine === 'split') continue
      dropped += end - cut
      cutting = isOpen && !final
    } else if (isOpen && !final) break
    else emit(end)
    start = isOpen ? to : end + encoding.unit
  }
  return { lines, consumed: start - from, dropped, cutting, first: offsets[0] ?? begin - from, offsets: () => offsets }
}
