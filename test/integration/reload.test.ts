import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditLog, uids } from '../kit/audit-lines.ts'
import { type OtlpSink, otlpSink } from '../kit/otlp-sink.ts'
import { freePort, until, type WeirProcess, type Workspace, weir, workspace } from '../kit/weir.ts'

let room: Workspace
let sink: OtlpSink
beforeEach(async () => {
  room = workspace()
  sink = await otlpSink()
})
afterEach(async () => {
  await room.remove()
  await sink.close()
})

interface Choice {
  readonly names: readonly string[]
  /** Another value for the first name's receiver. */
  readonly poll?: string
  readonly more?: string
  readonly metrics?: string
}

/** A pipeline for each name, from `name.log` to the sink's own path. */
function config({ names, poll = '20ms', more = '', metrics = '{level: none}' }: Choice): string {
  const each = (write: (name: string, i: number) => string): string => names.map(write).join(', ')
  return `
receivers: {${each((name, i) => `k8s_audit/${name}: {include: ["${room.path(name)}.log"], start_at: beginning, poll_interval: ${i === 0 ? poll : '20ms'}}`)}}
exporters: {${each((name) => `otlp_http/${name}: {logs_endpoint: "${sink.url}/${name}"}`)}}
service:
  telemetry: {metrics: ${metrics}}
  pipelines: {${each((name) => `logs/${name}: {receivers: [k8s_audit/${name}], exporters: [otlp_http/${name}]}`)}}
${more}`
}
const arrived = (name: string): unknown[] =>
  sink.requests
    .filter(({ path }) => path === `/${name}`)
    .flatMap(({ records }) => records.map(({ attributes }) => attributes['log.record.uid']))
const add = (name: string, from: number, to: number): void =>
  appendFileSync(room.path(`${name}.log`), auditLog(from, to))
const has = (name: string, from: number, to: number) =>
  until(() => uids(from, to).every((uid) => arrived(name).includes(uid)), `${name} ${from} to ${to}`)

async function ready(choice: Choice, flags: readonly string[] = []): Promise<WeirProcess> {
  const one = room.run(config(choice), { flags })
  await one.says(/Everything is ready/)
  return one
}
async function reload(one: WeirProcess, yaml: string, answer: RegExp): Promise<void> {
  room.write('weir.yaml', yaml)
  one.child.kill('SIGHUP')
  await one.says(answer)
}

test('SIGHUP: pipelines are added, changed and removed, and the unchanged one never stops', async () => {
  for (const name of ['a', 'b', 'c']) add(name, 0, 5)
  const one = await ready({ names: ['b', 'a'] })
  await has('a', 0, 5)
  await has('b', 0, 5)
  await reload(one, config({ names: ['b', 'a', 'c'] }), /reloaded\. reload=1 why=SIGHUP kept=2 started=1 stopped=0/)
  await has('c', 0, 5)
  await reload(one, config({ names: ['b', 'a', 'c'], poll: '30ms' }), /kept=2 started=1 stopped=1/)
  for (const name of ['a', 'b', 'c']) add(name, 5, 10)
  for (const name of ['a', 'b', 'c']) await has(name, 5, 10)
  await reload(one, config({ names: ['b', 'a'], poll: '30ms' }), /kept=2 started=0 stopped=1/)
  add('c', 10, 15)
  add('a', 10, 15)
  await has('a', 10, 15)
  await sleep(200)
  assert.deepEqual(arrived('c'), uids(0, 10), 'a removed pipeline reads no more, and what was read came once')
  assert.deepEqual(arrived('b'), uids(0, 10), 'an exchanged pipeline goes on where it was')
  assert.deepEqual(await one.end(), { code: 0, signal: null })
})

test('an invalid file changes nothing and says why, every time', async () => {
  add('a', 0, 5)
  const one = await ready({ names: ['a'] })
  await has('a', 0, 5)
  for (const time of [1, 2]) {
    await reload(one, 'receivers: {k8s_audit: {includ: []}}', new RegExp(`old one keeps running\\. reload=${time} `))
    assert.match(one.stderr, new RegExp(`weir\\.yaml:1:25: receivers::k8s_audit::includ: .* reload=${time}`))
  }
  add('a', 5, 10)
  await has('a', 5, 10)
  assert.deepEqual(arrived('a'), uids(0, 10))
  await one.end()
})

