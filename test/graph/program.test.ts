import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Program } from '../../src/graph/program.ts'
import { until } from '../kit/weir.ts'
import { QUICK, type World, world } from './kit.ts'

/** Pipelines by name, each with a source and a sink of its own. */
function pipelines(notes: Readonly<Record<string, string>>, more = ''): string {
  const names = Object.keys(notes)
  const each = (write: (name: string) => string): string => names.map(write).join(', ')
  return `
receivers: {${each((name) => `source/${name}: {note: "${notes[name]}"}`)}}
exporters: {${each((name) => `sink/${name}: ${QUICK}`)}}
${more}
  pipelines: {${each((name) => `logs/${name}: {receivers: [source/${name}], exporters: [sink/${name}]}`)}}
`
}
const SERVICE = 'service:'

async function running(here: World, yaml: string): Promise<Program> {
  const program = new Program(here.runtime)
  await program.start(here.config(yaml))
  await sleep(5)
  return program
}

test('a reload leaves an unchanged island alone, down to its instances, and exchanges the changed one', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1', b: '1' }, SERVICE))
  const before = here.instances.get('source/a')
  const result = await program.reload(here.config(pipelines({ a: '1', b: '2' }, SERVICE)), 1000)
  assert.deepEqual(result, { kept: 1, started: 1, stopped: 1 })
  assert.equal(here.instances.get('source/a'), before, 'no second instance was made')
  assert.equal(here.instances.get('source/b')?.length, 2)
  assert(!here.events.includes('stop source/a'))
  await until(() => here.source('source/b').runs === 1, 'the new receiver runs')
  assert.equal((await here.source('source/a').emit('a')).kind, 'delivered')
  assert.equal((await here.source('source/b').emit('b')).kind, 'delivered')
  await program.stop(1000)
})

test('pipelines are added and removed, and nothing of a removed one is left', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1' }, SERVICE))
  assert.deepEqual(await program.reload(here.config(pipelines({ a: '1', b: '1' }, SERVICE)), 1000), {
    kept: 1,
    started: 1,
    stopped: 0,
  })
  assert.deepEqual(await program.reload(here.config(pipelines({ b: '1' }, SERVICE)), 1000), {
    kept: 1,
    started: 0,
    stopped: 1,
  })
  assert(here.events.includes('stop source/a') && here.events.includes('stop sink/a'))
  assert.deepEqual([...here.health.components.keys()].sort(), ['exporter:sink/b', 'receiver:source/b'])
  await program.stop(1000)
})

test('an old island is drained before its successor starts', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1' }, SERVICE))
  here.sink('sink/a').mood = 'fails'
  const outcome = here.source('source/a').emit('held')
  await until(() => here.sink('sink/a').attempts > 0, 'an attempt')
  here.events.length = 0
  const reloaded = program.reload(here.config(pipelines({ a: '2' }, SERVICE)), 5000)
  await sleep(30)
  assert.deepEqual(here.events, [], 'the successor waits')
  here.sink('sink/a').mood = 'accepts'
  assert.equal((await outcome).kind, 'delivered')
  await reloaded
  assert.deepEqual(here.events, ['stop source/a', 'stop sink/a', 'start sink/a', 'start source/a'])
  await program.stop(1000)
})

test('when the new configuration fails to start, the old one comes back and the untouched part never stopped', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1', b: '1' }, SERVICE))
  here.failStart.add('sink/c')
  const next = here.config(pipelines({ a: '1', b: '2', c: '1' }, SERVICE))
  await assert.rejects(program.reload(next, 1000), /failed to start exporters::sink\/c: sink\/c does not want to/)
  assert.equal(here.instances.get('source/a')?.length, 1)
  assert.equal(here.instances.get('source/b')?.length, 3, 'old, new, old again')
  await until(() => here.source('source/b').runs === 1, 'it runs')
  assert.equal((await here.source('source/b').emit('b')).kind, 'delivered')
  assert(!here.health.components.has('exporter:sink/c'))
  here.failStart.clear()
  assert.deepEqual(await program.reload(next, 1000), { kept: 1, started: 2, stopped: 1 })
  await program.stop(1000)
})

test('what the new configuration had started already is stopped again, before the old comes back', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1' }, SERVICE))
  here.failStart.add('sink/z')
  here.events.length = 0
  await assert.rejects(program.reload(here.config(pipelines({ a: '2', z: '1' }, SERVICE)), 1000), /sink\/z/)
  assert.deepEqual(here.events, [
    ...['stop source/a', 'stop sink/a'],
    ...['start sink/a', 'start source/a'],
    ...['start sink/z', 'stop source/z', 'stop sink/z'],
    ...['stop source/a', 'stop sink/a'],
    ...['start sink/a', 'start source/a'],
  ])
  await program.stop(1000)
})

test('an old part that cannot come back is told by health, and a later reload brings it back', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1', b: '1' }, SERVICE))
  here.failStart.add('sink/b')
  await assert.rejects(program.reload(here.config(pipelines({ a: '1', b: '2' }, SERVICE)), 1000), /sink\/b/)
  assert.equal(here.health.components.get('host:configuration')?.status, 'permanent')
  assert.equal((await here.source('source/a').emit('a')).kind, 'delivered')
  here.failStart.clear()
  assert.deepEqual(await program.reload(here.config(pipelines({ a: '1', b: '1' }, SERVICE)), 1000), {
    kept: 1,
    started: 1,
    stopped: 0,
  })
  assert(!here.health.components.has('host:configuration'))
  await program.stop(1000)
})

test('the same configuration again changes nothing', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1' }, SERVICE))
  here.events.length = 0
  assert.deepEqual(await program.reload(here.config(pipelines({ a: '1' }, SERVICE)), 1000), {
    kept: 1,
    started: 0,
    stopped: 0,
  })
  assert.deepEqual(here.events, [])
  await program.stop(1000)
})

test('extensions start before everything else and stop after it; a reload exchanges the changed ones alone', async () => {
  const here = world()
  const withExtensions = (note: string): string =>
    `extensions: {ext/a: {}, ext/b: {note: "${note}"}}\n${pipelines({ a: '1' }, 'service:\n  extensions: [ext/a, ext/b]')}`
  const program = await running(here, withExtensions('1'))
  assert.deepEqual(here.events, ['start ext/a', 'start ext/b', 'start sink/a', 'start source/a'])
  here.events.length = 0
  await program.reload(here.config(withExtensions('2')), 1000)
  assert.deepEqual(here.events, ['stop ext/b', 'start ext/b'])
  here.events.length = 0
  await program.stop(1000)
  assert.deepEqual(here.events, ['stop source/a', 'stop sink/a', 'stop ext/b', 'stop ext/a'])
})

test('a start is all or nothing', async () => {
  const here = world()
  here.failStart.add('sink/b')
  await assert.rejects(running(here, pipelines({ a: '1', b: '1' }, SERVICE)), /failed to start exporters::sink\/b/)
  assert(here.events.includes('stop source/a') && here.events.includes('stop sink/a'))
})

test('stopping tells how much was cut off', async () => {
  const here = world()
  const program = await running(here, pipelines({ a: '1', b: '1' }, SERVICE))
  here.sink('sink/a').mood = 'hangs'
  const outcome = here.source('source/a').emit('x')
  await sleep(20)
  assert.equal(await program.stop(20), 1)
  assert.equal((await outcome).kind, 'failed')
})
