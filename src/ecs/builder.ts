/**
 * Builds one document after the other out of numbered fields.
 *
 * A field is set by number, in any order, the last one winning; a bit for each says which are set. Documents of one
 * kind set the same fields, so what stands between two values (`},"process":{"pid":`), with every field that is the
 * same for all of the kind, is made once for each set of fields that occurs.
 */

import { quote } from '../records/json-text.ts'
import { FIELDS } from './fields.ts'

const COUNT = FIELDS.length
const WORDS = (COUNT + 31) >> 5

const isMap = Uint8Array.from(FIELDS, ({ type }) => (type === 'flat' || type === 'opaque' ? 1 : 0))

/** One set of fields: the texts around their values. */
interface Layout {
  readonly bits: Int32Array
  readonly fields: readonly number[]
  /** One more than fields: the first opens the document, the last closes it. */
  readonly around: readonly string[]
}

/** Layouts that are remembered, over all kinds. Events decide how many there are, so they are forgotten now and then. */
const MAX_LAYOUTS = 1024
let remembered = 0
let generation = 0

/** What documents of one kind have in common: fields with the same text in each. */
export class Kind {
  readonly texts: readonly (string | undefined)[]
  readonly #layouts = new Map<number, Layout>()
  #generation = generation

  constructor(parts: Iterable<readonly [field: number, text: string]>) {
    const texts: (string | undefined)[] = new Array(COUNT).fill(undefined)
    for (const [field, text] of parts) texts[field] = text
    this.texts = texts
  }

  layout(bits: Int32Array): Layout {
    if (this.#generation !== generation) {
      this.#layouts.clear()
      this.#generation = generation
    }
    let hash = 0
    for (let i = 0; i < WORDS; i++) hash = Math.imul(hash ^ (bits[i] as number), 0x9e3779b1) ^ (hash >>> 15)
    const known = this.#layouts.get(hash)
    if (known !== undefined && isSame(known.bits, bits)) return known
    const made = makeLayout(this.texts, bits)
    this.#layouts.set(hash, made)
    remembered += 1
    if (remembered > MAX_LAYOUTS) {
      remembered = 0
      generation += 1
    }
    return made
  }
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < WORDS; i++) if (a[i] !== b[i]) return false
  return true
}

const NOTHING = new Kind([])

export class DocumentBuilder {
  readonly #texts: string[] = new Array(COUNT).fill('')
  readonly #bits = new Int32Array(WORDS)
  #kind = NOTHING

  /** Begins a document of a kind. */
  begin(kind: Kind): void {
    this.#kind = kind
  }

  /** Sets a field to JSON text. */
  set(field: number, text: string): void {
    this.#texts[field] = text
    const word = field >> 5
    this.#bits[word] = (this.#bits[word] as number) | (1 << (field & 31))
  }

  /** Sets a field that this document has not set yet. */
  fill(field: number, text: string): void {
    if (!this.#isSet(field)) this.set(field, text)
  }

  #isSet(field: number): boolean {
    return ((this.#bits[field >> 5] as number) & (1 << (field & 31))) !== 0
  }

  #textOf(field: number): string | undefined {
    return this.#isSet(field) ? this.#texts[field] : this.#kind.texts[field]
  }

  has(field: number): boolean {
    return this.#textOf(field) !== undefined
  }

  /** Adds `"key":value` pairs to a field that is a map. */
  add(field: number, entries: string): void {
    const before = this.#textOf(field)
    this.set(field, before === undefined ? entries : `${before},${entries}`)
  }

  /** Whether a map may have a key already: never false when it has. */
  mayHold(field: number, entry: string): boolean {
    return this.#textOf(field)?.includes(entry) ?? false
  }

  /** What was set, instead of a document. */
  take(): [field: number, text: string][] {
    const set = FIELDS.flatMap((_, field): [number, string][] =>
      this.#isSet(field) ? [[field, this.#texts[field] as string]] : [],
    )
    this.#bits.fill(0)
    return set
  }

  /** The document, as JSON text; the next one starts empty. */
  finish(): string {
    const { fields, around } = this.#kind.layout(this.#bits)
    this.#bits.fill(0)
    let text = around[0] as string
    for (let i = 0; i < fields.length; i++) {
      text += this.#texts[fields[i] as number] as string
      text += around[i + 1] as string
    }
    return text
  }
}

function makeLayout(constants: readonly (string | undefined)[], bits: Int32Array): Layout {
  const fields: number[] = []
  const around: string[] = []
  let pending: string[] = []
  let last: number | undefined
  for (let field = 0; field < COUNT; field++) {
    const isSet = ((bits[field >> 5] as number) & (1 << (field & 31))) !== 0
    const constant = constants[field]
    if (!isSet && constant === undefined) continue
    pending.push(between(last, field))
    last = field
    if (isSet) {
      fields.push(field)
      around.push(pending.join(''))
      pending = []
    } else pending.push(constant as string)
  }
  around.push(`${pending.join('')}${ending(last)}`)
  return { bits: bits.slice(), fields, around }
}

/** What stands between the value of one field and that of another: closed maps, a comma, opened maps, the name. */
function between(from: number | undefined, to: number): string {
  const after = pathOf(to)
  const before = from === undefined ? [] : pathOf(from)
  let shared = 0
  while (shared < before.length && before[shared] === after[shared]) shared += 1
  const closed = from === undefined ? '{' : `${closing(from, before.length - 1 - shared)},`
  const opened = after.slice(shared, -1).map((name) => `${quote(name)}:{`)
  return `${closed}${opened.join('')}${quote(after.at(-1) as string)}:${isMap[to] === 1 ? '{' : ''}`
}

function ending(from: number | undefined): string {
  return from === undefined ? '{}' : closing(from, pathOf(from).length)
}

function closing(from: number, levels: number): string {
  return '}'.repeat(levels + (isMap[from] as number))
}

function pathOf(field: number): readonly string[] {
  return FIELDS[field]?.path as readonly string[]
}
