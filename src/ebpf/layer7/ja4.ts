/** The fingerprint JA4 of a TLS client: programs that share a library and its settings share it. */
import { hash } from 'node:crypto'
import type { Offer } from './tls.ts'

const VERSIONS: Readonly<Record<number, string>> = { 2: 's2', 768: 's3', 769: '10', 770: '11', 771: '12', 772: '13' }
const SERVER_NAME = 0
const ALPN = 16
const NOTHING = '000000000000'
const MOST_HASHES = 1024
const hashes = new Map<string, string>()

export function ja4(offer: Offer): string {
  const { ciphers, extensions, signatures } = offer
  const kept = extensions.filter((type) => type !== SERVER_NAME && type !== ALPN)
  const signed = signatures.length === 0 ? '' : `_${listed(signatures)}`
  const head = `t${VERSIONS[offer.version] ?? '00'}${offer.hasServerName ? 'd' : 'i'}${count(ciphers)}${count(extensions)}`
  const first = ciphers.length === 0 ? NOTHING : hashed(listed(sorted(ciphers)))
  const second = extensions.length === 0 ? NOTHING : hashed(listed(sorted(kept)) + signed)
  return `${head}${ends(offer.protocol)}_${first}_${second}`
}

function count({ length }: readonly number[]): string {
  return String(Math.min(length, 99)).padStart(2, '0')
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b)
}

function listed(numbers: readonly number[]): string {
  let text = ''
  for (const number of numbers) text += `${text === '' ? '' : ','}${number.toString(16).padStart(4, '0')}`
  return text
}

/** First and last character of a protocol; of the bytes in hexadecimal when one of them is no letter or digit. */
function ends(protocol: Uint8Array | undefined): string {
  if (protocol === undefined || protocol.length === 0) return '00'
  const first = protocol[0] as number
  const last = protocol[protocol.length - 1] as number
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last)
  return `${(first >> 4).toString(16)}${(last & 15).toString(16)}`
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

/** Few kinds of clients make most connections. */
function hashed(text: string): string {
  const known = hashes.get(text)
  if (known !== undefined) return known
  const made = hash('sha256', text, 'hex').slice(0, 12)
  if (hashes.size >= MOST_HASHES) hashes.clear()
  hashes.set(text, made)
  return made
}
