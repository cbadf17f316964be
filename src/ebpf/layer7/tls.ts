/** The first message of a TLS client: whom it wants to speak to, and what kind of program it is by what it offers. */
import { ja4 } from './ja4.ts'
import { big16, big24, cleanText, endOf } from './text.ts'

export interface ClientHello {
  /** In small letters. With `hasEch` it may be that of a front, with the real one encrypted. */
  readonly serverName: string | undefined
  readonly alpn: readonly string[]
  /** An encrypted greeting is inside, or something that is to look like one: some browsers always send that. */
  readonly hasEch: boolean
  /** The newest that the client speaks: `1.3`, `1.2`. */
  readonly version: string
  /** The fingerprint JA4; empty when not all of the greeting was seen. */
  readonly ja4: string
}

/** Numbers of the greeting, as the fingerprint needs them. */
export interface Offer {
  version: number
  hasServerName: boolean
  readonly ciphers: number[]
  readonly extensions: number[]
  readonly signatures: number[]
  /** The first protocol that is offered. */
  protocol: Uint8Array | undefined
}

interface Draft extends Offer {
  serverName: string | undefined
  readonly alpn: string[]
  hasEch: boolean
}

const HANDSHAKE = 22
const CLIENT_HELLO = 1
const RECORD_HEADER = 5
const MESSAGE_HEADER = 4
/** A record holds 16 KiB, and some encoders go over it by a little. */
const MOST_RECORD = 16_384 + 256
const MOST_MESSAGE = 65_536
const MOST_GATHERED = 8192
const MOST_PROTOCOLS = 16
const MOST_NAME = 255
const EXTENSION = { serverName: 0, signatures: 13, alpn: 16, versions: 43, ech: 0xfe0d } as const
const VERSIONS: Readonly<Record<number, string>> = {
  768: 'SSL 3.0',
  769: '1.0',
  770: '1.1',
  771: '1.2',
  772: '1.3',
  // Drafts of 1.3 and its trials are of no use to anybody who reads records.
}

const gathered = new Uint8Array(MOST_GATHERED)

/** A message in `bytes` from `at`; `end` is where it ends, or where what is there of it ends. */
interface Message {
  readonly bytes: Uint8Array
  readonly at: number
  readonly end: number
  readonly isWhole: boolean
}

/**
 * The greeting at the beginning of a stream; undefined when it is none. With `isAll`, which says that nothing more will
 * come, a greeting that is cut off gives what can be read of it.
 */
export function parseClientHello(
  bytes: Uint8Array,
  at: number,
  length: number,
  isAll = false,
): ClientHello | 'incomplete' | undefined {
  const end = endOf(bytes, at, length)
  if (end < at) return undefined
  const message = findMessage(bytes, at, end)
  if (message === undefined) return undefined
  if (!message.isWhole && !isAll) return 'incomplete'
  const draft: Draft = {
    version: 0,
    serverName: undefined,
    hasServerName: false,
    alpn: [],
    protocol: undefined,
    hasEch: false,
    ciphers: [],
    extensions: [],
    signatures: [],
  }
  const isRead = readHello(draft, message)
  // Cut off before its first list, it says nothing.
  if (!isRead && (message.isWhole || draft.ciphers.length === 0)) return undefined
  return {
    serverName: draft.serverName,
    alpn: draft.alpn,
    hasEch: draft.hasEch,
    version: VERSIONS[draft.version] ?? `0x${draft.version.toString(16).padStart(4, '0')}`,
    ja4: isRead ? ja4(draft) : '',
  }
}

/** The message lies in one record, nearly always; else its parts are put together elsewhere. */
function findMessage(bytes: Uint8Array, at: number, end: number): Message | undefined {
  const first = recordAt(bytes, at, end)
  if (first === 'none') return undefined
  const start = at + RECORD_HEADER
  if (first === 'cut') return { bytes, at: end, end, isWhole: false }
  if (start < end && bytes[start] !== CLIENT_HELLO) return undefined
  if (first < MESSAGE_HEADER) return gather(bytes, at, end)
  if (start + MESSAGE_HEADER > end) return { bytes, at: end, end, isWhole: false }
  const size = MESSAGE_HEADER + big24(bytes, start + 1)
  if (size > MOST_MESSAGE) return undefined
  if (size > first) return gather(bytes, at, end)
  return { bytes, at: start + MESSAGE_HEADER, end: Math.min(start + size, end), isWhole: start + size <= end }
}

