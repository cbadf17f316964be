/**
 * Strings that were read before, found again by their bytes: a hash and a comparison cost less than a new string,
 * and the same string each time makes a quick key.
 *
 * Each place of the table holds the last text that fell on it. Whoever sends other texts all the time makes it
 * useless, never larger and never wrong.
 */
export class TextTable {
  readonly #slots: (string | undefined)[]
  readonly #mask: number
  readonly #longest: number

  /** `places` is a power of two; texts of more than `longest` bytes are not kept. */
  constructor(places: number, longest: number) {
    this.#slots = new Array<string | undefined>(places).fill(undefined)
    this.#mask = places - 1
    this.#longest = longest
  }

  /** The UTF-8 text of these bytes; what is not UTF-8 becomes U+FFFD. */
  read(bytes: Buffer, at: number, end: number): string {
    const length = end - at
    if (length === 0) return ''
    if (length > this.#longest) return bytes.toString('utf8', at, end)
    let hash = length
    for (let i = at; i < end; i++) {
      const byte = bytes[i] as number
      if (byte > 0x7f) return bytes.toString('utf8', at, end)
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    const slot = (hash ^ (hash >>> 15)) & this.#mask
    const known = this.#slots[slot]
    if (known !== undefined && known.length === length && isSame(known, bytes, at)) return known
    const text = bytes.toString('latin1', at, end)
    this.#slots[slot] = text
    return text
  }
}

function isSame(text: string, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[at + i]) return false
  return true
}
