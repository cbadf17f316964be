/**
 * One value as JSON text that a field of a certain type takes without fail, or undefined when the value does not fit.
 *
 * A destination refuses the whole document for one value of the wrong type, so nothing is left to its coercion.
 */
import { isIP } from 'node:net'
import { escaped, quote } from '../records/json-text.ts'
import type { AnyValue } from '../records/record.ts'
import type { FieldType } from './types.ts'

export type Encode = (value: AnyValue) => string | undefined

/** Lists are written as lists: every type takes several values. */
function each(one: Encode): Encode {
  return (value) => {
    if (!Array.isArray(value)) return one(value)
    if (value.length === 0) return undefined
    let text = '['
    for (let i = 0; i < value.length; i++) {
      const part = one(value[i] as AnyValue)
      if (part === undefined) return undefined
      text += i === 0 ? part : `,${part}`
    }
    return `${text}]`
  }
}

function keywordText(value: AnyValue): string | undefined {
  if (typeof value === 'string') return `"${escaped(value)}"`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `"${value}"`
  return undefined
}

const DIGITS = /^-?\d{1,18}$/
const LONG_RANGE = 2 ** 63

function longText(value: AnyValue): string | undefined {
  // 2^63 itself is no long; the double below it is.
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= -LONG_RANGE && value < LONG_RANGE ? BigInt(value).toString() : undefined
  }
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? String(value) : undefined
  return typeof value === 'string' && DIGITS.test(value) ? BigInt(value).toString() : undefined
}

function smallLongText(value: AnyValue): string | undefined {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : longText(value)
}

const DECIMAL = /^-?\d{1,15}(\.\d{1,15})?$/

function doubleText(value: AnyValue): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  return typeof value === 'string' && DECIMAL.test(value) ? String(Number(value)) : undefined
}

function booleanText(value: AnyValue): string | undefined {
  if (value === true || value === 'true') return 'true'
  return value === false || value === 'false' ? 'false' : undefined
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

function dateText(value: AnyValue): string | undefined {
  return typeof value === 'string' && DATE.test(value) && isRealDate(value) ? `"${value}"` : undefined
}

// `Date.parse` takes the 31st of February for the 3rd of March; destinations do not. Both refuse the hour 25.
function isRealDate(text: string): boolean {
  const day = `${text.slice(0, 10)}T00:00:00Z`
  const midnight = new Date(day)
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(text.slice(0, 10))) return false
  return !Number.isNaN(Date.parse(text)) && text.slice(11, 13) !== '24' && offsetFits(text)
}

function offsetFits(text: string): boolean {
  return text.endsWith('Z') || Number(text.slice(-5, -3)) < 18
}

/** An address without a zone: `fe80::1%eth0` means something on one host only. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

function ipText(value: AnyValue): string | undefined {
  return typeof value === 'string' && isAddress(value) ? quote(value) : undefined
}

const nothing: Encode = () => undefined

const keywords = each(keywordText)

export const ENCODERS: Readonly<Record<FieldType, Encode>> = {
  keyword: keywords,
  long_keyword: keywords,
  text: keywords,
  stored: keywords,
  constant: keywordText,
  long: each(smallLongText),
  double: each(doubleText),
  boolean: each(booleanText),
  date: each(dateText),
  ip: each(ipText),
  // Free-form maps are filled key by key, not by a value.
  flat: nothing,
  opaque: nothing,
}

/** For a field beside another one that takes the whole list: of several addresses and names, the addresses. */
export function someAddresses(value: AnyValue): string | undefined {
  if (!Array.isArray(value)) return ipText(value)
  const fit = value.map((one) => ipText(one as AnyValue)).filter((text) => text !== undefined)
  return fit.length === 0 ? undefined : `[${fit.join(',')}]`
}
