/**
 * Values below free-form maps: `flattened` of Elasticsearch, `flat_object` of OpenSearch.
 *
 * Both refuse a whole document for a value, key or nesting beyond their limits (a term of 32,766 bytes, 20 levels, a
 * key with a zero character or without any). What would exceed them is refused here instead, so that it can be kept
 * elsewhere in the document.
 */
import { createHash } from 'node:crypto'
import { quote } from '../records/json-text.ts'
import type { AnyValue } from '../records/record.ts'

/** Most characters of one value: with its path at most 27 kB as UTF-8. */
export const MAX_VALUE = 8191
const MAX_KEY = 256
const MAX_PATH = 1024
const MAX_DEPTH = 12
/** Of values that are kept without being searchable. */
const MAX_OPAQUE_DEPTH = 32

/** A key that every destination takes. One that had to be changed carries a hash of the whole, so that none meet. */
export function cleanKey(key: string): string {
  if (key !== '' && key.length <= MAX_KEY && !key.includes('\0') && key.isWellFormed()) return key
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12)
  return `${key
    .slice(0, MAX_KEY - 16)
    .replaceAll('\0', '')
    .toWellFormed()}…${hash}`
}

/** JSON text of a value that is searchable in a free-form map; undefined when it exceeds what one may hold. */
export function freeFormText(value: AnyValue, key: string): string | undefined {
  return searchable(value, key.length, 1)
}

function searchable(value: unknown, path: number, depth: number): string | undefined {
  if (typeof value === 'string') return value.length <= MAX_VALUE ? quote(value) : undefined
  if (typeof value !== 'object') return scalarText(value)
  if (value === null) return undefined
  if (value instanceof Uint8Array) return searchable(Buffer.from(value).toString('base64'), path, depth)
  if (depth > MAX_DEPTH) return undefined
  return Array.isArray(value) ? searchableList(value, path, depth) : searchableMap(value, path, depth)
}

function searchableList(values: readonly unknown[], path: number, depth: number): string | undefined {
  const parts: string[] = []
  for (const value of values) {
    if (value === null || value === undefined) continue
    // A list is no level of its own, but lists in lists could be without end.
    const part = searchable(value, path, Array.isArray(value) ? depth + 1 : depth)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return `[${parts.join(',')}]`
}

function searchableMap(map: object, path: number, depth: number): string | undefined {
  const parts: string[] = []
  for (const [key, value] of Object.entries(map)) {
    if (value === null || value === undefined) continue
    const clean = cleanKey(key)
    const below = path + 1 + clean.length
    const part = below > MAX_PATH ? undefined : searchable(value, below, depth + 1)
    if (part === undefined) return undefined
    parts.push(`${quote(clean)}:${part}`)
  }
  return `{${parts.join(',')}}`
}

/** JSON text of anything, whole: for what is kept without being searchable. Only nesting is bounded. */
export function opaqueText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return scalarText(value)
  if (value instanceof Uint8Array) return quote(Buffer.from(value).toString('base64'))
  if (depth >= MAX_OPAQUE_DEPTH) return '"[nested too deeply]"'
  if (Array.isArray(value)) return `[${value.map((one) => opaqueText(one, depth + 1)).join(',')}]`
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return `{${entries.map(([key, one]) => `${quote(cleanKey(key))}:${opaqueText(one, depth + 1)}`).join(',')}}`
}

function scalarText(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
  if (typeof value === 'bigint') return `"${value}"`
  return typeof value === 'boolean' ? String(value) : 'null'
}

/**
 * JSON text of an object of Kubernetes that is searchable whatever it holds: what is too long is cut with a mark,
 * what is too deep is written as text. Bookkeeping of the API server (`managedFields`) is left out.
 */
export function objectText(value: object): string {
  return bounded(value, 0, 1)
}

function bounded(value: unknown, path: number, depth: number): string {
  if (typeof value === 'string') return quote(cut(value))
  if (typeof value !== 'object' || value === null) return scalarText(value)
  if (depth > MAX_DEPTH) return quote(cut(JSON.stringify(value)))
  if (Array.isArray(value)) {
    const inner = (one: unknown): string => bounded(one, path, Array.isArray(one) ? depth + 1 : depth)
    return `[${value
      .filter((one) => one !== null)
      .map(inner)
      .join(',')}]`
  }
  const parts: string[] = []
  for (const [key, one] of Object.entries(value)) {
    if (one === null || key === 'managedFields') continue
    const clean = cleanKey(key)
    const below = path + 1 + clean.length
    parts.push(`${quote(clean)}:${below > MAX_PATH ? quote(cut(JSON.stringify(one))) : bounded(one, below, depth + 1)}`)
  }
  return `{${parts.join(',')}}`
}

function cut(text: string): string {
  if (text.length <= MAX_VALUE) return text
  const kept = MAX_VALUE - 32
  return `${text.slice(0, kept)}…[${text.length - kept} more]`
}