test('a valid file that cannot be started changes nothing either, and the old pipelines come back', async () => {
  add('a', 0, 5)
  const one = await ready({ names: ['a'] })
  await has('a', 0, 5)
  const occupied = `127.0.0.1:${new URL(sink.url).port}`
  const more = `extensions: {health_check: {endpoint: "${occupied}"}}`
  const yaml = config({ names: ['a'], poll: '30ms', more }).replace(
    'service:',
    'service:\n  extensions: [health_check]',
  )
  await reload(one, yaml, /could not be started; the old one keeps running\. reload=1 .*EADDRINUSE/)
  add('a', 5, 10)
  await has('a', 5, 10)
  assert.deepEqual(arrived('a'), uids(0, 10))
  await one.end()
})

test('metrics move to another port, or stay where they are when that one is taken', async () => {
  const [first, second] = [await freePort(), await freePort()]
  const at = (port: number | string): string =>
    `{readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}}}}}]}`
  const answers = async (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    )
  const one = await ready({ names: ['a'], metrics: at(first) })
  assert(await answers(first))
  await reload(
    one,
    config({ names: ['a'], metrics: at(new URL(sink.url).port) }),
    /could not be started.*address is in use/,
  )
  assert(await answers(first), 'the old port answers again')
  await reload(one, config({ names: ['a'], metrics: at(second) }), /reloaded\. reload=2/)
  assert.deepEqual([await answers(first), await answers(second)], [false, true])
  const text = await (await fetch(`http://127.0.0.1:${second}/metrics`)).text()
  assert.match(text, /weir_config_reloads\{result="refused"\} 1/)
  await one.end()
})

test('what only a start can change is said, not passed over', async () => {
  const one = await ready({ names: ['a'] })
  await reload(
    one,
    config({ names: ['a'], metrics: '{level: none}, logs: {level: debug}' }),
    /at the next start\. keys=service::telemetry::logs/,
  )
  await one.end()
})

test('--watch: a changed file is read again, and nothing else in its directory matters', async () => {
  add('a', 0, 5)
  add('b', 0, 5)
  // The state directory and the logs are beside the configuration: they change all the time.
  const one = await ready({ names: ['a'] }, ['--watch'])
  for (let i = 1; i < 8; i++) {
    add('a', i * 5, i * 5 + 5)
    await sleep(60)
  }
  await has('a', 35, 40)
  assert.doesNotMatch(one.stderr, /reloaded/)
  room.write('weir.yaml', config({ names: ['a', 'b'] }))
  await one.says(/reloaded\. reload=1 why="a file of the configuration changed" kept=1 started=1 stopped=0/)
  await has('b', 0, 5)
  room.write('weir.yaml', 'nonsense')
  await one.says(/old one keeps running\. reload=2/)
  // As an editor does: a new file in the place of the old.
  room.write('weir.yaml.new', config({ names: ['b'] }))
  renameSync(room.path('weir.yaml.new'), room.path('weir.yaml'))
  await one.says(/reloaded\. reload=3 .* stopped=1/)
  room.write('weir.yaml', config({ names: ['b'] }))
  await sleep(800)
  assert.doesNotMatch(one.stderr, /reload=4/, 'the same content is no change')
  await one.end()
})

test('--watch: a ConfigMap is swapped by a link, and files that come in with it are watched too', async () => {
  add('a', 0, 5)
  add('b', 0, 5)
  const mount = room.path('mount')
  mkdirSync(mount)
  const publish = (version: string, files: Record<string, string>): void => {
    mkdirSync(`${mount}/..${version}`)
    for (const [name, text] of Object.entries(files)) writeFileSync(`${mount}/..${version}/${name}`, text)
    symlinkSync(`..${version}`, `${mount}/..data_tmp`)
    renameSync(`${mount}/..data_tmp`, `${mount}/..data`)
  }
  publish('v1', { 'weir.yaml': config({ names: ['a'] }) })
  symlinkSync('..data/weir.yaml', `${mount}/weir.yaml`)
  const one = weir(['run', '--watch', '--config', `${mount}/weir.yaml`, '--state-dir', room.stateDir])
  try {
    await one.says(/Everything is ready/)
    await has('a', 0, 5)
    const level = room.write('level.yaml', '30ms')
    publish('v2', {
      'weir.yaml': config({ names: ['a', 'b'] }).replace('poll_interval: 20ms', `poll_interval: "\${file:${level}}"`),
    })
    await one.says(/reload=1 .*kept=0 started=2 stopped=1/)
    await has('b', 0, 5)
    room.write('level.yaml', '40ms')
    await one.says(/reload=2 .*kept=1 started=1 stopped=1/)
    rmSync(`${mount}/..v1`, { recursive: true })
    assert.deepEqual(arrived('a'), uids(0, 5))
  } finally {
    await one.end('SIGKILL')
  }
})
