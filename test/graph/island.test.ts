import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../../src/flow/ack.ts'
import { type RunningIsland, startIsland } from '../../src/graph/island.ts'
import { planGraph } from '../../src/graph/plan.ts'
import { until } from '../kit/weir.ts'
import { QUICK, type World, world } from './kit.ts'

async function start(here: World, yaml: string): Promise<RunningIsland> {
  const [plan] = planGraph(here.config(yaml)).islands
  assert(plan)
  const island = await startIsland(plan, here.runtime, 1 << 20)
  await until(() => plan.receivers.every(({ id }) => here.source(id)?.runs > 0), 'the receivers run')
  return island
}
const kindsOf = async (outcomes: readonly Promise<Outcome>[]): Promise<string[]> =>
  (await Promise.all(outcomes)).map(({ kind }) => kind)

const simple = `
receivers: {source: {}}
processors: {stamp: {as: x}}
exporters: {sink: ${QUICK}}
service: {pipelines: {logs: {receivers: [source], processors: [stamp], exporters: [sink]}}}
`

test('records go through, are counted at every door, and their source hears "delivered"', async () => {
  const here = world()
  const island = await start(here, simple)
  assert.equal((await here.source('source').emit(1, 2, 3)).kind, 'delivered')
  await island.stop(1000)
  assert.deepEqual(
    here.sink('sink').records.map(({ attributes }) => attributes['x']),
    ['1', '2', '3'],
  )
  const { metrics } = here
  for (const name of [
    'otelcol_receiver_accepted_log_records',
    'otelcol_processor_incoming_items',
    'otelcol_processor_outgoing_items',
    'otelcol_exporter_sent_log_records',
    'weir_receiver_outcomes',
  ] as const) {
    assert.equal(metrics.sum(name), 3, name)
  }
})

test('a processor that throws costs one record, counted; the others arrive', async () => {
  const here = world()
  const island = await start(here, simple)
  assert.equal((await here.source('source').emit(1, 'poison', 3)).kind, 'delivered')
  await island.stop(1000)
  assert.deepEqual(here.sink('sink').values, [1, 3])
  assert.equal(here.metrics.sum('weir_component_lost_records', { component: 'stamp', reason: 'processor_error' }), 1)
})

test('an operator whose stream errors is rebuilt, its batch failed, and the next one passes', async () => {
  const here = world()
  const island = await start(here, simple.replace('{stamp: {as: x}}', '{fragile: {}}').replace('[stamp]', '[fragile]'))
  const { emit } = here.source('source')
  const kinds: string[] = []
  for (const value of [1, 'bomb', 2]) kinds.push((await emit(value)).kind)
  assert.deepEqual(kinds, ['delivered', 'failed', 'delivered'])
  assert.equal(here.metrics.sum('weir_operator_rebuilds', { component: 'fragile' }), 1)
  assert.equal(here.metrics.sum('otelcol_receiver_failed_log_records'), 1)
  await island.stop(1000)
  assert.deepEqual(here.sink('sink').values, [1, 2])
})

const twoSinks = `
receivers: {source: {}}
exporters: {sink/good: ${QUICK}, sink/bad: ${QUICK}}
service: {pipelines: {logs: {receivers: [source], exporters: [sink/good, sink/bad]}}}
`

test('with one of two exporters down the source is told "failed"; sent again, only the good one has duplicates', async () => {
  const here = world()
  const { emit } = await (async () => {
    const island = await start(here, twoSinks)
    here.sink('sink/bad').mood = 'fails'
    const first = here.source('source').emit(1, 2)
    await until(() => here.sink('sink/bad').attempts > 2, 'the bad one was tried')
    assert.deepEqual(here.sink('sink/good').values, [1, 2])
    assert.equal(await island.stop(20), 1, 'one batch was cut off')
    assert.equal((await first).kind, 'failed')
    await start(here, twoSinks)
    here.sink('sink/bad').mood = 'accepts'
    return here.source('source')
  })()
  assert.equal((await emit(1, 2)).kind, 'delivered')
  assert.deepEqual(here.sink('sink/good').values, [1, 2, 1, 2])
  assert.deepEqual(here.sink('sink/bad').values, [1, 2])
})

test('several pipelines from one receiver own their copies', async () => {
  const here = world()
  const island = await start(
    here,
    `
receivers: {source: {}}
processors: {stamp/a: {as: a}, stamp/b: {as: b}}
exporters: {sink/a: ${QUICK}, sink/b: ${QUICK}}
service:
  pipelines:
    logs/a: {receivers: [source], processors: [stamp/a], exporters: [sink/a]}
    logs/b: {receivers: [source], processors: [stamp/b], exporters: [sink/b]}
`,
  )
  assert.equal((await here.source('source').emit(7)).kind, 'delivered')
  await island.stop(1000)
  const seen = ['sink/a', 'sink/b'].map((id) => here.sink(id).records.map(({ attributes }) => attributes))
  assert.deepEqual(seen, [[{ v: 7, a: '7' }], [{ v: 7, b: '7' }]])
})

const routed = `
receivers: {source: {}}
processors: {stamp: {as: routed}}
connectors:
  forward: {}
  routing: {table: [{when: {severity: {min: warn}}, pipelines: [logs/findings]}]}
exporters: {sink/all: ${QUICK}, sink/findings: ${QUICK}}
service:
  pipelines:
    logs/in: {receivers: [source], exporters: [forward, routing]}
    logs/all: {receivers: [forward], exporters: [sink/all]}
    logs/findings: {receivers: [routing], processors: [stamp], exporters: [sink/findings]}
`

