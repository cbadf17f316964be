import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { copyAmong, copying, routeAmong, type Sink, shareAmong } from '../../src/graph/fan-out.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { FAILED, REJECTED } from '../kit/outcomes.ts'
import { record, tracked } from '../kit/records.ts'

function collector(): Sink & { readonly batches: Batch[] } {
  const batches: Batch[] = []
  return { batches, push: (batch) => void batches.push(batch) }
}
const settleAll = (sinks: readonly { batches: Batch[] }[], outcomes = [DELIVERED]): void => {
  for (const [i, { batches }] of sinks.entries()) {
    for (const { ack } of batches) ack.settle(outcomes[i % outcomes.length] ?? DELIVERED)
  }
}

test('sinks share the records, and the source hears the worst of their answers, once', () => {
  const sinks = [collector(), collector(), collector()]
  const batch = tracked(record(), record())
  shareAmong(sinks).push(batch)
  for (const { batches } of sinks) assert.equal(batches[0]?.records, batch.records)
  settleAll(sinks, [DELIVERED, FAILED, REJECTED])
  assert.deepEqual(batch.outcomes, [FAILED])
})

test('nothing is answered before every sink has', () => {
  const sinks = [collector(), collector()]
  const batch = tracked(record())
  shareAmong(sinks).push(batch)
  sinks[0]?.batches[0]?.ack.settle(FAILED)
  assert.deepEqual(batch.outcomes, [])
  sinks[1]?.batches[0]?.ack.settle(DELIVERED)
  assert.deepEqual(batch.outcomes, [FAILED])
})

test('a single sink or pipeline gets the batch itself', () => {
  const only = collector()
  assert.equal(shareAmong([only]), only)
  assert.equal(copyAmong([only]), only)
})

test('pipelines own their records: what the first changes at once, the others never see', () => {
  const hasty: Sink = {
    push({ records, ack }) {
      for (const one of records) one.attributes['seen'] = 'by the first'
      ack.settle(DELIVERED)
    },
  }
  const others = [collector(), collector()]
  const batch = tracked(record({ a: 1 }))
  copyAmong([hasty, ...others]).push(batch)
  for (const { batches } of others) {
    const first = batches[0]?.records[0]
    assert(first)
    assert.deepEqual(first.attributes, { a: 1 })
    first.attributes['a'] = 2
  }
  settleAll(others)
  assert.deepEqual(batch.records[0]?.attributes, { a: 1, seen: 'by the first' })
  assert.deepEqual(batch.outcomes, [DELIVERED])
})

test('a connector beside an exporter gets copies', () => {
  const sink = collector()
  const batch = tracked(record({ a: 1 }))
  copying(sink).push(batch)
  assert.notEqual(sink.batches[0]?.records[0], batch.records[0])
  assert.equal(sink.batches[0]?.ack, batch.ack)
})

const uncounted = { lost: () => assert.fail('nothing is lost') }
const byTo = ({ attributes }: LogRecord): readonly string[] => attributes['to'] as unknown as string[]

test('routing sends each record to the pipelines named for it, and the acks meet again', () => {
  const [x, y] = [collector(), collector()]
  const batch = tracked(record({ to: ['x'] }), record({ to: ['y', 'x'] }), record({ to: [] }), record({ to: ['x'] }))
  routeAmong(
    byTo,
    new Map([
      ['x', x],
      ['y', y],
    ]),
    uncounted,
  ).push(batch)
  assert.deepEqual([x.batches[0]?.records.length, y.batches[0]?.records.length], [3, 1])
  assert.notEqual(x.batches[0]?.records[1], y.batches[0]?.records[0], 'each pipeline owns its record')
  x.batches[0]?.ack.settle(DELIVERED)
  assert.deepEqual(batch.outcomes, [])
  y.batches[0]?.ack.settle(REJECTED)
  assert.deepEqual(batch.outcomes, [REJECTED])
})

test('a batch of which nothing goes anywhere is delivered: that was the purpose', () => {
  const x = collector()
  const batch = tracked(record({ to: [] }), record({ to: [] }))
  routeAmong(byTo, new Map([['x', x]]), uncounted).push(batch)
  assert.deepEqual([batch.outcomes, x.batches], [[DELIVERED], []])
})

test('a record that breaks the route costs itself, counted', () => {
  const x = collector()
  const lost: [number, string][] = []
  const route = (one: LogRecord): readonly string[] => {
    if (one.attributes['poison']) throw new Error('broke')
    return byTo(one)
  }
  const batch = tracked(record({ to: ['x'] }), record({ poison: true }), record({ to: ['nowhere'] }))
  routeAmong(route, new Map([['x', x]]), { lost: (count, reason) => lost.push([count, reason]) }).push(batch)
  assert.equal(x.batches[0]?.records.length, 1)
  assert.deepEqual(lost, Array(2).fill([1, 'connector_error']))
  x.batches[0]?.ack.settle(DELIVERED)
  assert.deepEqual(batch.outcomes, [DELIVERED])
})
