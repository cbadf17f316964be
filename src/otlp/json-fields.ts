/** Fields of OTLP/JSON objects, each checked for its type: what is wrong is a `RangeError` that names the field. */
import type { HrTime } from '../records/record.ts'

export type Json = Readonly<Record<string, unknown>>

export function objectOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw new RangeError(`${what}: expected an object, found ${kindOf(value)}`)
}

/** A field under its name or its original name; `null` means "not set". */
export function fieldOf(object: Json, name: string, original: string): unknown {
  return object[name] ?? object[original] ?? undefined
}

export function listOf(object: Json, name: string, original = name): readonly unknown[] {
  const value = fieldOf(object, name, original)
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  throw new RangeError(`${name}: expected a list, found ${kindOf(value)}`)
}

/** Text, well-formed; empty where it is not set. */
export function textOf(object: Json, name: string, original = name): string {
  const value = fieldOf(object, name, original)
  if (value === undefined) return ''
  if (typeof value === 'string') return value.toWellFormed()
  throw new RangeError(`${name}: expected text, found ${kindOf(value)}`)
}

const INTEGER = /^-?\d{1,20}$/

/** An integer; beyond 2^53 as decimal text, so that no digit is lost. */
export function integerOf(value: unknown): number | string {
  if (typeof value === 'number' && Number.isFinite(value)) return Number.isInteger(value) ? value : Math.trunc(value)
  if (typeof value === 'string' && INTEGER.test(value)) {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  throw new RangeError(`intValue: expected an integer, found ${kindOf(value)}`)
}

/** A finite number, or the text of one that is not: records hold finite numbers only. */
export function numberOf(value: unknown): number | string {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (Number.isFinite(number)) return number
  throw new RangeError(`doubleValue: expected a number, found ${kindOf(value)}`)
}

/** A number that fits 32 bits; 0 where it is not set or out of range. */
export function int32Of(object: Json, name: string, original: string): number {
  const value = fieldOf(object, name, original)
  const number = typeof value === 'string' ? Number(value) : (value ?? 0)
  if (typeof number !== 'number' || Number.isNaN(number)) {
    throw new RangeError(`${name}: expected a number, found ${kindOf(value)}`)
  }
  return number >= 0 && number < 2 ** 32 ? Math.trunc(number) : 0
}

/** Nanoseconds since the Unix epoch, as text or as a number. */
export function nanosOf(object: Json, name: string, original: string): HrTime {
  const value = fieldOf(object, name, original) ?? '0'
  const text = typeof value === 'number' && value >= 0 && value < 1e21 ? String(Math.trunc(value)) : value
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) {
    throw new RangeError(`${name}: expected nanoseconds since 1970, found ${kindOf(value)}`)
  }
  return [Number(text.slice(0, -9)), Number(text.slice(-9))]
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? 'other text' : `${value}`
}
