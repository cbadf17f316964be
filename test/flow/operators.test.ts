import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { mapBatches, mapRecords } from '../../src/flow/operators.ts'
import { testContext } from '../kit/context.ts'
import { record, tracked } from '../kit/records.ts'

function through(operator: ReturnType<typeof mapRecords>, ...batches: Batch[]): Batch[] {
  const source = new Subject<Batch>()
  const out: Batch[] = []
  source.pipe(operator).subscribe((batch) => {
    out.push(batch)
    batch.ack.settle(DELIVERED)
  })
  for (const batch of batches) source.next(batch)
  return out
}

test('a batch of which nothing changes goes on as it is', () => {
  const batch = tracked(record(), record())
  assert.equal(
    through(
      mapRecords(testContext(), (one) => one),
      batch,
    )[0],
    batch,
  )
})

test('a poison record costs itself, not its batch and not the stream', () => {
  const context = testContext()
  const picky = mapRecords(context, (one) => {
    if (one.body === 'poison') throw new Error('boom')
    return one
  })
  const first = tracked(record({}, { body: 'poison' }), record({}, { body: 'a' }))
  const out = through(picky, first, tracked(record({}, { body: 'b' })))
  assert.deepEqual(
    out.map((batch) => batch.records.map(({ body }) => body)),
    [['a'], ['b']],
  )
  assert.deepEqual(context.lostBy, { processor_error: 1 })
  assert.deepEqual(first.outcomes, [DELIVERED])
})

test('what is dropped on purpose is delivered, and counted apart from losses', () => {
  const context = testContext()
  const batch = tracked(record(), record())
  assert.deepEqual(
    through(
      mapRecords(context, () => undefined, 'noise'),
      batch,
    ),
    [],
  )
  assert.deepEqual(batch.outcomes, [DELIVERED])
  assert.deepEqual(context.filteredBy, { noise: 2 })
  assert.deepEqual(context.lostBy, {})
})

test('every second record dropped leaves the others in order', () => {
  const batch = tracked(...Array.from({ length: 7 }, (_, i) => record({ i })))
  const [out] = through(
    mapRecords(testContext(), (one) => (Number(one.attributes['i']) % 2 ? undefined : one)),
    batch,
  )
  assert.deepEqual(
    out?.records.map((one) => one.attributes['i']),
    [0, 2, 4, 6],
  )
})

test('a batch function that throws ends its own stream, for the supervisor to rebuild', () => {
  const source = new Subject<Batch>()
  const errors: unknown[] = []
  source
    .pipe(
      mapBatches(() => {
        throw new Error('bug')
      }),
    )
    .subscribe({ error: (error) => errors.push(error) })
  source.next(tracked(record()))
  assert.match(String(errors[0]), /bug/)
})