test('connectors keep acks: the source hears of a failure behind one, and everything is where it belongs', async () => {
  const here = world()
  const island = await start(here, routed)
  here.sink('sink/findings').mood = 'fails'
  const outcome = here.source('source').emit('fine', 'bad')
  await until(() => here.sink('sink/findings').attempts > 0, 'the route was taken')
  await sleep(10)
  here.sink('sink/findings').mood = 'accepts'
  assert.equal((await outcome).kind, 'delivered')
  assert.deepEqual(here.sink('sink/all').values, ['fine', 'bad'])
  assert.deepEqual(here.sink('sink/findings').values, ['bad'])
  assert.deepEqual(
    here.sink('sink/all').records.map(({ attributes }) => 'routed' in attributes),
    [false, false],
    'what one pipeline writes into a record the other does not see',
  )
  assert.equal(here.metrics.sum('weir_component_filtered_records', { component: 'routing', reason: 'unrouted' }), 1)
  await island.stop(1000)
})

test('exporters start first and receivers last; receivers stop first and exporters last', async () => {
  const here = world()
  const island = await start(here, simple)
  await island.stop(1000)
  assert.deepEqual(here.events, ['start sink', 'start stamp', 'start source', 'stop source', 'stop stamp', 'stop sink'])
})

test('stopping delivers what is held for a fuller batch', async () => {
  const here = world()
  const island = await start(here, simple.replace('flush_timeout: 1ms', 'flush_timeout: 1h'))
  const outcome = here.source('source').emit(1)
  assert.equal(await island.stop(5000), 0)
  assert.equal((await outcome).kind, 'delivered')
})

test('what is not delivered within the limit settles "failed", and its number is told', async () => {
  const here = world()
  here.sink('sink').mood = 'hangs'
  const island = await start(here, simple)
  const outcomes = [here.source('source').emit(1), here.source('source').emit(2)]
  await sleep(20)
  assert.equal(await island.stop(30), 2)
  assert.deepEqual(await kindsOf(outcomes), ['failed', 'failed'])
})

for (const [what, arrange, yaml] of [
  ['a receiver that does not heed its signal', (here) => here.ignoreAbort.add('source'), simple],
  ['a component that does not stop', (here) => here.hangStop.add('stamp'), simple],
  [
    'a processor that loses an ack',
    () => {},
    simple.replace('{stamp: {as: x}}', '{swallow: {}}').replace('[stamp]', '[swallow]'),
  ],
] as [string, (here: World) => void, string][]) {
  test(`${what} does not hold up the shutdown, and is named in the log`, { timeout: 10_000 }, async () => {
    const here = world()
    arrange(here)
    const island = await start(here, yaml)
    void here.source('source').emit(1)
    await sleep(20)
    await island.stop(50)
    assert(
      here.logged.some((line) => /left behind/.test(line)),
      here.logged.join('\n'),
    )
    assert(here.events.includes('stop sink'), 'the others were stopped')
  })
}

test('when one component fails to start, those before it are stopped and nothing is left to be seen', async () => {
  const here = world()
  here.failStart.add('stamp')
  await assert.rejects(start(here, simple), /failed to start processors::stamp: stamp does not want to/)
  assert.deepEqual(here.events.slice(0, 2), ['start sink', 'start stamp'])
  assert(here.events.includes('stop sink'))
  assert.equal(here.health.components.size, 0)
})

test('a receiver that fails is started again, unhealthy until then', async () => {
  const here = world()
  const island = await start(here, simple)
  here.source('source').fail(new Error('the disk is gone'))
  await until(() => here.health.components.get('receiver:source')?.status === 'recoverable', 'unhealthy')
  assert.match(here.health.components.get('receiver:source')?.reason ?? '', /the disk is gone/)
  assert.equal(here.metrics.sum('weir_component_healthy', { component: 'source' }), 0)
  await until(() => here.source('source').runs === 2, 'it runs again')
  assert.equal(here.metrics.sum('weir_component_healthy', { component: 'source' }), 1)
  assert.equal((await here.source('source').emit(1)).kind, 'delivered')
  assert.equal(here.metrics.sum('weir_receiver_restarts'), 1)
  await island.stop(1000)
})

test('an island that is gone leaves no gauge and no health behind, and its counters stay', async () => {
  const here = world()
  const island = await start(here, simple)
  here.sink('sink').mood = 'fails'
  void here.source('source').emit(1)
  await until(() => here.health.components.get('exporter:sink')?.status === 'recoverable', 'unhealthy')
  assert.match(here.metrics.expose(), /weir_component_healthy\{component="sink",kind="exporter"\} 0/)
  await island.stop(10)
  assert.equal(here.health.components.size, 0)
  const text = here.metrics.expose()
  assert.doesNotMatch(text, /weir_component_healthy\{|queue_size\{|weir_budget_used_bytes\{/)
  assert.match(text, /otelcol_receiver_accepted_log_records\{receiver="source",transport=""\} 1/)
})

test('it has ended when every receiver that can end has', async () => {
  const here = world()
  const island = await start(here, simple)
  let isOver = false
  void island.ended.then(() => {
    isOver = true
  })
  await sleep(10)
  assert.equal(isOver, false)
  here.source('source').end()
  await until(() => isOver, 'the end')
  await island.stop(1000)
})
