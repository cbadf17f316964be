/**
 * Builds one document after the other out of numbered fields.
 *
 * A field is set by number, in any order, the last one winning; a bit for each says which are set. Writing walks the
 * bits, so the fields come out in the order of the tree, and the text between two of them (`},"process":{"pid":`) is
 * made once for each pair.
 */
import { FIELDS } from './fields.ts'
import { quote } from './text.ts'

const COUNT = FIELDS.length
const WORDS = (COUNT + 31) >> 5
const BEGIN = COUNT

const isMap = Uint8Array.from(FIELDS, ({ type }) => (type === 'flat' || type === 'opaque' ? 1 : 0))

/** By the field before (`BEGIN` for none), then by the field after. */
const between: string[][] = Array.from({ length: COUNT + 1 }, () => [])
const endings: string[] = []

export class DocumentBuilder {
  readonly #texts: string[] = new Array(COUNT).fill('')
  readonly #bits = new Int32Array(WORDS)

  /** Sets a field to JSON text. */
  set(field: number, text: string): void {
    this.#texts[field] = text
    const word = field >> 5
    this.#bits[word] = (this.#bits[word] as number) | (1 << (field & 31))
  }

  has(field: number): boolean {
    return ((this.#bits[field >> 5] as number) & (1 << (field & 31))) !== 0
  }

  /** Adds `"key":value` pairs to a field that is a map. */
  add(field: number, entries: string): void {
    this.set(field, this.has(field) ? `${this.#texts[field]},${entries}` : entries)
  }

  /** Whether a map may have a key already: never false when it has. */
  mayHold(field: number, entry: string): boolean {
    return this.has(field) && (this.#texts[field] as string).includes(entry)
  }

  /** The document, as JSON text; the next one starts empty. */
  finish(): string {
    let text = ''
    let last = BEGIN
    for (let word = 0; word < WORDS; word++) {
      let bits = this.#bits[word] as number
      this.#bits[word] = 0
      while (bits !== 0) {
        const lowest = bits & -bits
        bits ^= lowest
        const field = (word << 5) + 31 - Math.clz32(lowest)
        text += (between[last] as string[])[field] ?? makeBetween(last, field)
        text += this.#texts[field] as string
        last = field
      }
    }
    return last === BEGIN ? '{}' : text + (endings[last] ?? makeEnding(last))
  }
}

/** What stands between the value of one field and that of another: closed maps, a comma, opened maps, the name. */
function makeBetween(from: number, to: number): string {
  const after = FIELDS[to]?.path as readonly string[]
  const before = from === BEGIN ? undefined : FIELDS[from]?.path
  let shared = 0
  while (before !== undefined && before[shared] === after[shared]) shared += 1
  const closed = before === undefined ? '' : closing(from, before.length - 1 - shared)
  const opened = after.slice(shared, -1).map((name) => `${quote(name)}:{`)
  const own = `${quote(after.at(-1) as string)}:${isMap[to] === 1 ? '{' : ''}`
  const text = `${closed}${before === undefined ? '{' : ','}${opened.join('')}${own}`
  ;(between[from] as string[])[to] = text
  return text
}

function makeEnding(from: number): string {
  const text = `${closing(from, (FIELDS[from]?.path.length as number) - 1)}}`
  endings[from] = text
  return text
}

function closing(from: number, levels: number): string {
  return '}'.repeat(levels + (isMap[from] as number))
}
