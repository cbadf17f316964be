import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forward } from '../../connectors/forward.ts'
import { attributes } from '../../processors/attributes/index.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import { testContext } from '../kit/context.ts'
import { definitionContract } from '../kit/contract.ts'
import { FAILED, REJECTED } from '../kit/outcomes.ts'
import { record, tracked } from '../kit/records.ts'
import { joined } from './kit.ts'

definitionContract(forward)

test('every record arrives once in every pipeline', () => {
  const { entry, arrived } = joined(forward, {}, { 'logs/a': DELIVERED, 'logs/b': DELIVERED, 'logs/c': DELIVERED })
  const batch = tracked(record({ n: 1 }), record({ n: 2 }))
  entry.push(batch)
  for (const records of Object.values(arrived)) {
    assert.deepEqual(
      records.map((each) => each.attributes['n']),
      [1, 2],
    )
  }
  assert.deepEqual(batch.outcomes, [DELIVERED])
})

test('each pipeline may change what it got without the others noticing', () => {
  const config = attributes.config.parse({ actions: [{ key: 'n', action: 'delete' }] })
  const processor = attributes.create(config, testContext())
  const { entry, arrived } = joined(
    forward,
    {},
    { 'logs/a': DELIVERED, 'logs/b': DELIVERED },
    { 'logs/a': [{ id: 'attributes', processor }] },
  )
  entry.push(tracked(record({ n: 1 })))
  assert.deepEqual([arrived['logs/a']?.[0]?.attributes, arrived['logs/b']?.[0]?.attributes], [{}, { n: 1 }])
})

for (const [name, outcomes, expected] of [
  ['one pipeline that fails makes the source send again', [DELIVERED, FAILED, REJECTED], FAILED],
  ['one that rejects rejects where no other fails', [DELIVERED, REJECTED], REJECTED],
  ['a single pipeline answers for itself', [FAILED], FAILED],
] as const) {
  test(name, () => {
    const { entry } = joined(forward, {}, Object.fromEntries(outcomes.map((outcome, i) => [`logs/${i}`, outcome])))
    const batch = tracked(record())
    entry.push(batch)
    assert.deepEqual(batch.outcomes, [expected])
  })
}
