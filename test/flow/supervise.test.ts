import assert from 'node:assert/strict'
import { test } from 'node:test'
import { map, Observable, Subject } from 'rxjs'
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
