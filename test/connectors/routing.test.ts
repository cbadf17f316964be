import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { routing } from '../../connectors/routing.ts'
import { attributes } from '../../processors/attributes/index.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import { testContext } from '../kit/context.ts'
import { definitionContract } from '../kit/contract.ts'
import { FAILED, REJECTED } from '../kit/outcomes.ts'
import { record, tracked } from '../kit/records.ts'
import { joined } from './kit.ts'

definitionContract(routing)

const FINDING = { event_name: { prefix: 'security.' } }
const LOUD = { severity: { min: 'error' } }
const rules = [
  { when: FINDING, pipelines: ['logs/siem', 'logs/loki'] },
  { when: LOUD, pipelines: ['logs/pager', 'logs/loki'] },
]
const finding = (n: number) => record({ n }, { eventName: 'security.anomaly' })
const loud = (n: number) => record({ n }, { severityNumber: 17 })
const both = (n: number) => record({ n }, { eventName: 'security.anomaly', severityNumber: 21 })
const plain = (n: number) => record({ n })
const WELL = { 'logs/siem': DELIVERED, 'logs/pager': DELIVERED, 'logs/loki': DELIVERED }

function routed(config: object, outcomes: Parameters<typeof joined>[2] = WELL) {
  const { entry, context, arrived } = joined(routing, config, outcomes)
  const batch = tracked(finding(0), loud(1), both(2), plain(3))
  entry.push(batch)
  const numbers = Object.fromEntries(
    Object.entries(arrived).map(([id, records]) => [id, records.map((each) => each.attributes['n'])]),
  )
  return { context, numbers, outcomes: batch.outcomes }
}

suite('each record goes where the table says', () => {
  test('by the first rule that matches', () => {
    const { numbers } = routed({ table: rules, default_pipelines: ['logs/loki'] })
    assert.deepEqual(numbers, { 'logs/siem': [0, 2], 'logs/pager': [1], 'logs/loki': [0, 1, 2, 3] })
  })

  test('by all rules that match, once to each pipeline', () => {
    const { numbers } = routed({ table: rules, match_once: false, default_pipelines: ['logs/loki'] })
    assert.deepEqual(numbers, { 'logs/siem': [0, 2], 'logs/pager': [1, 2], 'logs/loki': [0, 1, 2, 3] })
  })

  test('once, however often a rule names a pipeline', () => {
    const twice = ['logs/siem', 'logs/siem']
    const { numbers } = routed({ table: [{ when: FINDING, pipelines: twice }], default_pipelines: [...twice] })
    assert.deepEqual(numbers['logs/siem'], [0, 1, 2, 3])
  })

  test('nowhere when nothing matches: that is filtered, and delivered', () => {
    const { context, numbers, outcomes } = routed({ table: [{ when: LOUD, pipelines: ['logs/pager'] }] })
    assert.deepEqual(numbers['logs/pager'], [1, 2])
    assert.deepEqual([context.filteredBy, context.lostBy], [{ unrouted: 2 }, {}])
    assert.deepEqual(outcomes, [DELIVERED])
  })

  test('a batch of which nothing goes anywhere is delivered', () => {
    const { context, outcomes } = routed({ table: [{ when: { event_name: 'x' }, pipelines: ['logs/pager'] }] })
    assert.deepEqual([context.filteredBy, outcomes], [{ unrouted: 4 }, [DELIVERED]])
  })
})

suite('acknowledgements come back', () => {
  const table = { table: rules, default_pipelines: ['logs/loki'] }

  test('delivered once all pipelines have delivered', () => assert.deepEqual(routed(table).outcomes, [DELIVERED]))
  test('failed when one has failed, whatever the others say', () => {
    const outcomes = { 'logs/siem': REJECTED, 'logs/pager': FAILED, 'logs/loki': DELIVERED }
    assert.deepEqual(routed(table, outcomes).outcomes, [FAILED])
  })
  test('rejected when one has rejected and none failed', () => {
    assert.deepEqual(routed(table, { ...WELL, 'logs/pager': REJECTED }).outcomes, [REJECTED])
  })
  test('a pipeline that got nothing of a batch has no say', () => {
    const { entry } = joined(routing, table, { ...WELL, 'logs/siem': FAILED, 'logs/pager': FAILED })
    const batch = tracked(plain(0))
    entry.push(batch)
    assert.deepEqual(batch.outcomes, [DELIVERED])
  })
})

test('each pipeline may change what it got without the others noticing', () => {
  const config = attributes.config.parse({ actions: [{ key: 'n', action: 'upsert', value: 'changed' }] })
  const processor = attributes.create(config, testContext())
  const { entry, arrived } = joined(routing, { table: rules }, WELL, { 'logs/siem': [{ id: 'attributes', processor }] })
  entry.push(tracked(finding(1)))
  const seen = [arrived['logs/siem'], arrived['logs/loki']].map((records) => records?.[0]?.attributes['n'])
  assert.deepEqual(seen, ['changed', 1])
})

test('the pipelines it names are those of the table and the default', () => {
  const config = routing.config.parse({ table: rules, default_pipelines: ['logs'] })
  assert.deepEqual(new Set(routing.pipelinesOf?.(config)), new Set(['logs/siem', 'logs/loki', 'logs/pager', 'logs']))
})

test('what is no id of a pipeline is refused', () => {
  const { error } = routing.config.safeParse({ table: [{ when: LOUD, pipelines: ['traces/x'] }] })
  assert.match(error?.message ?? '', /id of a pipeline, such as logs\/siem/)
})
