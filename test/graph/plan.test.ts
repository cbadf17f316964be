import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Plan, planGraph } from '../../src/graph/plan.ts'
import { world } from './kit.ts'

const { config } = world()

const plan = (yaml: string): Plan => planGraph(config(yaml))
const shape = ({ islands }: Plan): string[][] => islands.map(({ pipelines }) => pipelines.map(({ id }) => id))

const apart = `
receivers: {source/a: {}, source/b: {}}
exporters: {sink/a: {}, sink/b: {}}
service:
  pipelines:
    logs/a: {receivers: [source/a], exporters: [sink/a]}
    logs/b: {receivers: [source/b], exporters: [sink/b]}
`

test('pipelines that share nothing are islands of their own', () => {
  assert.deepEqual(shape(plan(apart)), [['logs/a'], ['logs/b']])
})

test('a shared receiver or exporter joins two pipelines', () => {
  assert.deepEqual(shape(plan(apart.replace('[source/b]', '[source/a, source/b]'))), [['logs/a', 'logs/b']])
  assert.deepEqual(shape(plan(apart.replace('[sink/b]', '[sink/b, sink/a]'))), [['logs/a', 'logs/b']])
})

test('a pipeline joins two that were apart before it', () => {
  const yaml = `${apart}    logs/c: {receivers: [source/b], exporters: [sink/a]}\n`
  assert.deepEqual(shape(plan(yaml)), [['logs/a', 'logs/b', 'logs/c']])
})

test('a shared processor joins nothing: each pipeline has its own', () => {
  const yaml = apart
    .replaceAll('exporters: [', 'processors: [stamp], exporters: [')
    .replace('exporters:', 'processors: {stamp: {as: x}}\nexporters:')
  assert.deepEqual(shape(plan(yaml)), [['logs/a'], ['logs/b']])
})

const chained = `
receivers: {source: {}}
connectors: {forward/one: {}, forward/two: {}}
exporters: {sink: {}}
service:
  pipelines:
    logs/last: {receivers: [forward/two], exporters: [sink]}
    logs/middle: {receivers: [forward/one], exporters: [forward/two]}
    logs/first: {receivers: [source], exporters: [forward/one]}
`

test('connectors join, and whoever feeds another comes first', () => {
  const { islands } = plan(chained)
  assert.deepEqual(shape({ islands, extensions: [] }), [['logs/first', 'logs/middle', 'logs/last']])
  assert.deepEqual(
    islands.map(({ receivers, connectors, exporters }) =>
      [receivers, connectors, exporters].map((all) => all.map(({ id }) => id)),
    ),
    [[['source'], ['forward/two', 'forward/one'], ['sink']]],
  )
})

test('what no pipeline uses is in no island', () => {
  const yaml = apart.replace('sink/b: {}', 'sink/b: {}, sink/idle: {}')
  assert.deepEqual(
    plan(yaml).islands.flatMap(({ exporters }) => exporters.map(({ id }) => id)),
    ['sink/a', 'sink/b'],
  )
})

test('the fingerprint of an island changes exactly when something in it does', () => {
  const prints = (yaml: string): string[] => plan(yaml).islands.map(({ fingerprint }) => fingerprint)
  const [a, b] = prints(apart)
  assert.deepEqual(prints(apart), [a, b])
  const [a2, b2] = prints(apart.replace('sink/b: {}', 'sink/b: {note: changed}'))
  assert.equal(a2, a)
  assert.notEqual(b2, b)
  const [a3] = prints(
    apart.replace('[source/a]', '[source/a, source/a2]').replace('source/a: {}', 'source/a: {}, source/a2: {}'),
  )
  assert.notEqual(a3, a)
})

test('extensions keep the order of the service', () => {
  const yaml = `extensions: {ext/a: {}, ext/b: {}}\n${apart.replace('service:', 'service:\n  extensions: [ext/b, ext/a]')}`
  assert.deepEqual(
    plan(yaml).extensions.map(({ id }) => id),
    ['ext/b', 'ext/a'],
  )
})
