/** Equal for equal values, whatever the order of their keys. */
import { createHash } from 'node:crypto'
import type { Raw } from './config.ts'

/** JSON with sorted keys. */
export function canonicalJson(value: Raw): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const entries = Object.entries(value as Readonly<Record<string, Raw>>)
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`
}

/** A digest, so that a fingerprint can be logged and kept: it gives no secret away. */
export function fingerprint(value: Raw): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/** Makes a value immutable as far as it is made of plain objects and lists. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const prototype = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value
  for (const each of Object.values(value)) freeze(each)
  return Object.freeze(value)
}
