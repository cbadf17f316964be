/** Requests of HTTP/2 without encryption, at the beginning of a connection. */
import { HeaderTable } from './hpack.ts'
import { agentOf, type HttpRequest, type Requests, targetOf } from './request.ts'
import { big24, big32, cleanText } from './text.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
/** So much tells it from a request of HTTP/1. */
const TELLING = 6
const FRAME_HEADER = 9
const FRAME = { headers: 1, continuation: 9 } as const
const FLAG = { endHeaders: 4, padded: 8, priority: 32 } as const
const MOST_FRAME = 16_384
const MOST_BLOCK = 16_384
const MOST_FRAMES = 64
const MOST_REQUESTS = 16
const MOST_METHOD = 24
const MOST_VALUE = 2048

interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly at: number
  readonly end: number
}

/** Whether the stream begins as one of HTTP/2 does. */
export function isHttp2(bytes: Uint8Array, at: number, end: number): boolean {
  const size = Math.min(end - at, PREFACE.length)
  return size >= TELLING && PREFACE.compare(bytes, at, at + size, 0, size) === 0
}

/** The requests of a stream that `isHttp2`, from its beginning. */
export function readHttp2(bytes: Uint8Array, start: number, end: number, isAll: boolean): Requests {
  const requests: HttpRequest[] = []
  const isBroken = !readFrames(bytes, start + PREFACE.length, end, requests)
  // The table of headers would have to be kept for what follows the first requests.
  return { requests, rest: isBroken || isAll || requests.length > 0 ? -1 : start }
}

/** Adds requests up to the end; false when something that is not allowed comes before it. */
function readFrames(bytes: Uint8Array, from: number, end: number, requests: HttpRequest[]): boolean {
  const table = new HeaderTable()
  for (let i = 0, at = from; i < MOST_FRAMES && requests.length < MOST_REQUESTS; i++) {
    const frame = frameAt(bytes, at, end)
    if (frame === undefined || frame === 'cut') return frame === 'cut'
    at = frame.type === FRAME.headers ? addRequest(bytes, frame, end, table, requests) : frame.end
    if (at < 0) return at === CUT
  }
  return true
}

/** In the place of where the next frame begins. */
const CUT = -1
const BROKEN = -2

/** Reads a block of headers, which may be that of a request; returns where the next frame begins. */
function addRequest(bytes: Uint8Array, frame: Frame, end: number, table: HeaderTable, requests: HttpRequest[]): number {
  const block = blockOf(bytes, frame, end)
  if (block === 'cut') return CUT
  if (block === undefined) return BROKEN
  const headers = table.decode(block.bytes, block.at, block.end)
  // The table is lost with a block that can't be read.
  if (headers === undefined) return BROKEN
  if (headers.has(':method')) requests.push(requestOf(headers))
  return block.after
}

/** The frame at `at`; undefined when it is none that may be sent. */
function frameAt(bytes: Uint8Array, at: number, end: number): Frame | 'cut' | undefined {
  if (at + FRAME_HEADER > end) return 'cut'
  const size = big24(bytes, at)
  if (size > MOST_FRAME) return undefined
  const from = at + FRAME_HEADER
  if (from + size > end) return 'cut'
  const stream = big32(bytes, at + 5) & 0x7fffffff
  return { type: bytes[at + 3] as number, flags: bytes[at + 4] as number, stream, at: from, end: from + size }
}

interface Block {
  readonly bytes: Uint8Array
  readonly at: number
  readonly end: number
  /** Where the next frame begins. */
  readonly after: number
}

/** The headers that begin with a frame, put together with the frames that go on with them. */
function blockOf(bytes: Uint8Array, frame: Frame, end: number): Block | 'cut' | undefined {
  const isPadded = (frame.flags & FLAG.padded) !== 0
  const padding = isPadded && frame.at < frame.end ? (bytes[frame.at] as number) : 0
  const at = frame.at + (isPadded ? 1 : 0) + ((frame.flags & FLAG.priority) !== 0 ? 5 : 0)
  const to = frame.end - padding
  if (at > to) return undefined
  if ((frame.flags & FLAG.endHeaders) !== 0) return { bytes, at, end: to, after: frame.end }
  return continued(bytes, frame, bytes.subarray(at, to), end)
}

function continued(bytes: Uint8Array, first: Frame, part: Uint8Array, end: number): Block | 'cut' | undefined {
  const parts = [part]
  let size = part.length
  let frame = first
  while ((frame.flags & FLAG.endHeaders) === 0) {
    const next = frameAt(bytes, frame.end, end)
    if (next === 'cut') return 'cut'
    if (next?.type !== FRAME.continuation || next.stream !== first.stream) return undefined
    size += next.end - next.at
    if (size > MOST_BLOCK || parts.length === MOST_FRAMES) return undefined
    parts.push(bytes.subarray(next.at, next.end))
    frame = next
  }
  return { bytes: Buffer.concat(parts), at: 0, end: size, after: frame.end }
}

function requestOf(headers: ReadonlyMap<string, string>): HttpRequest {
  const value = (name: string, most: number): string | undefined => {
    const text = headers.get(name)
    return text === undefined ? undefined : cleanText(Buffer.from(text, 'latin1'), 0, text.length, most)
  }
  const method = value(':method', MOST_METHOD) ?? ''
  const authority = value(':authority', MOST_VALUE) ?? value('host', MOST_VALUE)
  const target = method.toUpperCase() === 'CONNECT' ? authority : value(':path', MOST_VALUE)
  return {
    method,
    ...targetOf(method, target ?? '', authority),
    userAgent: agentOf(value('user-agent', MOST_VALUE)),
    version: '2',
  }
}
