import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineExporter, defineProcessor, type Registry } from '../../src/component.ts'
import { buildIsland } from '../../src/graph/build.ts'
import { planGraph } from '../../src/graph/plan.ts'
import { QUICK, type World, world } from './kit.ts'

const never = new AbortController().signal
const common = { stability: 'alpha', summary: 'For tests.', examples: [], config: z.strictObject({}) } as const

function build(here: World, yaml: string) {
  const [plan] = planGraph(here.config(yaml)).islands
  assert(plan)
  return buildIsland(plan, { runtime: here.runtime, taking: never, now: never, shareBytes: 5000 })
}

/** A world that knows one component more. */
function worldWith(section: keyof Registry, definition: object): World {
  const here = world()
  ;(here.registry[section] as object[]).push(definition)
  return here
}

const yaml = (processor: string, exporter = 'sink') => `
receivers: {source: {}}
processors: {${processor}: ${processor === 'stamp' ? '{as: x}' : '{}'}}
exporters: {${exporter}: ${exporter === 'sink' ? QUICK : '{}'}}
service: {pipelines: {logs: {receivers: [source], processors: [${processor}], exporters: [${exporter}]}}}
`

test('nothing runs before it is started, and parts stand from the end of the flow to its beginning', () => {
  const here = world()
  const built = build(here, yaml('stamp'))
  assert.deepEqual(here.events, [])
  assert.deepEqual(
    built.parts.map(({ kind, id }) => `${kind} ${id}`),
    ['exporter sink', 'processor stamp', 'receiver source'],
  )
  assert.match(here.metrics.expose(), /weir_budget_limit_bytes\{receiver="source"\} 5000/)
  for (const [key, { status }] of here.health.components) assert.equal(status, 'ok', key)
  assert.deepEqual([...here.health.components.keys()].sort(), ['exporter:sink', 'processor:stamp', 'receiver:source'])
  built.forget()
})

test('one processor in two pipelines has an instance for each; a shared exporter has one', () => {
  const here = world()
  const built = build(
    here,
    `
receivers: {source: {}}
processors: {stamp: {as: x}}
exporters: {sink: ${QUICK}}
service:
  pipelines:
    logs/a: {receivers: [source], processors: [stamp], exporters: [sink]}
    logs/b: {receivers: [source], processors: [stamp], exporters: [sink]}
`,
  )
  assert.deepEqual([here.instances.get('stamp')?.length, here.instances.get('sink')?.length], [2, 1])
  assert.equal(built.chains.size, 1)
})

test('a component that cannot be made is named, and nothing is left of the others', () => {
  const here = worldWith(
    'exporters',
    defineExporter({
      ...common,
      type: 'unmakeable',
      create() {
        throw new Error('tls::ca_file: cannot read /x')
      },
    }),
  )
  assert.throws(() => build(here, yaml('stamp', 'unmakeable')), {
    message: 'failed to create exporter "unmakeable": tls::ca_file: cannot read /x',
  })
  assert.deepEqual([here.health.components.size, here.metrics.expose().trim()], [0, ''])
})

test('a processor whose operator cannot be made refuses the start, not the first record', () => {
  const here = worldWith(
    'processors',
    defineProcessor({
      ...common,
      type: 'inoperable',
      create: () => ({
        operator() {
          throw new Error('no model')
        },
      }),
    }),
  )
  assert.throws(() => build(here, yaml('inoperable')), /no model/)
})
