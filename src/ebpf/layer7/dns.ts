/** DNS messages: what was asked and what was answered. Reads whatever came over the network, and never throws. */
import { rdataText, typeName } from './dns-data.ts'
import { type Cursor, readName, skipName } from './dns-name.ts'
import { big16, big32, endOf } from './text.ts'

export interface DnsQuestion {
  /** In small letters, without the last dot. */
  readonly name: string
  readonly type: string
}

export interface DnsAnswer extends DnsQuestion {
  readonly data: string
  /** In seconds. */
  readonly ttl: number
}

export interface DnsMessage {
  readonly id: number
  readonly isResponse: boolean
  /** NOERROR, NXDOMAIN and so on. */
  readonly rcode: string
  readonly questions: readonly DnsQuestion[]
  readonly answers: readonly DnsAnswer[]
  /** The server cut it off, or not all of it was seen, or it announces more than it holds. */
  readonly isTruncated: boolean
}

const HEADER = 12
const MOST_QUESTIONS = 16
const MOST_ANSWERS = 64
/** Records behind the answers among which the extension of the response code is looked for. */
const MOST_SKIPPED = 64
const MOST_MESSAGES = 32
const RESPONSE = 0x8000
const TRUNCATED = 0x0200
const RESERVED = 0x0040
const OPT = 41
/** Query, status, notify, update, stateful operations: anything else on the port is no DNS. */
const OPCODES = new Set([0, 2, 4, 5, 6])

const RCODES: readonly (string | undefined)[] = [
  ...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH'],
  ...['NOTZONE', 'DSOTYPENI', undefined, undefined, undefined, undefined, 'BADVERS', 'BADKEY', 'BADTIME', 'BADMODE'],
  ...['BADNAME', 'BADALG', 'BADTRUNC', 'BADCOOKIE'],
]

/** The message in the payload of one datagram; undefined when it is none. */
export function parseDns(bytes: Uint8Array, at: number, length: number): DnsMessage | undefined {
  const end = endOf(bytes, at, length)
  if (end - at < HEADER) return undefined
  const flags = big16(bytes, at + 2)
  if ((flags & RESERVED) !== 0 || !OPCODES.has((flags >> 11) & 15)) return undefined
  const isResponse = (flags & RESPONSE) !== 0
  const announced = big16(bytes, at + 4)
  if (announced === 0 && !isResponse) return undefined
  const cursor: Cursor = { bytes, start: at, end, at: at + HEADER }
  const questions: DnsQuestion[] = []
  let isWhole = readQuestions(cursor, announced, questions)
  if (announced > 0 && questions.length === 0) return undefined
  const answers: DnsAnswer[] = []
  isWhole &&= readAnswers(cursor, big16(bytes, at + 6), answers)
  const others = big16(bytes, at + 8) + big16(bytes, at + 10)
  const extended = isWhole && isResponse && others > 0 ? extendedCode(cursor, others) : 0
  const code = (extended << 4) | (flags & 15)
  return {
    id: big16(bytes, at),
    isResponse,
    rcode: RCODES[code] ?? `RCODE${code}`,
    questions,
    answers,
    isTruncated: !isWhole || (flags & TRUNCATED) !== 0,
  }
}

/** The messages in bytes of a stream, each behind its length; the last one may be cut off, and is then truncated. */
export function parseDnsTcp(bytes: Uint8Array, at: number, length: number): DnsMessage[] {
  return readDnsStream(bytes, at, length, true).messages
}

/** The messages, and where one begins that is not whole: -1 when there is none. `isAll`: nothing more will come. */
export function readDnsStream(
  bytes: Uint8Array,
  at: number,
  length: number,
  isAll: boolean,
): { readonly messages: DnsMessage[]; readonly rest: number } {
  const end = endOf(bytes, at, length)
  const messages: DnsMessage[] = []
  for (let from = at; from < end && messages.length < MOST_MESSAGES; ) {
    const after = from + 2 + (end - from < 2 ? HEADER : big16(bytes, from))
    const isWhole = after <= end
    if (!isWhole && !isAll) return { messages, rest: from }
    const message = parseDns(bytes, from + 2, Math.min(after, end) - from - 2)
    if (message === undefined) break
    messages.push(isWhole ? message : { ...message, isTruncated: true })
    from = after
  }
  return { messages, rest: -1 }
}

/** False when not all could be read. */
function readQuestions(cursor: Cursor, announced: number, questions: DnsQuestion[]): boolean {
  for (let i = 0; i < announced; i++) {
    if (i === MOST_QUESTIONS) return false
    const name = readName(cursor)
    if (name === undefined || cursor.at + 4 > cursor.end) return false
    questions.push({ name, type: typeName(big16(cursor.bytes, cursor.at)) })
    cursor.at += 4
  }
  return true
}

/** False when not all could be read. */
function readAnswers(cursor: Cursor, announced: number, answers: DnsAnswer[]): boolean {
  for (let i = 0; i < announced; i++) {
    if (i === MOST_ANSWERS) return false
    const name = readName(cursor)
    if (name === undefined || cursor.at + 10 > cursor.end) return false
    const { bytes, at } = cursor
    const data = at + 10
    const after = data + big16(bytes, at + 8)
    if (after > cursor.end) return false
    const type = big16(bytes, at)
    // A time of life with its highest bit set counts as none (RFC 2181).
    const ttl = big32(bytes, at + 4)
    answers.push({ name, type: typeName(type), data: rdataText(cursor, type, data, after), ttl: ttl >>> 31 ? 0 : ttl })
    cursor.at = after
  }
  return true
}

/** The upper bits of the response code, from the record of EDNS. */
function extendedCode(cursor: Cursor, records: number): number {
  const { bytes, end } = cursor
  for (let i = 0; i < records && i < MOST_SKIPPED; i++) {
    if (!skipName(cursor) || cursor.at + 10 > end) return 0
    if (big16(bytes, cursor.at) === OPT) return bytes[cursor.at + 4] as number
    cursor.at += 10 + big16(bytes, cursor.at + 8)
  }
  return 0
}
