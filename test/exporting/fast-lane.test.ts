import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Late } from '../../src/exporting/fast-lane.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import { FAILED } from '../kit/outcomes.ts'
import { record, tracked } from '../kit/records.ts'

const late = () => {
  const batch = tracked(record())
  const count = { batches: 0, records: 0, bytes: 0 }
  return { batch, count, one: new Late(batch, count), kinds: () => batch.outcomes.map(({ kind }) => kind) }
}

test('whichever comes first answers the source, and only once', () => {
  const fast = late()
  assert.equal(fast.one.settle(DELIVERED), 'is settled')
  fast.one.answer(FAILED)
  const stored = late()
  stored.one.storing()
  stored.one.stored(() => {})
  assert.equal(stored.one.settle(FAILED), 'is settled')
  assert.deepEqual([fast.kinds(), stored.kinds()], [['delivered'], ['delivered']])
  assert.deepEqual([fast.count.batches, stored.count.records, stored.count.bytes], [0, 0, 0])
})

test('what its destination did not take and nobody has stored must be stored', () => {
  const { one, kinds } = late()
  assert.equal(one.settle(FAILED), 'must be stored')
  assert.deepEqual(kinds(), [])
})

test('what the disk can never have is answered by its destination alone, whichever is known first', () => {
  const before = late()
  before.one.storing()
  before.one.unstorable()
  assert.deepEqual(before.kinds(), [], 'it is on its way')
  before.one.settle(DELIVERED)
  const after = late()
  assert.equal(after.one.settle(FAILED), 'must be stored')
  after.one.storing()
  after.one.unstorable()
  assert.deepEqual([before.kinds(), after.kinds()], [['delivered'], ['failed']])
})
