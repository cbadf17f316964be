/** Heads of HTTP requests as they go over the wire, of every version that is not encrypted. */

import { emptyHead, type Head, lineAfter, readHead, trimmed } from './http-head.ts'
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
const MOST_TARGET = 2048
/** A space, and `HTTP/1.1`. */
const VERSION = 9
const LEAST_TARGET = 16
const NOTHING: Requests = { requests: [], rest: -1 }

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
  let begin = at
  for (let next = at; next >= 0 && requests.length < MOST_REQUESTS; ) {
    begin = skipLines(bytes, next, end)
    next = begin < end ? readRequest(bytes, begin, end, isAll, requests) : UNKNOWN
    if (next === CUT) return { requests, rest: isAll ? -1 : begin }
  }
  return { requests, rest: -1 }
}

/** In the place of where the next request begins: nowhere that could be known; or the head is not whole. */
const UNKNOWN = -1
const CUT = -2

/** Adds the request at `at`; returns where the next one begins. */
function readRequest(bytes: Uint8Array, at: number, end: number, isAll: boolean, requests: HttpRequest[]): number {
  const space = methodEnd(bytes, at, end)
  if (space < 0) return UNKNOWN
  const lineEnd = lineAfter(bytes, space, end)
  if (lineEnd < 0) return readLine(bytes, at, space, end, isAll, requests)
  const targetEnd = trimmed(bytes, at, lineEnd) - VERSION
  const version = targetEnd > space ? versionAt(bytes, targetEnd) : undefined
  if (version === undefined) return UNKNOWN
  const head = emptyHead()
  const body = readHead(bytes, lineEnd + 1, end, head)
  if (body >= 0 || isAll) requests.push(requestOf(bytes, at, space, targetEnd, version, head))
  if (body < 0) return CUT
  return head.body === undefined ? UNKNOWN : body + head.body
}

/** A first line that is not over. */
function readLine(
  bytes: Uint8Array,
  at: number,
  space: number,
  end: number,
  isAll: boolean,
  requests: HttpRequest[],
): number {
  if (!isText(bytes, space, end)) return UNKNOWN
  // Nothing but the end of the line tells for sure what it is: so it has to be a long one.
  if (isAll && end - space > LEAST_TARGET) requests.push(requestOf(bytes, at, space, end, '1.1', emptyHead()))
  return CUT
}

function requestOf(
  bytes: Uint8Array,
  at: number,
  space: number,
  end: number,
  version: HttpRequest['version'],
  head: Head,
): HttpRequest {
  const method = cleanText(bytes, at, space - at, MOST_METHOD)
  const target = cleanText(bytes, space + 1, end - space - 1, MOST_TARGET)
  return { method, ...targetOf(method, target, head.host), userAgent: agentOf(head.userAgent), version }
}

/** Requests may have empty lines before them. */
function skipLines(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
  return at
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

/** The last part of the first line, behind the target. */
function versionAt(bytes: Uint8Array, at: number): '1.0' | '1.1' | undefined {
  const text = cleanText(bytes, at, VERSION, VERSION)
  if (text === ' HTTP/1.1') return '1.1'
  return text === ' HTTP/1.0' ? '1.0' : undefined
}
