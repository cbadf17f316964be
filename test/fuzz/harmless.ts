/** What must hold of whatever a decoder makes of hostile input. */
import assert from 'node:assert/strict'
import type { DecodeLimits } from '../../src/otlp/limits.ts'
import type { AnyValue, LogRecord } from '../../src/records/record.ts'

/** Numbers are finite, texts well-formed, nothing is deeper or more than allowed, and nobody's prototype was changed. */
export function assertHarmless(records: readonly LogRecord[], limits: DecodeLimits): void {
  assert(records.length <= limits.maxRecords)
  for (const record of records) {
    const { attributes, body, eventName, severityText, severityNumber, droppedAttributesCount } = record
    assert(Object.keys(attributes).length <= limits.maxAttributes)
    const room = { values: limits.maxValues + 1 }
    assertValue(attributes, -1, limits, room)
    assertValue(body, 0, limits, room)
    for (const text of [eventName, severityText]) assert(text.isWellFormed())
    assert(Number.isInteger(severityNumber) && severityNumber >= 0 && severityNumber <= 24)
    assert(Number.isInteger(droppedAttributesCount) && droppedAttributesCount >= 0)
    for (const [seconds, nanos] of [record.hrTime, record.hrTimeObserved]) {
      assert(Number.isSafeInteger(seconds) && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9)
    }
  }
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  assert.deepEqual(Object.keys(Object.prototype), [])
}

function assertValue(value: AnyValue, depth: number, limits: DecodeLimits, room: { values: number }): void {
  room.values -= 1
  assert(room.values >= -1, 'no more values than allowed')
  if (typeof value === 'number') assert(Number.isFinite(value))
  else if (typeof value === 'string') assert(value.isWellFormed())
  else if (Array.isArray(value)) {
    assert(depth < limits.maxDepth, 'no deeper than allowed')
    for (const one of value) assertValue(one as AnyValue, depth + 1, limits, room)
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    assert(depth < limits.maxDepth, 'no deeper than allowed')
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    for (const [key, inner] of Object.entries(value)) {
      assert(key.isWellFormed())
      assertValue(inner as AnyValue, depth + 1, limits, room)
    }
  }
}
