/** The headers of an HTTP/1 request: those that say where it goes, who sends it and where it ends. */
import { cleanText } from './text.ts'

export interface Head {
  host: string | undefined
  userAgent: string | undefined
  /** Bytes of the body; undefined when only reading it would tell. */
  body: number | undefined
}

const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9
const MOST_VALUE = 2048

export function emptyHead(): Head {
  return { host: undefined, userAgent: undefined, body: 0 }
}

/** Reads headers up to the empty line; returns where the body begins, or -1 when the head is not whole. */
export function readHead(bytes: Uint8Array, at: number, end: number, head: Head): number {
  for (let from = at; ; ) {
    const lineEnd = lineAfter(bytes, from, end)
    // Half a name of a host would be that of another.
    if (lineEnd < 0) return -1
    const to = trimmed(bytes, from, lineEnd)
    if (to === from) return lineEnd + 1
    readHeader(bytes, from, to, head)
    from = lineEnd + 1
  }
}

export function lineAfter(bytes: Uint8Array, at: number, end: number): number {
  // Not `indexOf`, which would look on behind the end.
  for (let i = at; i < end; i++) if (bytes[i] === LF) return i
  return -1
}

/** The end of a line without what ends it. */
export function trimmed(bytes: Uint8Array, at: number, lineEnd: number): number {
  let end = lineEnd
  while (end > at && isBlank(bytes[end - 1] as number)) end--
  return end
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR
}

/** All names that do not matter cost one comparison. */
function readHeader(bytes: Uint8Array, at: number, end: number, head: Head): void {
  switch ((bytes[at] as number) | 0x20) {
    case 0x68:
      head.host ??= headerValue(bytes, at, end, 'host:')
      break
    case 0x75:
      head.userAgent ??= headerValue(bytes, at, end, 'user-agent:')
      break
    case 0x63:
      head.body = bodyOf(head.body, headerValue(bytes, at, end, 'content-length:'))
      break
    case 0x74:
      if (headerValue(bytes, at, end, 'transfer-encoding:') !== undefined) head.body = undefined
      break
  }
}

/** The value of a header when this is its name. */
function headerValue(bytes: Uint8Array, at: number, end: number, name: string): string | undefined {
  if (at + name.length > end) return undefined
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[at + i] as number
    if ((byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte) !== name.charCodeAt(i)) return undefined
  }
  let from = at + name.length
  while (from < end && isBlank(bytes[from] as number)) from++
  return cleanText(bytes, from, end - from, MOST_VALUE)
}

/** Undefined when the body has no length that all would agree on. */
function bodyOf(known: number | undefined, text: string | undefined): number | undefined {
  if (text === undefined || known === undefined) return known
  if (!/^\d{1,15}$/.test(text)) return undefined
  const length = Number(text)
  return known === 0 || known === length ? length : undefined
}
