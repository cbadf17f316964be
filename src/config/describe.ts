/** What a schema expects, in words: `a list of globs`, `one of debug, info, warn`. */
import { alternatives, type Bare, definitionOf, type Schema } from './schema-walk.ts'

type Words = readonly [one: string, many: string]

const FORMATS: Readonly<Record<string, Words>> = {
  duration: ['a duration such as 500ms, 5s or 1m30s', 'durations'],
  'byte-size': ['a size in bytes such as 65536, 64KiB or 1MB', 'sizes'],
  regex: ['a regular expression', 'regular expressions'],
  glob: ['a glob', 'globs'],
  path: ['a path', 'paths'],
  url: ['a URL', 'URLs'],
}

const TYPES: Readonly<Record<string, Words>> = {
  string: ['a string', 'strings'],
  number: ['a number', 'numbers'],
  int: ['an integer', 'integers'],
  boolean: ['true or false', 'booleans'],
  object: ['a map', 'maps'],
  record: ['a map', 'maps'],
  map: ['a map', 'maps'],
  null: ['null', 'nulls'],
}

const ANYTHING: Words = ['another value', 'values']

export function describe(schemas: readonly Bare[]): string {
  const words = schemas
    .flatMap(({ schema, meta }) => (meta.format === undefined ? alternatives(schema, meta) : [{ schema, meta }]))
    .map((form) => wordsOf(form)[0])
  return joinOr([...new Set(words)])
}

export function joinOr(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? ANYTHING[0]
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function wordsOf({ schema, meta }: Bare): Words {
  const known = FORMATS[meta.format ?? '']
  if (known !== undefined) return known
  const def = definitionOf(schema)
  if (def.element !== undefined) {
    const [form] = new Set(alternatives(def.element).map((one) => wordsOf(one)[1]))
    return [`a list of ${form ?? 'values'}`, 'lists']
  }
  if (def.type === 'enum' || def.type === 'literal') return choices(Object.values(def.entries ?? def.values ?? []))
  const format = formatOf(schema)
  if (format === 'safeint' || format === 'int32') return TYPES['int'] as Words
  if (format === 'url') return FORMATS['url'] as Words
  return TYPES[def.type] ?? ANYTHING
}

function formatOf(schema: Schema): string | undefined {
  return (schema._zod.def as { format?: string }).format
}

function choices(values: readonly unknown[]): Words {
  const text = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(', ')
  return [values.length === 1 ? text : `one of ${text}`, text]
}
