/**
 * The parsing rules of field types, written from the documentation of Elasticsearch and OpenSearch: what a mapping
 * makes of a document, and why it refuses one.
 */
import { isIP } from 'node:net'
import { NumberText, type Parsed, ParseFault, parseStrict } from './bulk-json.ts'

export interface Refusal {
  readonly type: string
  readonly reason: string
}

// biome-ignore lint/suspicious/noExplicitAny: mappings are JSON of any shape.
export type MappingJson = any

class Refused extends Error {
  readonly refusal: Refusal
  constructor(type: string, reason: string) {
    super(reason)
    this.refusal = { type, reason }
  }
}

const fail = (path: string, kind: string, why: string): never => {
  throw new Refused('document_parsing_exception', `failed to parse field [${path}] of type [${kind}]: ${why}`)
}

const MAX_TERM_BYTES = 32_766

export class DocumentCheck {
  readonly #mapping: MappingJson
  readonly #dynamic: string
  readonly #constants = new Map<string, string>()

  /** With `strict`, a field that is not mapped is refused whatever the mapping says. */
  constructor(mapping: MappingJson, strict: boolean) {
    this.#mapping = mapping
    this.#dynamic = strict ? 'strict' : String(mapping.dynamic ?? true)
  }

  /** Undefined for a document that would be indexed. */
  refusal(source: string): Refusal | undefined {
    try {
      const document = parseStrict(source)
      if (!(document instanceof Map)) throw new ParseFault('a document is an object')
      this.#timestamp(document)
      this.#object(document, this.#mapping, '')
      return undefined
    } catch (error) {
      if (error instanceof Refused) return error.refusal
      if (error instanceof ParseFault) return { type: 'document_parsing_exception', reason: error.message }
      throw error
    }
  }

  #timestamp(document: Map<string, Parsed>): void {
    const time = document.get('@timestamp')
    if (time === undefined || time === null) {
      throw new Refused('document_parsing_exception', 'data stream timestamp field [@timestamp] is missing')
    }
    if (Array.isArray(time)) {
      throw new Refused(
        'document_parsing_exception',
        'data stream timestamp field [@timestamp] encountered multiple values',
      )
    }
  }

  #object(value: Map<string, Parsed>, mapping: MappingJson, path: string): void {
    for (const [name, inner] of value) this.#field(name, inner, mapping, path)
  }

  #field(name: string, value: Parsed, mapping: MappingJson, path: string): void {
    if (name.trim() === '') throw new Refused('document_parsing_exception', 'field name cannot be an empty string')
    const parts = name.split('.')
    if (parts.some((part) => part.trim() === '')) {
      throw new Refused(
        'document_parsing_exception',
        `field name starting or ending with a [.] makes object resolution ambiguous: [${name}]`,
      )
    }
    const [first, ...rest] = parts as [string, ...string[]]
    const inner: Parsed = rest.length === 0 ? value : new Map([[rest.join('.'), value]])
    const full = path === '' ? first : `${path}.${first}`
    const below = Object.hasOwn(mapping.properties ?? {}, first) ? mapping.properties[first] : undefined
    if (below === undefined) this.#unmapped(first, path)
    else this.#mapped(inner, below, full)
  }

  #unmapped(name: string, path: string): void {
    if (this.#dynamic !== 'strict') return
    throw new Refused(
      'strict_dynamic_mapping_exception',
      `mapping set to strict, dynamic introduction of [${name}] within [${path || '_doc'}] is not allowed`,
    )
  }

  #mapped(value: Parsed, mapping: MappingJson, path: string): void {
    const type = mapping.type ?? 'object'
    if (type === 'object') {
      if (mapping.enabled === false || value === null) return
      if (Array.isArray(value)) for (const one of value) this.#mapped(one, mapping, path)
      else if (value instanceof Map) this.#object(value, mapping, path)
      else {
        throw new Refused(
          'document_parsing_exception',
          `object mapping for [${path}] tried to parse field [${path}] as object, but found a concrete value`,
        )
      }
    } else if (type === 'flattened' || type === 'flat_object') this.#freeForm(value, mapping, path)
    else this.#leaf(value, mapping, type, path)
  }

  #leaf(value: Parsed, mapping: MappingJson, type: string, path: string): void {
    if (value === null) return
    if (Array.isArray(value)) {
      for (const one of value) this.#leaf(one, mapping, type, path)
      return
    }
    if (value instanceof Map) fail(path, type, "Can't get text on a START_OBJECT")
    const check = LEAVES[type]
    if (check === undefined) throw new Error(`the test server does not know the type ${type}`)
    const why = check(value as Scalar, mapping)
    if (why !== undefined) fail(path, type, why)
    if (type === 'constant_keyword') this.#constant(textOf(value as Scalar), path)
  }

  #constant(value: string, path: string): void {
    const known = this.#constants.get(path)
    if (known === undefined) this.#constants.set(path, value)
    else if (known !== value) {
      fail(
        path,
        'constant_keyword',
        `[constant_keyword] field [${path}] only accepts values that are equal to the value defined in the mappings [${known}], but got [${value}]`,
      )
    }
  }

  #freeForm(value: Parsed, mapping: MappingJson, path: string): void {
    if (value === null) return
    if (Array.isArray(value) && mapping.type === 'flattened') {
      for (const one of value) this.#freeForm(one, mapping, path)
      return
    }
    if (!(value instanceof Map)) fail(path, mapping.type, 'expected START_OBJECT')
    // flat_object has no such parameters and puts the name of the field before every term.
    const limits =
      mapping.type === 'flattened'
        ? { depth: mapping.depth_limit ?? 20, ignoreAbove: mapping.ignore_above ?? 2 ** 31, overhead: 0 }
        : { depth: 1000, ignoreAbove: 2 ** 31, overhead: 2 * Buffer.byteLength(path) + 3 }
    this.#freeFormMap(value as Map<string, Parsed>, [], limits, path)
  }

  #freeFormMap(map: Map<string, Parsed>, keys: string[], limits: FreeFormLimits, path: string): void {
    for (const [key, value] of map) this.#freeFormValue(value, [...keys, key], limits, path)
  }

  #freeFormValue(value: Parsed, keys: string[], limits: FreeFormLimits, path: string): void {
    if (value instanceof Map) {
      if (keys.length + 1 > limits.depth)
        fail(path, 'flattened', `exceeds the maximum depth limit of [${limits.depth}]`)
      this.#freeFormMap(value, keys, limits, path)
    } else if (Array.isArray(value)) for (const one of value) this.#freeFormValue(one, keys, limits, path)
    else if (value !== null) {
      const key = keys.join('.')
      const text = textOf(value)
      if (keys.some((one) => one === '')) fail(path, 'flattened', 'an empty key')
      if (key.includes('\0'))
        fail(path, 'flattened', 'Keys in [flattened] fields cannot contain the reserved character \\0')
      if (text.length > limits.ignoreAbove) return
      const bytes = Buffer.byteLength(key) + 1 + Buffer.byteLength(text) + limits.overhead
      if (bytes > MAX_TERM_BYTES) fail(path, 'flattened', 'contains one immense field')
    }
  }
}

