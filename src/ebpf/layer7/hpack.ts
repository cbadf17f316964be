/** The compressed headers of HTTP/2 (RFC 7541), as far as the beginning of a connection needs them. */
import { decodeHuffman } from './huffman.ts'

/** The static table up to the last header that is of use here; the rest of it only has to have names. */
const STATIC: readonly (readonly [name: string, value: string])[] = [
  ...pairs(':authority=', ':method=GET', ':method=POST', ':path=/', ':path=/index.html', ':scheme=http'),
  ...pairs(':scheme=https', ':status=200', ':status=204', ':status=206', ':status=304', ':status=400', ':status=404'),
  ...pairs(':status=500', 'accept-charset=', 'accept-encoding=gzip, deflate', 'accept-language=', 'accept-ranges='),
  ...pairs('accept=', 'access-control-allow-origin=', 'age=', 'allow=', 'authorization=', 'cache-control='),
  ...pairs('content-disposition=', 'content-encoding=', 'content-language=', 'content-length=', 'content-location='),
  ...pairs('content-range=', 'content-type=', 'cookie=', 'date=', 'etag=', 'expect=', 'expires=', 'from=', 'host='),
  ...pairs('if-match=', 'if-modified-since=', 'if-none-match=', 'if-range=', 'if-unmodified-since=', 'last-modified='),
  ...pairs('link=', 'location=', 'max-forwards=', 'proxy-authenticate=', 'proxy-authorization=', 'range=', 'referer='),
  ...pairs('refresh=', 'retry-after=', 'server=', 'set-cookie=', 'strict-transport-security=', 'transfer-encoding='),
  ...pairs('user-agent=', 'vary=', 'via=', 'www-authenticate='),
]
const MOST_FIELDS = 128
const MOST_TABLE = 4096
/** What an entry of the table counts beside its texts. */
const ENTRY = 32

/** In the place of a header: the table has another size from here on. */
const RESIZED: readonly [string, string] = ['', '']

const decoded = new Uint8Array(16_384)

function pairs(...texts: string[]): [string, string][] {
  return texts.map((text) => {
    const equals = text.indexOf('=')
    return [text.slice(0, equals), text.slice(equals + 1)]
  })
}

interface Place {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
}

/** One direction of one connection: headers are remembered from block to block. */
export class HeaderTable {
  /** The newest first. */
  readonly #entries: (readonly [name: string, value: string])[] = []
  #size = 0
  #most = MOST_TABLE

  /** The first value of each header of a block, as latin1; undefined when it is none. */
  decode(bytes: Uint8Array, at: number, end: number): ReadonlyMap<string, string> | undefined {
    const place: Place = { bytes, at, end }
    const headers = new Map<string, string>()
    for (let i = 0; place.at < end; i++) {
      const field = i < MOST_FIELDS ? this.#field(place) : undefined
      if (field === undefined) return undefined
      if (field !== RESIZED && !headers.has(field[0])) headers.set(field[0], field[1])
    }
    return headers
  }

  #field(place: Place): readonly [string, string] | undefined {
    const first = place.bytes[place.at] as number
    if ((first & 0x80) !== 0) return this.#entry(integer(place, 7))
    if (first >> 5 !== 1) return this.#literal(place, first)
    return this.#resize(integer(place, 5)) ? RESIZED : undefined
  }

  #literal(place: Place, first: number): readonly [string, string] | undefined {
    const isKept = (first & 0x40) !== 0
    const index = integer(place, isKept ? 6 : 4)
    if (index === undefined) return undefined
    const name = index === 0 ? string(place) : this.#entry(index)?.[0]
    const value = name === undefined ? undefined : string(place)
    if (name === undefined || value === undefined) return undefined
    if (isKept) this.#add(name, value)
    return [name, value]
  }

  #entry(index: number | undefined): readonly [string, string] | undefined {
    if (index === undefined || index === 0) return undefined
    return index <= STATIC.length ? STATIC[index - 1] : this.#entries[index - STATIC.length - 1]
  }

  #add(name: string, value: string): void {
    this.#entries.unshift([name, value])
    this.#size += name.length + value.length + ENTRY
    this.#shrink()
  }

  #resize(most: number | undefined): boolean {
    if (most === undefined || most > MOST_TABLE) return false
    this.#most = most
    this.#shrink()
    return true
  }

  #shrink(): void {
    while (this.#size > this.#most) {
      const [name, value] = this.#entries.pop() as readonly [string, string]
      this.#size -= name.length + value.length + ENTRY
    }
  }
}

/** A number that begins in the lower `bits` of a byte; at most four more follow. */
function integer(place: Place, bits: number): number | undefined {
  const { bytes, end } = place
  const mask = (1 << bits) - 1
  let value = (bytes[place.at++] as number) & mask
  if (value < mask) return value
  for (let shift = 0; shift < 28; shift += 7) {
    if (place.at >= end) return undefined
    const byte = bytes[place.at++] as number
    value += (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  return undefined
}

function string(place: Place): string | undefined {
  const { bytes, end } = place
  if (place.at >= end) return undefined
  const isHuffman = ((bytes[place.at] as number) & 0x80) !== 0
  const length = integer(place, 7)
  if (length === undefined || place.at + length > end) return undefined
  const from = place.at
  place.at += length
  if (!isHuffman) return latin1(bytes, from, length)
  const size = decodeHuffman(bytes, from, place.at, decoded)
  return size === undefined ? undefined : latin1(decoded, 0, size)
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1')
}
