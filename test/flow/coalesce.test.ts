import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeMap, Subject } from 'rxjs'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { Budget } from '../../src/flow/budget.ts'
import { anyPressure, coalesce, pressureOf } from '../../src/flow/coalesce.ts'
import { Intake } from '../../src/flow/intake.ts'
import { record, tracked } from '../kit/records.ts'

const never = new AbortController().signal
const HOUR = 3_600_000
const MANY = 1_000_000
const records = (count: number) => Array.from({ length: count }, () => record())

const options = (more: Partial<Parameters<typeof coalesce>[0]>) => ({
  minRecords: 3,
  maxRecords: 0,
  maxBytes: MANY,
  waitMs: 200,
  pressure: new Budget(MANY),
  ...more,
})

test('flushes on size, then on time, and settles every parent', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const source = new Subject<Batch>()
  const sizes: number[] = []
  source.pipe(coalesce(options({}))).subscribe((batch) => {
    sizes.push(batch.records.length)
    batch.ack.settle(DELIVERED)
  })
  const parts = [tracked(record()), tracked(record(), record()), tracked(record())]
  for (const part of parts) source.next(part)
  assert.deepEqual(sizes, [3])
  t.mock.timers.tick(200)
  assert.deepEqual(sizes, [3, 1])
  assert.deepEqual(
    parts.map((part) => part.outcomes),
    [[DELIVERED], [DELIVERED], [DELIVERED]],
  )
})

test('flushes on bytes', () => {
  const source = new Subject<Batch>()
  const sizes: number[] = []
  source.pipe(coalesce(options({ minRecords: 99, maxBytes: 250 }))).subscribe((batch) => sizes.push(batch.bytes))
  for (let i = 0; i < 3; i++) source.next(tracked(record()))
  assert.deepEqual(sizes, [200], 'the third would have made it too large')
})

test('cuts a batch above the maximum, and its parent hears once, the worst', () => {
  const source = new Subject<Batch>()
  const out: Batch[] = []
  source.pipe(coalesce(options({ minRecords: 1, maxRecords: 2 }))).subscribe((batch) => out.push(batch))
  const large = tracked(...records(5))
  source.next(large)
  assert.deepEqual(
    out.map((batch) => batch.records.length),
    [2, 2, 1],
  )
  out[0]?.ack.settle(DELIVERED)
  out[1]?.ack.settle({ kind: 'failed', error: new Error('x') })
  assert.equal(large.outcomes.length, 0)
  out[2]?.ack.settle(DELIVERED)
  assert.deepEqual(
    large.outcomes.map(({ kind }) => kind),
    ['failed'],
  )
})

test('completion flushes what is held', () => {
  const source = new Subject<Batch>()
  const sizes: number[] = []
  source.pipe(coalesce(options({ waitMs: HOUR }))).subscribe((batch) => sizes.push(batch.records.length))
  source.next(tracked(record()))
  source.complete()
  assert.deepEqual(sizes, [1])
})

test('nobody waits for a fuller batch once the signal has aborted', () => {
  const source = new Subject<Batch>()
  const sizes: number[] = []
  const stopping = new AbortController()
  const pressure = anyPressure([new Budget(MANY), pressureOf(stopping.signal)])
  source.pipe(coalesce(options({ waitMs: HOUR, pressure }))).subscribe((batch) => sizes.push(batch.records.length))
  source.next(tracked(record()))
  stopping.abort()
  assert.deepEqual(sizes, [1])
  source.next(tracked(record()))
  assert.deepEqual(sizes, [1, 1])
})

test('a target above the budget does not deadlock', { timeout: 2000 }, async (t) => {
  const budget = new Budget(10)
  const intake = new Intake(budget)
  let exported = 0
  const running = intake.batches$
    .pipe(coalesce(options({ minRecords: 100, waitMs: HOUR, pressure: budget })))
    .subscribe((batch) => {
      exported += batch.records.length
      batch.ack.settle(DELIVERED)
    })
  t.after(() => running.unsubscribe())
  for (let i = 0; i < 20; i++) await intake.admit(records(3), 3, never)
  assert(exported >= 48, `only ${exported} of 60 left`)
})

test('a batch admitted while another waits is not held', { timeout: 2000 }, async (t) => {
  const budget = new Budget(10)
  const intake = new Intake(budget)
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const running = intake.batches$
    .pipe(
      coalesce(options({ minRecords: 100, waitMs: HOUR, pressure: budget })),
      mergeMap(async (batch) => {
        await opened
        batch.ack.settle(DELIVERED)
      }, 9),
    )
    .subscribe()
  t.after(() => running.unsubscribe())
  await intake.admit(records(10), 10, never)
  const small = intake.admit(records(2), 2, never)
  const large = intake.admit(records(9), 9, never)
  open()
  await Promise.all([small, large])
})
