import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeadLetter, Health } from '../../src/component.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { type DeliverySettings, settingsOf } from '../../src/exporting/settings.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

type Attempt = (records: readonly LogRecord[], signal: AbortSignal) => Promise<void>

const never = new AbortController().signal
const quick = { ...settingsOf({}).retry_on_failure, initial_interval: 2, max_interval: 4 }
const some = (count: number): LogRecord[] => Array.from({ length: count }, (_, i) => record({ i }))
const numbers = (records: readonly LogRecord[]): unknown[] => records.map(({ attributes }) => attributes['i'])

/** A delivery to `attempt`, and everything it told. */
function trial(
  attempt: Attempt,
  more: { retry?: Partial<DeliverySettings['retry_on_failure']>; timeout?: number } = {},
) {
  const seen = {
    sent: 0,
    unnamed: 0,
    attempts: 0,
    waits: [] as number[],
    reasons: [] as string[],
    letters: [] as DeadLetter[],
    health: [] as (readonly [Health, string | undefined])[],
  }
  const exporter = {
    export(records: readonly LogRecord[], signal: AbortSignal) {
      seen.attempts += 1
      return attempt(records, signal)
    },
  }
  const settings = { ...settingsOf({}), timeout: more.timeout ?? 0, retry_on_failure: { ...quick, ...more.retry } }
  const delivery = new Delivery(exporter, settings, {
    sent: (count) => void (seen.sent += count),
    refusedUnnamed: (count) => void (seen.unnamed += count),
    retrying(reason, _, waitMs) {
      seen.reasons.push(reason)
      seen.waits.push(waitMs)
    },
    reject: async (letters) => void seen.letters.push(...letters),
    health: (status, reason) => void seen.health.push([status, reason]),
  })
  return { seen, deliver: (records: readonly LogRecord[], signal = never) => delivery.deliver(records, signal) }
}

test('what fails is sent again until it arrives, and health tells', async () => {
  let left = 3
  const { seen, deliver } = trial(async () => {
    if (left-- > 0) throw new Error('connection refused')
  })
  assert.equal((await deliver(some(5))).kind, 'delivered')
  assert.deepEqual([seen.attempts, seen.sent], [4, 5])
  assert.deepEqual(seen.health.at(0), ['recoverable', 'connection refused'])
  assert.deepEqual(seen.health.at(-1), ['ok', undefined])
  assert.deepEqual(seen.reasons, ['unavailable', 'unavailable', 'unavailable'])
})

test("the destination's own wish is waited for", async () => {
  let isFirst = true
  const { seen, deliver } = trial(async () => {
    if (!isFirst) return
    isFirst = false
    throw new RetryLaterError('503', { retryAfterMs: 120 })
  })
  const startedAt = performance.now()
  await deliver(some(1))
  assert(performance.now() - startedAt >= 115)
  assert.deepEqual(seen.waits, [120])
})

test('one poison record among a thousand is found with few requests, and the others arrive', async () => {
  const arrived = new Set<unknown>()
  const { seen, deliver } = trial(async (records) => {
    if (numbers(records).includes(617)) throw new RejectedError('bad field', { reason: 'http_400', bisect: true })
    for (const number of numbers(records)) arrived.add(number)
  })
  assert.equal((await deliver(some(1000))).kind, 'rejected')
  assert.deepEqual([arrived.size, arrived.has(617), seen.sent], [999, false, 999])
  assert.deepEqual(
    seen.letters.map(({ reason, error, record: one }) => [reason, error, one?.attributes['i']]),
    [['http_400', 'bad field', 617]],
  )
  assert(seen.attempts <= 21, `${seen.attempts} requests`)
})

test('a refusal of all records is not searched for a culprit', async () => {
  const { seen, deliver } = trial(async () => {
    throw new RejectedError('unknown tenant', { reason: 'tenant' })
  })
  assert.equal((await deliver(some(100))).kind, 'rejected')
  assert.deepEqual([seen.attempts, seen.letters.length, seen.letters[99]?.reason], [1, 100, 'tenant'])
})

test('what is too large is halved until it fits', async () => {
  const sizes: number[] = []
  const { seen, deliver } = trial(async (records) => {
    if (records.length > 3) throw new TooLargeError('413')
    sizes.push(records.length)
  })
  assert.equal((await deliver(some(10))).kind, 'delivered')
  assert.deepEqual([sizes, seen.sent], [[2, 3, 2, 3], 10])
})

test('a single record that is too large is dead-lettered', async () => {
  const { seen, deliver } = trial(async (records) => {
    if (numbers(records).includes(2)) throw new TooLargeError('413')
  })
  assert.equal((await deliver(some(4))).kind, 'rejected')
  assert.deepEqual(
    seen.letters.map(({ reason, record: one }) => [reason, one?.attributes['i']]),
    [['too_large', 2]],
  )
  assert.equal(seen.sent, 3)
})

test('of a partly taken batch only what may succeed is sent again', async () => {
  const requests: unknown[][] = []
  const { seen, deliver } = trial(async (records) => {
    requests.push(numbers(records))
    if (requests.length > 1) return
    const [a, b, c] = records as [LogRecord, LogRecord, LogRecord]
    throw new PartialError('some', { rejected: [{ record: a, reason: 'mapping', error: 'no number' }], retry: [b, c] })
  })
  assert.equal((await deliver(some(5))).kind, 'rejected')
  assert.deepEqual(requests, [
    [0, 1, 2, 3, 4],
    [1, 2],
  ])
  assert.deepEqual([seen.sent, seen.letters.map(({ reason }) => reason)], [4, ['mapping']])
})

