/** What a DNS record holds, as text in the form of zone files. */
import { ipv4, ipv6 } from './address.ts'
import { type Cursor, readName } from './dns-name.ts'
import { big16, big32, cleanText } from './text.ts'

const TYPES: Readonly<Record<number, string>> = {
  ...{ 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 10: 'NULL', 12: 'PTR', 13: 'HINFO', 15: 'MX', 16: 'TXT', 17: 'RP' },
  ...{ 24: 'SIG', 25: 'KEY', 28: 'AAAA', 29: 'LOC', 33: 'SRV', 35: 'NAPTR', 39: 'DNAME', 41: 'OPT', 43: 'DS' },
  ...{ 44: 'SSHFP', 46: 'RRSIG', 47: 'NSEC', 48: 'DNSKEY', 50: 'NSEC3', 51: 'NSEC3PARAM', 52: 'TLSA', 53: 'SMIMEA' },
  ...{ 59: 'CDS', 60: 'CDNSKEY', 61: 'OPENPGPKEY', 62: 'CSYNC', 63: 'ZONEMD', 64: 'SVCB', 65: 'HTTPS', 99: 'SPF' },
  ...{ 249: 'TKEY', 250: 'TSIG', 251: 'IXFR', 252: 'AXFR', 255: 'ANY', 256: 'URI', 257: 'CAA' },
}
const MOST_TEXT = 512
const MOST_OTHER = 64
const MOST_PARAMETERS = 16

export function typeName(type: number): string {
  return TYPES[type] ?? `TYPE${type}`
}

type Writer = (cursor: Cursor, at: number, end: number) => string | undefined

const WRITERS: Readonly<Record<number, Writer>> = {
  1: ({ bytes }, at, end) => (end - at === 4 ? ipv4(bytes, at) : undefined),
  2: nameAt,
  5: nameAt,
  6: soa,
  12: nameAt,
  15: (cursor, at, end) => numbered(cursor, at, end, 1),
  16: strings,
  28: ({ bytes }, at, end) => (end - at === 16 ? ipv6(bytes, at) : undefined),
  33: (cursor, at, end) => numbered(cursor, at, end, 3),
  39: nameAt,
  64: service,
  65: service,
  99: strings,
}

/** The data between `at` and `end`; types that have no form of their own as in RFC 3597. Leaves the cursor anywhere. */
export function rdataText(cursor: Cursor, type: number, at: number, end: number): string {
  return WRITERS[type]?.(cursor, at, end) ?? unknown(cursor, at, end)
}

function unknown({ bytes }: Cursor, at: number, end: number): string {
  const size = Math.min(end - at, MOST_OTHER)
  const hex = Buffer.from(bytes.subarray(at, at + size)).toString('hex')
  return `\\# ${end - at}${size === 0 ? '' : ` ${hex}`}${size < end - at ? '…' : ''}`
}

function nameAt(cursor: Cursor, at: number, end: number): string | undefined {
  cursor.at = at
  const name = readName(cursor)
  return cursor.at <= end ? name : undefined
}

/** A name behind numbers of 16 bits: MX, SRV. */
function numbered(cursor: Cursor, at: number, end: number, numbers: number): string | undefined {
  if (end - at < numbers * 2) return undefined
  let text = ''
  for (let i = 0; i < numbers; i++) text += `${big16(cursor.bytes, at + i * 2)} `
  const name = nameAt(cursor, at + numbers * 2, end)
  return name === undefined ? undefined : text + name
}

function soa(cursor: Cursor, at: number, end: number): string | undefined {
  const server = nameAt(cursor, at, end)
  if (server === undefined) return undefined
  const mail = nameAt(cursor, cursor.at, end)
  if (mail === undefined || cursor.at + 4 > end) return undefined
  return `${server} ${mail} ${big32(cursor.bytes, cursor.at)}`
}

function strings({ bytes }: Cursor, at: number, end: number): string {
  let text = ''
  while (at < end && text.length < MOST_TEXT) {
    const length = Math.min(bytes[at] as number, end - at - 1)
    text += cleanText(bytes, at + 1, length, MOST_TEXT - text.length)
    at += 1 + length
  }
  return text
}

/** RFC 9460: the target, and of its parameters those that say where a connection goes. */
function service(cursor: Cursor, at: number, end: number): string | undefined {
  const { bytes } = cursor
  let text = numbered(cursor, at, end, 1)
  if (text === undefined) return undefined
  for (let i = 0, next = cursor.at; i < MOST_PARAMETERS && next + 4 <= end; i++) {
    const data = next + 4
    const after = data + big16(bytes, next + 2)
    if (after > end) return undefined
    text += parameter(bytes, big16(bytes, next), data, after)
    next = after
  }
  return text
}

function parameter(bytes: Uint8Array, key: number, at: number, end: number): string {
  if (key === 1)
    return ` alpn=${listed(
      at,
      end,
      (i) => 1 + (bytes[i] as number),
      (i, to) => cleanText(bytes, i + 1, to - i - 1, 32),
    )}`
  if (key === 3) return end - at === 2 ? ` port=${big16(bytes, at)}` : ''
  if (key === 4)
    return ` ipv4hint=${listed(
      at,
      end,
      () => 4,
      (i) => ipv4(bytes, i),
    )}`
  if (key === 5) return ' ech'
  return key === 6
    ? ` ipv6hint=${listed(
        at,
        end,
        () => 16,
        (i) => ipv6(bytes, i),
      )}`
    : ''
}

function listed(
  at: number,
  end: number,
  size: (at: number) => number,
  text: (at: number, to: number) => string,
): string {
  const parts: string[] = []
  for (let to = at; at < end && parts.length < 16; at = to) {
    to = at + size(at)
    if (to > end) break
    parts.push(text(at, to))
  }
  return parts.join(',')
}
