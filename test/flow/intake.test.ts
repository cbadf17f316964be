import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { mergeMap } from 'rxjs'
import { DELIVERED } from '../../src/flow/ack.ts'
import { Budget } from '../../src/flow/budget.ts'
import { Intake } from '../../src/flow/intake.ts'
import { record } from '../kit/records.ts'

const never = new AbortController().signal

test('a slow destination slows the source, and nothing queues beyond the budget', async () => {
  const budget = new Budget(100)
  const intake = new Intake(budget)
  let exported = 0
  intake.batches$
    .pipe(
      mergeMap(async (batch) => {
        await sleep(1)
        exported += batch.records.length
        batch.ack.settle(DELIVERED)
      }, 2),
    )
    .subscribe()
  let peak = 0
  for (let i = 0; i < 200; i++) {
    await intake.admit([record(), record(), record(), record(), record()], 5, never)
    peak = Math.max(peak, budget.used)
  }
  await intake.drained()
  assert.equal(exported, 1000)
  assert.equal(peak, 100)
  assert.equal(budget.used, 0)
})

test('a lossy source is told at once that there is no room, and it is counted', () => {
  const refused: number[] = []
  const observer = { accepted: () => {}, refused: (n: number) => refused.push(n), settled: () => {} }
  const intake = new Intake(new Budget(10), { observer })
  assert(intake.tryAdmit([record()], 8))
  assert.equal(intake.tryAdmit([record(), record()], 8), undefined)
  assert.deepEqual(refused, [2])
})

test('the observer hears of every admission and every outcome', async () => {
  const heard: unknown[] = []
  const intake = new Intake(new Budget(10), {
    observer: {
      accepted: (records, bytes) => heard.push(['accepted', records, bytes]),
      refused: () => {},
      settled: (records, { kind }) => heard.push(['settled', records, kind]),
    },
  })
  intake.batches$.subscribe((batch) => batch.ack.settle({ kind: 'failed', error: new Error('x') }))
  const receipt = await intake.admit([record(), record()], 7, never)
  assert.equal((await receipt.outcome).kind, 'failed')
  assert.deepEqual(heard, [
    ['accepted', 2, 7],
    ['settled', 2, 'failed'],
  ])
  assert.equal(intake.open, 0)
})
