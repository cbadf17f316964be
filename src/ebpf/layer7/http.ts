/** Heads of HTTP requests as they go over the wire, of every version that is not encrypted. */
import { isHttp2, readHttp2 } from './http2.ts'
import { agentOf, type HttpRequest, type Requests, targetOf } from './request.ts'
import { cleanText, endOf } from './text.ts'

export type { HttpRequest, Requests } from './request.ts'

const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9
const MOST_METHOD = 24
const MOST_REQUESTS = 16
const MOST_VALUE = 2048
const NOTHING: Requests = { requests: [], rest: -1 }

/** What a head says, with only the headers that matter. */
interface Head {
  host: string | undefined
  userAgent: string | undefined
  /** Bytes of the body; undefined when only reading it would tell. */
  body: number | undefined
}

/**
 * The requests that begin in a piece of a stream, one after the other; `incomplete` when the first is not whole,
 * undefined when it is none.
 */
export function parseHttp(bytes: Uint8Array, at: number, length: number): HttpRequest[] | 'incomplete' | undefined {
  const { requests, rest } = readHttp(bytes, at, length, false)
  if (requests.length > 0) return [...requests]
  return rest < 0 ? undefined : 'incomplete'
}

/** As `parseHttp`. With `isAll`, which says that nothing more will come, a head that is cut off counts as far as it goes. */
export function readHttp(bytes: Uint8Array, at: number, length: number, isAll: boolean): Requests {
  const end = endOf(bytes, at, length)
  if (end <= at) return NOTHING
  if (isHttp2(bytes, at, end)) return readHttp2(bytes, at, end, isAll)
  const requests: HttpRequest[] = []
  while (requests.length < MOST_REQUESTS) {
    while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
    const space = at < end ? methodEnd(bytes, at, end) : -1
    if (space < 0) break
    const after = readRequest(bytes, at, space, end, isAll, requests)
    if (after === CUT) return { requests, rest: at }
    if (after < 0) break
    at = after
  }
  return { requests, rest: -1 }
}

/** In the place of where the next request begins: nowhere that could be known; or the head is not whole. */
const UNKNOWN = -1
const CUT = -2

/** Adds the request at `at`; returns where the next one begins. */
function readRequest(
  bytes: Uint8Array,
  at: number,
  space: number,
  end: number,
  isAll: boolean,
  requests: HttpRequest[],
): number {
  const lineEnd = lineAfter(bytes, space, end)
  if (lineEnd < 0 && !isAll) return space === end || isText(bytes, space, end) ? CUT : UNKNOWN
  const version = lineEnd < 0 ? undefined : versionOf(bytes, at, trimmed(bytes, at, lineEnd))
  if (lineEnd >= 0 && version === undefined) return UNKNOWN
  const targetEnd = version === undefined ? end : trimmed(bytes, at, lineEnd) - 9
  if (targetEnd <= space) return UNKNOWN
  const head: Head = { host: undefined, userAgent: undefined, body: 0 }
  const after = lineEnd < 0 ? CUT : readHeaders(bytes, lineEnd + 1, end, head)
  if (after === CUT && !isAll) return CUT
  const method = cleanText(bytes, at, space - at, MOST_METHOD)
  const target = cleanText(bytes, space + 1, targetEnd - space - 1, MOST_VALUE)
  requests.push({
    method,
    ...targetOf(method, target, head.host),
    userAgent: agentOf(head.userAgent),
    version: version ?? '1.1',
  })
  if (after < 0 || head.body === undefined) return UNKNOWN
  return after + head.body
}

/** Where the space behind the method stands; `end` when the text is over before that; -1 when there is no method. */
function methodEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end && i <= at + MOST_METHOD; i++) {
    const byte = bytes[i] as number
    if (byte === SPACE) return i > at + 1 ? i : -1
    // Letters of both cases: there are servers that take both. Extensions have a dash or an underline.
    const letter = byte | 0x20
    if ((letter < 0x61 || letter > 0x7a) && byte !== 0x2d && byte !== 0x5f) return -1
  }
  return end - at <= MOST_METHOD ? end : -1
}

/** A line that is not over yet could still become the first one of a request. */
function isText(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number
    if (byte < SPACE && byte !== CR && byte !== TAB) return false
  }
  return true
}

function lineAfter(bytes: Uint8Array, at: number, end: number): number {
  // Not `indexOf`, which would look on behind the end.
  for (let i = at; i < end; i++) if (bytes[i] === LF) return i
  return -1
}

/** The end of a line without what ends it. */
function trimmed(bytes: Uint8Array, at: number, lineEnd: number): number {
  let end = lineEnd
  while (end > at && isBlank(bytes[end - 1] as number)) end--
  return end
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR
}

/** From the last nine bytes of a line. */
function versionOf(bytes: Uint8Array, at: number, end: number): '1.0' | '1.1' | undefined {
  if (end - at < 12) return undefined
  const text = cleanText(bytes, end - 9, 9, 9)
  if (text === ' HTTP/1.1') return '1.1'
  return text === ' HTTP/1.0' ? '1.0' : undefined
}

/** Reads headers up to the empty line; returns where the body begins. */
function readHeaders(bytes: Uint8Array, at: number, end: number, head: Head): number {
  for (;;) {
    const lineEnd = lineAfter(bytes, at, end)
    const to = trimmed(bytes, at, lineEnd < 0 ? end : lineEnd)
    if (lineEnd < 0 && at >= to) return CUT
    if (to === at) return lineEnd + 1
    readHeader(bytes, at, to, head, lineEnd >= 0)
    if (lineEnd < 0) return CUT
    at = lineEnd + 1
  }
}

/** The names that matter, with their lengths; all others cost one comparison. */
function readHeader(bytes: Uint8Array, at: number, end: number, head: Head, isWhole: boolean): void {
  const letter = (bytes[at] as number) | 0x20
  if (letter === 0x68) {
    if (isNamed(bytes, at, end, 'host:')) head.host ??= valueOf(bytes, at + 5, end)
  } else if (letter === 0x75) {
    if (isNamed(bytes, at, end, 'user-agent:')) head.userAgent ??= valueOf(bytes, at + 11, end)
  } else if (letter === 0x63) {
    if (isWhole && isNamed(bytes, at, end, 'content-length:')) head.body = lengthOf(valueOf(bytes, at + 15, end), head)
  } else if (letter === 0x74) {
    if (isNamed(bytes, at, end, 'transfer-encoding:')) head.body = undefined
  }
}

function isNamed(bytes: Uint8Array, at: number, end: number, name: string): boolean {
  if (at + name.length > end) return false
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[at + i] as number
    if ((byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte) !== name.charCodeAt(i)) return false
  }
  return true
}

function valueOf(bytes: Uint8Array, at: number, end: number): string {
  while (at < end && isBlank(bytes[at] as number)) at++
  return cleanText(bytes, at, end - at, MOST_VALUE)
}

/** Undefined when the body has no length that all would agree on. */
function lengthOf(text: string, { body }: Head): number | undefined {
  if (body === undefined || !/^\d{1,15}$/.test(text)) return undefined
  const length = Number(text)
  return body === 0 || body === length ? length : undefined
}