/** How long the content of the record is. */
function recordAt(bytes: Uint8Array, at: number, end: number): number | 'cut' | 'none' {
  if (at < end && bytes[at] !== HANDSHAKE) return 'none'
  if (at + 1 < end && bytes[at + 1] !== 3) return 'none'
  if (at + RECORD_HEADER > end) return 'cut'
  const length = big16(bytes, at + 3)
  return length > 0 && length <= MOST_RECORD ? length : 'none'
}

function gather(bytes: Uint8Array, at: number, end: number): Message | undefined {
  let size = 0
  let wanted = MESSAGE_HEADER
  while (size < wanted && size < MOST_GATHERED) {
    const length = recordAt(bytes, at, end)
    if (length === 'none') return undefined
    if (length === 'cut') break
    at += RECORD_HEADER
    const part = bytes.subarray(at, Math.min(at + length, end, at + MOST_GATHERED - size))
    gathered.set(part, size)
    size += part.length
    at += length
    if (size >= MESSAGE_HEADER) wanted = MESSAGE_HEADER + big24(gathered, 1)
  }
  if ((size > 0 && gathered[0] !== CLIENT_HELLO) || wanted > MOST_MESSAGE) return undefined
  const start = Math.min(MESSAGE_HEADER, size)
  return { bytes: gathered, at: start, end: Math.min(wanted, size), isWhole: size >= wanted }
}

/** Fills the draft as far as the message reaches; true when all of it could be read. */
function readHello(draft: Draft, { bytes, at, end }: Message): boolean {
  const session = at + 34
  if (session >= end) return false
  draft.version = big16(bytes, at)
  const ciphers = session + 1 + (bytes[session] as number)
  if (ciphers + 2 > end) return false
  const methods = ciphers + 2 + big16(bytes, ciphers)
  addNumbers(draft.ciphers, bytes, ciphers + 2, Math.min(methods, end))
  if (methods >= end) return false
  const extensions = methods + 1 + (bytes[methods] as number)
  // The oldest clients have none.
  if (extensions === end) return true
  if (extensions + 2 > end) return false
  const after = extensions + 2 + big16(bytes, extensions)
  const isRead = readExtensions(draft, bytes, extensions + 2, Math.min(after, end))
  return isRead && after === end
}

function readExtensions(draft: Draft, bytes: Uint8Array, at: number, end: number): boolean {
  while (at + 4 <= end) {
    const type = big16(bytes, at)
    const data = at + 4
    const after = data + big16(bytes, at + 2)
    if (!isGrease(type)) draft.extensions.push(type)
    if (after > end) return false
    readExtension(draft, type, bytes, data, after)
    at = after
  }
  return at === end
}

function readExtension(draft: Draft, type: number, bytes: Uint8Array, at: number, end: number): void {
  if (type === EXTENSION.serverName) {
    draft.hasServerName = true
    draft.serverName ??= serverName(bytes, at, end)
  } else if (type === EXTENSION.alpn) {
    readProtocols(draft, bytes, at + 2, end)
  } else if (type === EXTENSION.versions) {
    const versions: number[] = []
    addNumbers(versions, bytes, at + 1, end)
    if (versions.length > 0) draft.version = Math.max(...versions)
  } else if (type === EXTENSION.signatures) {
    addNumbers(draft.signatures, bytes, at + 2, end)
  } else if (type === EXTENSION.ech) {
    draft.hasEch = true
  }
}

/** The first name of the list that is one of a host, which is the only kind there is. */
function serverName(bytes: Uint8Array, at: number, end: number): string | undefined {
  if (at + 5 > end || bytes[at + 2] !== 0) return undefined
  const length = Math.min(big16(bytes, at + 3), end - at - 5)
  return length > 0 ? cleanText(bytes, at + 5, length, MOST_NAME).toLowerCase() : undefined
}

function readProtocols(draft: Draft, bytes: Uint8Array, at: number, end: number): void {
  while (at < end && draft.alpn.length < MOST_PROTOCOLS) {
    const length = bytes[at] as number
    const after = at + 1 + length
    if (length === 0 || after > end) return
    draft.protocol ??= bytes.slice(at + 1, after)
    if (length !== 2 || !isGrease(big16(bytes, at + 1))) draft.alpn.push(cleanText(bytes, at + 1, length, MOST_NAME))
    at = after
  }
}

function addNumbers(numbers: number[], bytes: Uint8Array, at: number, end: number): void {
  for (; at + 2 <= end; at += 2) {
    const number = big16(bytes, at)
    if (!isGrease(number)) numbers.push(number)
  }
}

/** Numbers that clients put in at random so that servers get used to new ones (RFC 8701): 0x0a0a, 0x1a1a and so on. */
function isGrease(number: number): boolean {
  return (number & 0x0f0f) === 0x0a0a && number >> 8 === (number & 0xff)
}
