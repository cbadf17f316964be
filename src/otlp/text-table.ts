/**
 * Strings that were read before, found again by their bytes: a hash and a comparison, four bytes at a time, cost
 * less than a new string, and the same string each time makes a quick key.
 *
 * Each place of the table holds the last text that fell on it. Whoever sends other texts all the time makes it
 * useless, never larger and never wrong.
 */
export class TextTable {
  readonly #texts: (string | undefined)[]
  /** What each text was read from, as words; the length is part of the comparison. */
  readonly #words: Uint32Array
  readonly #lengths: Uint8Array
  readonly #mask: number
  readonly #longest: number
  readonly #wordsEach: number

  /** `places` is a power of two; texts of more than `longest` bytes are not kept. */
  constructor(places: number, longest: number) {
    this.#texts = new Array<string | undefined>(places).fill(undefined)
    this.#wordsEach = Math.ceil(longest / 4)
    this.#words = new Uint32Array(places * this.#wordsEach)
    this.#lengths = new Uint8Array(places)
    this.#mask = places - 1
    this.#longest = longest
  }

  /** The UTF-8 text of these bytes, seen in two ways; what is not UTF-8 becomes U+FFFD. */
  read(bytes: Buffer, view: DataView, at: number, end: number): string {
    const length = end - at
    if (length < 4) return length === 0 ? '' : bytes.toString('utf8', at, end)
    if (length > this.#longest) return bytes.toString('utf8', at, end)
    // The last word overlaps the one before where the length is no multiple of four.
    const last = end - 4
    let hash = Math.imul(length ^ view.getUint32(last, true), 0x9e3779b1)
    for (let i = at; i < last; i += 4) hash = Math.imul(hash ^ (hash >>> 15) ^ view.getUint32(i, true), 0x85ebca6b)
    const place = (hash ^ (hash >>> 17)) & this.#mask
    const known = this.#texts[place]
    if (known !== undefined && this.#lengths[place] === length && this.#isSame(place, view, at, last)) return known
    return this.#keep(place, view, at, last, bytes.toString('utf8', at, end))
  }

  #isSame(place: number, view: DataView, at: number, last: number): boolean {
    const words = this.#words
    let word = place * this.#wordsEach
    for (let i = at; i < last; i += 4) if (words[word++] !== view.getUint32(i, true)) return false
    return words[word] === view.getUint32(last, true)
  }

  #keep(place: number, view: DataView, at: number, last: number, text: string): string {
    let word = place * this.#wordsEach
    for (let i = at; i < last; i += 4) this.#words[word++] = view.getUint32(i, true)
    this.#words[word] = view.getUint32(last, true)
    this.#lengths[place] = last + 4 - at
    this.#texts[place] = text
    return text
  }
}
