import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HrTime } from '../../src/records/record.ts'
import {
  hrTimeToMillis,
  hrTimeToNanosText,
  hrTimeToRfc3339,
  millisToHrTime,
  nowHrTime,
} from '../../src/records/time.ts'

const cases: readonly [HrTime, string, string][] = [
  [[0, 0], '1970-01-01T00:00:00.000000000Z', '0'],
  [[0, 5], '1970-01-01T00:00:00.000000005Z', '5'],
  [[1_767_323_045, 6], '2026-01-02T03:04:05.000000006Z', '1767323045000000006'],
  [[1_767_323_045, 999_999_999], '2026-01-02T03:04:05.999999999Z', '1767323045999999999'],
  [[951_782_399, 0], '2000-02-28T23:59:59.000000000Z', '951782399000000000'],
]
for (const [time, text, nanos] of cases) {
  test(`${text} keeps its nanoseconds`, () => {
    assert.equal(hrTimeToRfc3339(time), text)
    assert.equal(hrTimeToNanosText(time), nanos)
  })
}

test('milliseconds, fractions of them too, there and back', () => {
  assert.deepEqual(millisToHrTime(1_767_323_045_678), [1_767_323_045, 678_000_000])
  assert.deepEqual(millisToHrTime(1_500.25), [1, 500_250_000])
  assert.equal(hrTimeToMillis([1_767_323_045, 678_000_000]), 1_767_323_045_678)
})

test('nanoseconds never reach a whole second', () => {
  for (let i = 0; i < 5000; i++) {
    const [seconds, nanos] = millisToHrTime(1_767_323_045_000 + i * 0.999_9)
    assert(Number.isInteger(seconds) && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9, `${seconds} ${nanos}`)
  }
  const [seconds, nanos] = millisToHrTime(1999.999_999_9)
  assert(nanos < 1e9, `${seconds} s ${nanos} ns`)
})

test('now is now', () => {
  assert(Math.abs(hrTimeToMillis(nowHrTime()) - Date.now()) < 1000)
})

test('a time that no calendar has is written as the nearest that one has', () => {
  assert.equal(hrTimeToRfc3339([1e15, 0]), '9999-12-31T23:59:59.000000000Z')
  assert.equal(hrTimeToRfc3339([-1e15, 0]), '0000-01-01T00:00:00.000000000Z')
  assert.equal(hrTimeToRfc3339([Number.NaN, 0]), '1970-01-01T00:00:00.000000000Z')
})
