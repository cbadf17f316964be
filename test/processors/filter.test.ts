import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { filter } from '../../processors/filter.ts'
import type { Batch } from '../../src/flow/batch.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { testContext } from '../kit/context.ts'
import { processorContract } from '../kit/contract.ts'
import { record, type TrackedBatch, tracked } from '../kit/records.ts'

processorContract(filter, () => [
  [record({ verb: 'get' }), record({ 'user.name': 'system:node:a' })],
  [record({ 'user.name': 'system:node:b' })],
  [record({}, { eventName: 'security.anomaly', severityNumber: 17 }), record({}, { severityNumber: 5 })],
])

function run(config: object, ...batches: TrackedBatch[]) {
  const context = testContext()
  const source = new Subject<Batch>()
  const out: Batch[] = []
  const processor = filter.create(filter.config.parse(config), context)
  source.pipe(processor.operator()).subscribe((batch) => out.push(batch))
  for (const batch of batches) source.next(batch)
  const kept = out.flatMap(({ records }) => records.map(({ attributes }) => attributes['n']))
  return { context, out, kept }
}

const numbered = (...severities: number[]): LogRecord[] =>
  severities.map((severityNumber, n) => record({ n }, { severityNumber }))

test('a record is dropped when one condition of drop holds', () => {
  const drop = [{ severity: 'debug' }, { attribute: 'n', equals: 0 }]
  assert.deepEqual(run({ drop }, tracked(...numbered(9, 5, 9))).kept, [2])
})

test('with keep, a record is dropped when none of its conditions holds', () => {
  const keep = [{ severity: { min: 'error' } }, { attribute: 'n', equals: 0 }]
  assert.deepEqual(run({ keep }, tracked(...numbered(9, 17, 9))).kept, [0, 1])
})

test('drop wins over keep', () => {
  const config = { keep: [{ severity: { min: 'warn' } }], drop: [{ attribute: 'n', equals: 1 }] }
  assert.deepEqual(run(config, tracked(...numbered(13, 13, 9))).kept, [0])
})

test('what is dropped is counted as filtered, not as lost', () => {
  const { context } = run({ drop: [{ severity: 'debug' }] }, tracked(...numbered(5, 5, 9)), tracked(...numbered(5)))
  assert.deepEqual([context.filteredBy, context.lostBy], [{ filtered: 3 }, {}])
})

test('a batch of which nothing is left is delivered; one of which nothing is dropped is the same batch', () => {
  const [none, whole] = [tracked(...numbered(5, 5)), tracked(...numbered(9, 9))]
  const { out } = run({ drop: [{ severity: 'debug' }] }, none, whole)
  assert.deepEqual(none.outcomes, [{ kind: 'delivered' }])
  assert.deepEqual(whole.outcomes, [])
  assert.equal(out[0], whole)
})

test('a filter without conditions is refused', () => {
  assert.throws(() => filter.config.parse({}), /expected conditions in drop, keep or both/)
})
