/** Reads the next page of a file. */
import { BEGINNING, hasMark, MARK_BYTES, type Position, positionAt } from './identity.ts'
import { cutLines, type LineLimits } from './lines.ts'
import type { Page } from './page.ts'
import type { Tail } from './tail.ts'

/**
 * Small enough for the text of a page to live in the heap, where it dies young: V8 keeps texts above about a
 * megabyte outside, until a full collection finds them. Larger pages read no faster.
 */
export const PAGE_BYTES = 256 * 1024

/** The reused buffer of one reader. It holds the bytes before the page too, to see that they are still the same. */
export interface PageBuffer {
  bytes: Buffer
}

export interface ReadPage {
  /** Undefined when there was no complete line, only bytes to skip or an unfinished one. */
  readonly page: Page | undefined
  readonly end: Position
  /** Bytes after the page that are no complete line yet. */
  readonly restBytes: number
  /** Bytes of too long lines that were dropped. */
  readonly dropped: number
  readonly bytes: number
  /** The position of `offset`, while the buffer is not reused; undefined when it is before the page. */
  position(offset: number): Position | undefined
}

/** Resolves with undefined when what stands before the position is not what was read: the content was exchanged. */
export async function readPage(
  tail: Tail,
  into: PageBuffer,
  limits: LineLimits,
  isRest: boolean,
): Promise<ReadPage | undefined> {
  const { source, ref } = tail
  const { offset, markBytes, cutting } = tail.progress.read
  const before = offset - markBytes
  if (source === undefined) return undefined
  const length = await fill(source, into, before, markBytes, limits)
  const buffer = into.bytes
  if (!hasMark(tail.progress.read, buffer, length)) return undefined
  const from = markBytes + bomBytes(buffer, length, offset, limits)
  const to = isRest ? length - ((length - from) % limits.encoding.unit) : length
  const cut = cutLines(buffer, from, to, limits, cutting, isRest)
  const base = offset + from - markBytes
  const end = base + cut.consumed
  const page: Page = {
    file: ref,
    lines: cut.lines,
    start: base + cut.first,
    end,
    offsets: () => cut.offsets().map((start) => base + start),
  }
  return {
    page: cut.lines.length > 0 ? page : undefined,
    end: end === 0 ? BEGINNING : positionAt(end, buffer, from + cut.consumed, cut.cutting),
    restBytes: length - from - cut.consumed,
    dropped: cut.dropped,
    bytes: end - offset,
    position: (at) => (at < offset ? undefined : positionAt(at, buffer, at - before)),
  }
}

/** Reads a page's worth, and more only where a single line is longer than that. */
async function fill(
  source: NonNullable<Tail['source']>,
  into: PageBuffer,
  before: number,
  markBytes: number,
  limits: LineLimits,
): Promise<number> {
  let length = 0
  for (let target = markBytes + PAGE_BYTES; ; target = Math.min(target * 2, limitOf(limits))) {
    if (into.bytes.length < target) into.bytes = grown(into.bytes, target, length)
    length += await source.read(into.bytes, length, target - length, before + length)
    const isEnd = length < target || target >= limitOf(limits)
    if (isEnd || limits.encoding.lastLineEnd(into.bytes, markBytes, length) >= 0) return length
  }
}

// The longest line, its end, and what stands before it.
function limitOf(limits: LineLimits): number {
  return MARK_BYTES + Math.max(PAGE_BYTES, limits.maxLineBytes + 4)
}

function grown(buffer: Buffer, size: number, used: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(size, MARK_BYTES + PAGE_BYTES))
  buffer.copy(larger, 0, 0, used)
  return larger
}

function bomBytes(buffer: Buffer, length: number, offset: number, limits: LineLimits): number {
  const { bom } = limits.encoding
  const isThere = offset === 0 && bom.length > 0 && length >= bom.length && buffer.subarray(0, bom.length).equals(bom)
  return isThere ? bom.length : 0
}