test('what holds the rest of a partly taken batch decides how it waits, and the rest alone is sent again', async () => {
  const requests: unknown[][] = []
  const { seen, deliver } = trial(async (records) => {
    requests.push(numbers(records))
    const retry = records.slice(1)
    if (requests.length === 1) throw new PartialError('no index', { retry, why: new HoldError('no index') })
    if (requests.length === 2) throw new PartialError('some', { rejected: [letterOf(records[0] as LogRecord)] })
  })
  assert.equal((await deliver(some(3))).kind, 'rejected')
  assert.deepEqual(requests, [
    [0, 1, 2],
    [1, 2],
  ])
  assert.deepEqual(
    [seen.sent, seen.reasons, seen.health],
    [
      2,
      ['held'],
      [
        ['permanent', 'no index'],
        ['ok', undefined],
      ],
    ],
  )
})

function letterOf(record: LogRecord) {
  return { record, reason: 'mapping', error: 'no number' }
}

test('what an exporter leaves out on purpose is delivered, but neither sent nor a sign of health', async () => {
  const { seen, deliver } = trial(async (records) => {
    throw new PartialError('left out', { filtered: Math.min(3, records.length) })
  })
  assert.equal((await deliver(some(3))).kind, 'delivered')
  assert.deepEqual([seen.sent, seen.attempts, seen.health], [0, 1, []])
  assert.equal((await deliver(some(5))).kind, 'delivered')
  assert.deepEqual([seen.sent, seen.health], [2, [['ok', undefined]]])
})

test('refusals without names are counted and nothing is sent again', async () => {
  const { seen, deliver } = trial(async () => {
    throw new PartialError('too old', { rejectedCount: 2 })
  })
  assert.equal((await deliver(some(5))).kind, 'rejected')
  assert.deepEqual([seen.attempts, seen.sent, seen.unnamed, seen.letters.length], [1, 3, 2, 0])
})

test('what only a person can mend is held, not given up, and health is permanently bad until then', async () => {
  let isMended = false
  const { seen, deliver } = trial(async () => {
    if (!isMended) throw new HoldError('401: token expired')
  })
  const outcome = deliver(some(2))
  while (seen.attempts < 3) await sleep(1)
  assert.deepEqual(seen.health.at(-1), ['permanent', '401: token expired'])
  assert(seen.reasons.every((reason) => reason === 'held'))
  isMended = true
  assert.equal((await outcome).kind, 'delivered')
  assert.deepEqual(seen.health.at(-1), ['ok', undefined])
})

test('after max_elapsed_time the records go to the dead-letter file', async () => {
  const { seen, deliver } = trial(
    async () => {
      throw new Error('down')
    },
    { retry: { max_elapsed_time: 30 } },
  )
  const startedAt = performance.now()
  assert.equal((await deliver(some(3))).kind, 'rejected')
  assert(performance.now() - startedAt < 1000)
  assert(seen.attempts > 2)
  assert.deepEqual(
    seen.letters.map(({ reason, error }) => [reason, error]),
    Array(3).fill(['retries_exhausted', 'down']),
  )
})

test('with retries switched off the first failure is the last', async () => {
  const { seen, deliver } = trial(
    async () => {
      throw new Error('down')
    },
    { retry: { enabled: false } },
  )
  assert.equal((await deliver(some(2))).kind, 'rejected')
  assert.deepEqual([seen.attempts, seen.letters.length, seen.reasons], [1, 2, []])
})

test('an abort during the wait ends it at once with "failed", and nothing is dead-lettered', async () => {
  const stop = new AbortController()
  const { seen, deliver } = trial(async () => {
    throw new RetryLaterError('later', { retryAfterMs: 60_000 })
  })
  const outcome = deliver(some(1), stop.signal)
  await sleep(5)
  stop.abort(new Error('shutdown'))
  assert.equal((await outcome).kind, 'failed')
  assert.equal(seen.letters.length, 0)
})

test('an abort ends an attempt of an exporter that does not heed it', async () => {
  const stop = new AbortController()
  const { deliver } = trial(() => new Promise(() => {}))
  const outcome = deliver(some(1), stop.signal)
  stop.abort(new Error('shutdown'))
  assert.equal((await outcome).kind, 'failed')
})

test('an attempt that takes longer than the timeout is made again', async () => {
  let isFirst = true
  const { seen, deliver } = trial(
    async (_, signal) => {
      if (!isFirst) return
      isFirst = false
      await sleep(60_000, undefined, { signal })
    },
    { timeout: 20 },
  )
  assert.equal((await deliver(some(1))).kind, 'delivered')
  assert.deepEqual([seen.attempts, seen.reasons.length], [2, 1])
})

test('what was decided before an abort counts: one half delivered, the other failed, is failed', async () => {
  const stop = new AbortController()
  const { seen, deliver } = trial(async (records) => {
    if (records.length > 1) throw new TooLargeError('413')
    if (numbers(records)[0] === 1) throw new Error('down')
  })
  const outcome = deliver(some(2), stop.signal)
  while (seen.reasons.length === 0) await sleep(1)
  stop.abort(new Error('shutdown'))
  assert.equal((await outcome).kind, 'failed')
  assert.equal(seen.sent, 1)
})

test('a thrown value that is no error is a failure like any other', async () => {
  let isFirst = true
  const { deliver } = trial(() => {
    if (!isFirst) return Promise.resolve()
    isFirst = false
    return Promise.reject('just text')
  })
  assert.equal((await deliver(some(1))).kind, 'delivered')
})
