/** The Collector's `convert` action. What cannot be converted stays as it is. */
import type { AnyValue } from '../../src/records/record.ts'

export type ConvertedType = 'int' | 'double' | 'string'

export function convertValue(value: AnyValue, to: ConvertedType): AnyValue {
  if (to === 'string') return typeof value === 'string' ? value : textOf(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return to === 'int' ? Math.trunc(value) : value
  if (typeof value !== 'string') return value
  return (to === 'int' ? integerOf(value) : doubleOf(value)) ?? value
}

function textOf(value: AnyValue): AnyValue {
  return value === null || value === undefined || value instanceof Uint8Array
    ? value
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
}

// Integers beyond 2^53 would change on the way: they stay text.
function integerOf(text: string): number | undefined {
  const number = /^[+-]?\d{1,20}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}

function doubleOf(text: string): number | undefined {
  const number =
    text.length <= 400 && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}
