import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HoldError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { retryAfterMs } from '../../src/net/http-post.ts'
import { refusal } from '../../src/net/refusal.ts'

const table: [status: number, error: new (...args: never[]) => Error][] = [
  [301, HoldError],
  [307, HoldError],
  [400, RejectedError],
  [401, HoldError],
  [403, HoldError],
  [404, HoldError],
  [405, HoldError],
  [407, HoldError],
  [408, RetryLaterError],
  [413, TooLargeError],
  [415, HoldError],
  [422, RejectedError],
  [429, RetryLaterError],
  [500, RetryLaterError],
  [502, RetryLaterError],
  [503, RetryLaterError],
  [507, RetryLaterError],
]
for (const [status, error] of table) {
  test(`${status} is a ${error.name}`, () => {
    const thrown = refusal({ status, headers: {} }, 'because')
    assert(thrown instanceof error)
    assert.match(thrown.message, new RegExp(`${status}: because`))
  })
}

test('what one record is to blame for is halved until it is alone', () => {
  const thrown = refusal({ status: 400, headers: {} }, '') as RejectedError
  assert.deepEqual([thrown.bisect, thrown.reason], [true, 'http_400'])
  assert.match(thrown.message, /no reason given/)
})

test('the destination says itself when to come again', () => {
  const thrown = refusal({ status: 503, headers: { 'retry-after': '3' } }, '') as RetryLaterError
  assert.equal(thrown.retryAfterMs, 3000)
})

const now = Date.UTC(2026, 0, 1)
for (const [value, ms] of [
  ['120', 120_000],
  ['0', 0],
  ['1.5', 1500],
  ['-5', 0],
  ['99999999', 3_600_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
  [['1', '2'], undefined],
] as const) {
  test(`Retry-After ${JSON.stringify(value)} is ${ms}`, () => assert.equal(retryAfterMs(value as string, now), ms))
}
