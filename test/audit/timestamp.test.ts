import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseTimestamp, secondsBetween } from '../../src/audit/timestamp.ts'

suite('RFC 3339', () => {
  const good: [string, number, number][] = [
    ['2026-01-02T03:04:05Z', 1_767_323_045, 0],
    ['2026-01-02T03:04:05.123456Z', 1_767_323_045, 123_456_000],
    ['2026-01-02T03:04:05.1Z', 1_767_323_045, 100_000_000],
    ['2026-01-02T03:04:05.123456789123Z', 1_767_323_045, 123_456_789],
    ['2026-01-02T05:04:05+02:00', 1_767_323_045, 0],
    ['2026-01-01T22:04:05.5-05:00', 1_767_323_045, 500_000_000],
    ['1970-01-01T00:00:00Z', 0, 0],
    ['2024-02-29T23:59:59Z', 1_709_251_199, 0],
    ['2554-07-21T23:34:32Z', 18_446_744_072, 0],
    ['2000-03-01t00:00:00z', 951_868_800, 0],
  ]
  for (const [text, seconds, nanos] of good) test(text, () => assert.deepEqual(parseTimestamp(text), [seconds, nanos]))

  const bad: unknown[] = [
    '0001-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '2026-13-01T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:04:05',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05.5',
    '2026-01-02T03:04:05Zjunk',
    '9999-01-02T03:04:05Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2554-07-21T23:34:33Z',
    '1970-01-01T00:00:00+01:00',
    '2026/01/02T03:04:05Z',
    'not a time at all, no',
    `2026-01-02T03:04:05.${'1'.repeat(99)}Z`,
    '',
    null,
    undefined,
    5,
    {},
  ]
  for (const value of bad)
    test(`refuses ${JSON.stringify(value)}`, () => assert.equal(parseTimestamp(value), undefined))
})

test('agrees with Date on every day of two centuries', () => {
  for (let day = 0; day < 73_000; day += 1) {
    const text = new Date(day * 86_400_000 + 3_723_000).toISOString()
    assert.equal(parseTimestamp(text)?.[0], day * 86_400 + 3723, text)
  }
})

test('the time between two is in seconds, to the microsecond, and never negative', () => {
  assert.equal(secondsBetween([10, 999_999_000], [11, 1_000]), 0.000002)
  assert.equal(secondsBetween([10, 0], [310, 0]), 300)
  assert.equal(secondsBetween([11, 0], [10, 0]), 0)
})
