/**
 * Puts the segments of streams together until what they begin with can be read. Most begin with all of it in one
 * segment, which is read where it lies.
 */
import { type DnsMessage, parseDns, readDnsStream } from './dns.ts'
import { type HttpRequest, readHttp } from './http.ts'
import { endOf } from './text.ts'
import { type ClientHello, parseClientHello } from './tls.ts'

export type Layer7 =
  | { readonly kind: 'dns'; readonly message: DnsMessage }
  | { readonly kind: 'tls'; readonly hello: ClientHello }
  | { readonly kind: 'http'; readonly request: HttpRequest }

export type StreamKind = Layer7['kind']

export interface StreamsOptions {
  /** Streams that may wait for more at the same time; the one that has waited longest is given up for another. */
  readonly most?: number
}

/** What was found in a stream that waited in vain. */
export type Late = (cookie: string | number, ingress: boolean, found: readonly Layer7[]) => void

interface Start {
  readonly cookie: string | number
  readonly ingress: boolean
  readonly kind: StreamKind
  readonly since: number
  /** The offset that the next segment should have. */
  next: number
}

interface Stream extends Start {
  bytes: Buffer
  length: number
  /** Where the last segment begins in `bytes`. */
  last: number
}

interface Reading {
  readonly found: readonly Layer7[]
  /** Where something begins that is not whole, or -1. */
  readonly rest: number
}

const MOST = 1024
const MOST_BYTES = 8192
const FIRST_BYTES = 2048
const LEAST_REPEATED = 64
const PATIENCE_NS = 2e9
const NONE: readonly Layer7[] = []
const NOTHING: Reading = { found: NONE, rest: -1 }

/** At most 8 KiB of a stream are kept, for at most two seconds. */
export class Streams {
  readonly #most: number
  /** In the order in which they began. */
  readonly #waiting = new Map<string, Stream>()
  #givenUp = 0

  constructor({ most = MOST }: StreamsOptions = {}) {
    this.#most = most
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Takes one payload and returns what became readable with it. `offset` counts from the first byte of the stream that
   * was sent here; 0 begins anew. `total` is more than `length` when the payload was cut off. A datagram is whole,
   * and one of DNS.
   */
  add(
    cookie: string | number,
    ingress: boolean,
    kind: StreamKind,
    offset: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    nowNs: number,
    isDatagram = false,
    total = length,
  ): readonly Layer7[] {
    const size = endOf(bytes, at, length) - at
    if (size <= 0) return NONE
    if (isDatagram) return datagram(bytes, at, size)
    const isCut = total > length
    const key = `${cookie}${ingress ? '<' : '>'}`
    const stream = this.#waiting.size === 0 ? undefined : this.#waiting.get(key)
    if (stream?.kind === kind && stream.next === offset) return this.#more(key, stream, bytes, at, size, isCut)
    // A piece is missing, or something new begins: nothing will be added to what is there.
    const before = stream === undefined ? NONE : this.#finish(key, stream)
    // Messages of DNS follow each other; of the others only the beginning can be read.
    if (offset > 0 && kind !== 'dns') return before
    const { found, rest } = read(kind, bytes, at, size, isCut)
    if (rest >= 0) {
      const start = { cookie, ingress, kind, since: nowNs, next: offset + size }
      this.#wait(key, start, bytes, rest, at + size - rest)
    }
    return before.length === 0 ? found : [...before, ...found]
  }

  /**
   * Gives up the streams that have waited too long. Returns how many were given up since the last time with nothing to
   * show; what can be read of one goes to `late`, when somebody wants it.
   */
  expire(nowNs: number, late?: Late): number {
    for (const [key, stream] of this.#waiting) {
      if (nowNs - stream.since < PATIENCE_NS) break
      if (late === undefined) {
        this.#waiting.delete(key)
        this.#givenUp++
        continue
      }
      const found = this.#finish(key, stream)
      if (found.length > 0) late(stream.cookie, stream.ingress, found)
    }
    const givenUp = this.#givenUp
    this.#givenUp = 0
    return givenUp
  }

  #wait(key: string, start: Start, bytes: Uint8Array, at: number, length: number): void {
    if (this.#waiting.size >= this.#most) {
      this.#waiting.delete(this.#waiting.keys().next().value as string)
      this.#givenUp++
    }
    const stream: Stream = { ...start, bytes: Buffer.allocUnsafeSlow(FIRST_BYTES), length: 0, last: 0 }
    append(stream, bytes, at, length)
    this.#waiting.set(key, stream)
  }

  #more(key: string, stream: Stream, bytes: Uint8Array, at: number, length: number, isCut: boolean): readonly Layer7[] {
    stream.next += length
    if (isRepeated(stream, bytes, at, length)) return NONE
    const isAll = !append(stream, bytes, at, length) || isCut
    if (isAll) return this.#finish(key, stream)
    const { found, rest } = read(stream.kind, stream.bytes, 0, stream.length, false)
    if (rest < 0) {
      this.#waiting.delete(key)
    } else if (rest > 0) {
      stream.bytes.copyWithin(0, rest, stream.length)
      stream.length -= rest
      stream.last = Math.max(0, stream.last - rest)
    }
    return found
  }

  /** What can be read of a stream that gets nothing more. */
  #finish(key: string, { kind, bytes, length }: Stream): readonly Layer7[] {
    this.#waiting.delete(key)
    const { found } = read(kind, bytes, 0, length, true)
    if (found.length === 0) this.#givenUp++
    return found
  }
}

/** Nothing else is sent here that came in one. */
function datagram(bytes: Uint8Array, at: number, length: number): readonly Layer7[] {
  const message = parseDns(bytes, at, length)
  return message === undefined ? NONE : [{ kind: 'dns', message }]
}

function read(kind: StreamKind, bytes: Uint8Array, at: number, length: number, isAll: boolean): Reading {
  if (kind === 'tls') {
    const hello = parseClientHello(bytes, at, length, isAll)
    if (hello === undefined) return NOTHING
    return hello === 'incomplete' ? { found: NONE, rest: at } : { found: [{ kind, hello }], rest: -1 }
  }
  if (kind === 'http') {
    const { requests, rest } = readHttp(bytes, at, length, isAll)
    return { found: requests.map((request) => ({ kind, request })), rest }
  }
  const { messages, rest } = readDnsStream(bytes, at, length, isAll)
  if (messages.length > 0 || rest >= 0) return { found: messages.map((message) => ({ kind, message })), rest }
  // The length may have gone ahead in a segment of its own, which is too small to be looked at.
  return { found: datagram(bytes, at, length), rest: -1 }
}

/** False when there is no room for all of it. */
function append(stream: Stream, bytes: Uint8Array, at: number, length: number): boolean {
  const size = Math.min(length, MOST_BYTES - stream.length)
  if (stream.length + size > stream.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(MOST_BYTES)
    stream.bytes.copy(larger, 0, 0, stream.length)
    stream.bytes = larger
  }
  stream.bytes.set(bytes.subarray(at, at + size), stream.length)
  stream.last = stream.length
  stream.length += size
  return stream.length < MOST_BYTES
}

/**
 * A segment that is sent again is counted again: it has the offset of what should follow it. Only that with which a
 * greeting begins is looked for: others may well hold the same bytes as the one before, and be no repetition.
 */
function isRepeated({ kind, bytes, last, length }: Stream, again: Uint8Array, at: number, size: number): boolean {
  if (kind !== 'tls' || last !== 0 || size !== length || size < LEAST_REPEATED) return false
  return bytes.compare(again, at, at + size, 0, length) === 0
}
