import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyRecord, copyRecords } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

test('a copy has attributes of its own and shares what nobody may change', () => {
  const one = record({ a: 1 })
  const copy = copyRecord(one)
  assert.deepEqual(copy, one)
  copy.attributes['a'] = 2
  copy.attributes['b'] = 3
  copy.body = 'other'
  assert.deepEqual([one.attributes, one.body], [{ a: 1 }, 'hello'])
  assert.equal(copy.resource, one.resource)
  assert.equal(copy.instrumentationScope, one.instrumentationScope)
})

test('copies of a list are copies of its records', () => {
  const records = [record({ a: 1 }), record({ a: 2 })]
  const copies = copyRecords(records)
  for (const copy of copies) copy.attributes['a'] = 0
  assert.deepEqual(
    records.map(({ attributes }) => attributes['a']),
    [1, 2],
  )
})
