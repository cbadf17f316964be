import assert from 'node:assert/strict'
import { test } from 'node:test'
import { map, Observable, Subject, take, throwError } from 'rxjs'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { supervise } from '../../src/flow/supervise.ts'
import { record, tracked } from '../kit/records.ts'

test('an operator whose stream errors is rebuilt, and its batches settle failed', () => {
  const source = new Subject<Batch>()
  const errors: unknown[] = []
  let built = 0
  const operator = supervise(
    () => {
      built += 1
      return map((batch: Batch) => {
        if (batch.records[0]?.body === 'poison') throw new Error('operator broke')
        return batch
      })
    },
    (error) => errors.push(error),
  )
  source.pipe(operator).subscribe((batch) => batch.ack.settle(DELIVERED))
  const [fine, poison, after] = [tracked(record()), tracked(record({}, { body: 'poison' })), tracked(record())]
  for (const batch of [fine, poison, after]) source.next(batch)
  assert.deepEqual(
    [fine, poison, after].map(({ outcomes }) => outcomes.map(({ kind }) => kind)),
    [['delivered'], ['failed'], ['delivered']],
  )
  assert.equal(built, 2)
  assert.match(String(errors[0]), /operator broke/)
})

test('a batch that had left the broken operator settles once: failed, and its late success is ignored', () => {
  const source = new Subject<Batch>()
  const out: Batch[] = []
  const inner = new Subject<void>()
  const operator = supervise(
    () => (batches) =>
      new Observable<Batch>((sink) => {
        inner.subscribe(() => sink.error(new Error('late')))
        return batches.subscribe(sink)
      }),
    () => {},
  )
  source.pipe(operator).subscribe((batch) => out.push(batch))
  const batch = tracked(record())
  source.next(batch)
  inner.next()
  assert.deepEqual(
    batch.outcomes.map(({ kind }) => kind),
    ['failed'],
  )
  out[0]?.ack.settle(DELIVERED)
  assert.equal(batch.outcomes.length, 1)
})

test('completion reaches the operator, which may flush', () => {
  const source = new Subject<Batch>()
  let completed = false
  source
    .pipe(
      supervise(
        () => (batches) => batches,
        () => {},
      ),
    )
    .subscribe({ complete: () => (completed = true) })
  source.complete()
  assert(completed)
})

test('an operator that ends before its source is rebuilt: no batch is left without an answer', () => {
  const source = new Subject<Batch>()
  const errors: unknown[] = []
  source
    .pipe(
      supervise(
        () => take(1),
        (error) => errors.push(error),
      ),
    )
    .subscribe((batch) => batch.ack.settle(DELIVERED))
  const batches = [tracked(record()), tracked(record()), tracked(record())]
  for (const batch of batches) source.next(batch)
  assert(batches.every(({ outcomes }) => outcomes.length === 1))
  assert.match(String(errors[0]), /ended before its source/)
})

test('an operator that cannot be made, or fails at once, fails the batches one by one until it can', () => {
  const source = new Subject<Batch>()
  const moods = ['works', 'throws', 'errors', 'works'] as const
  let made = 0
  let isBroken = false
  const operator = supervise(
    () => {
      const mood = moods[made++]
      if (mood === 'throws') throw new Error('cannot be made')
      if (mood === 'errors') return () => throwError(() => new Error('fails at once'))
      return map((batch: Batch) => {
        if (isBroken) throw new Error('broke')
        return batch
      })
    },
    () => {},
  )
  source.pipe(operator).subscribe((batch) => batch.ack.settle(DELIVERED))
  const batches = Array.from({ length: 4 }, () => tracked(record()))
  isBroken = true
  source.next(batches[0] as Batch)
  isBroken = false
  for (const batch of batches.slice(1)) source.next(batch)
  assert.deepEqual(
    batches.map(({ outcomes }) => outcomes.map(({ kind }) => kind)),
    [['failed'], ['failed'], ['failed'], ['delivered']],
  )
})