interface FreeFormLimits {
  readonly depth: number
  readonly ignoreAbove: number
  readonly overhead: number
}

type Scalar = boolean | string | NumberText
type Check = (value: Scalar, mapping: MappingJson) => string | undefined

function textOf(value: Scalar): string {
  return value instanceof NumberText ? value.text : String(value)
}

const keyword: Check = (value, { ignore_above: limit = 2 ** 31, index = true, doc_values: values = true }) => {
  const text = textOf(value)
  if (text.length > limit || !(index || values)) return undefined
  return Buffer.byteLength(text) > MAX_TERM_BYTES ? 'Document contains at least one immense term' : undefined
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/

const integer =
  (lowest: bigint, highest: bigint): Check =>
  (value) => {
    if (typeof value === 'boolean') return 'Current token (VALUE_BOOLEAN) not numeric'
    const text = textOf(value)
    if (!DECIMAL.test(text)) return `For input string: "${text}"`
    const number = /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : BigInt(Math.trunc(Number(text)))
    return number < lowest || number > highest ? `Value [${text}] is out of range` : undefined
  }

const floating: Check = (value) => {
  if (typeof value === 'boolean') return 'Current token (VALUE_BOOLEAN) not numeric'
  const text = textOf(value)
  if (!DECIMAL.test(text)) return `For input string: "${text}"`
  return Number.isFinite(Number(text)) ? undefined : 'supports only finite values'
}

const DATE =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?$/

function isDate(text: string): boolean {
  const match = DATE.exec(text)
  if (match === null) return false
  const [, year, month = '1', day = '1', hour = '0', minute = '0', second = '0', zone = 'Z'] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return false
  const hours = zone === 'Z' ? 0 : Number(zone.slice(1, 3))
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 && hours <= 18
}

const date: Check = (value) => {
  if (typeof value === 'boolean') return 'not a date'
  const text = textOf(value)
  if (/^-?\d{1,18}$/.test(text) && (value instanceof NumberText || text.length > 4)) return undefined
  return isDate(text)
    ? undefined
    : `failed to parse date field [${text}] with format [strict_date_optional_time||epoch_millis]`
}

const dateNanos: Check = (value, mapping) => {
  const text = textOf(value)
  const year = Number(text.slice(0, 4))
  return date(value, mapping) ?? (year < 1970 || year > 2261 ? 'cannot be stored in nanosecond resolution' : undefined)
}

const LEAVES: Readonly<Record<string, Check>> = {
  keyword,
  constant_keyword: (value) => (typeof value === 'string' ? undefined : 'expected text'),
  text: () => undefined,
  match_only_text: () => undefined,
  long: integer(-(2n ** 63n), 2n ** 63n - 1n),
  integer: integer(-(2n ** 31n), 2n ** 31n - 1n),
  short: integer(-(2n ** 15n), 2n ** 15n - 1n),
  double: floating,
  boolean: (value) =>
    ['true', 'false', ''].includes(textOf(value)) ? undefined : `Failed to parse value [${textOf(value)}] as boolean`,
  date,
  date_nanos: dateNanos,
  ip: (value) =>
    typeof value === 'string' && isIP(value) !== 0 && !value.includes('%')
      ? undefined
      : `'${textOf(value)}' is not an IP string literal.`,
}

export const KNOWN_TYPES: ReadonlySet<string> = new Set([...Object.keys(LEAVES), 'object', 'flattened', 'flat_object'])
