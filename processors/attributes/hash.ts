/** The Collector's `hash` action: SHA-256 (FIPS 180-4) in hexadecimal, whatever the kind of the value. */
import { hash } from 'node:crypto'
import type { AnyValue } from '../../src/records/record.ts'

const eight = Buffer.alloc(8)

/**
 * Equal values have equal hashes, also across programs: the bytes that are hashed are the Collector's. Text is UTF-8,
 * true and false are one byte, integers 8 bytes little endian, other numbers IEEE 754 little endian; an empty text
 * stays empty. Lists and maps, which the Collector replaces by an empty text, are hashed as JSON.
 */
export function hashValue(value: AnyValue): string {
  if (value === '') return ''
  return hash('sha256', bytesOf(value), 'hex')
}

function bytesOf(value: AnyValue): string | Uint8Array {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0)
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) eight.writeBigInt64LE(BigInt(value))
    else eight.writeDoubleLE(value)
    return eight
  }
  return value instanceof Uint8Array ? value : (JSON.stringify(value) ?? '')
}
