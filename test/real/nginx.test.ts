/** A real nginx between Weir and its destination: its error pages, its limits, its idea of connections, its death. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Destination, type Mood, startDestination } from '../kit/faulty-destination.ts'
import { type Nginx, NO_NGINX, nginx } from '../kit/nginx.ts'
import { arrivals, writeLines } from '../kit/numbered.ts'
import { freePort, type WeirProcess, type Workspace, workspace } from '../kit/weir.ts'

const skip = NO_NGINX

interface Scene {
  readonly room: Workspace
  readonly to: Destination
  readonly port: number
  /** nginx before the destination, with more directives of `server` and of `location`. */
  proxy(server: string, location?: string): Promise<Nginx>
  /** Weir, which follows `in.log` and sends it to nginx. */
  weir(keys?: string): Promise<WeirProcess>
  /** The sum of Weir's counters whose name and labels match. */
  counter(pattern: RegExp): Promise<number>
  /** Status codes that nginx has given, each with how often. */
  statuses(): Record<string, number>
}

async function scene(t: TestContext, mood?: Mood): Promise<Scene> {
  const room = workspace()
  const to = await startDestination(mood)
  const [port, metrics] = [await freePort(), await freePort()]
  const started: Nginx[] = []
  writeFileSync(room.path('in.log'), '')
  t.after(async () => {
    await Promise.all(started.map((one) => one.kill()))
    await room.remove()
    await to.close()
  })
  return {
    room,
    to,
    port,
    async proxy(server, location = '') {
      const upstream = `location / { proxy_pass ${to.url}; ${location} }`
      const one = await nginx(room.path('nginx'), `server { listen 127.0.0.1:${port}; ${server} ${upstream} }`, port)
      started.push(one)
      return one
    },
    async weir(keys = '') {
      const retry = 'retry_on_failure: {initial_interval: 20ms, max_interval: 200ms}'
      const weir = room.run(`
receivers: {file_log: {include: ['${room.path('in.log')}'], start_at: beginning, poll_interval: 20ms}}
exporters: {otlp_http: {endpoint: 'http://127.0.0.1:${port}', timeout: 5s, ${retry}, ${keys || BATCH}}}
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]}}
  pipelines: {logs: {receivers: [file_log], exporters: [otlp_http]}}
`)
      await weir.says(/Everything is ready/)
      return weir
    },
    async counter(pattern) {
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      const lines = text.split('\n').filter((line) => !line.startsWith('#') && pattern.test(line))
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
    statuses() {
      const log = room.path('nginx/access.log')
      const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
      return Object.fromEntries(
        Object.entries(Object.groupBy(lines, (line) => /" (\d{3}) /.exec(line)?.[1] ?? '')).map(([status, all]) => [
          status,
          all?.length ?? 0,
        ]),
      )
    },
  }
}

const BATCH = 'sending_queue: {batch: {min_size: 100, flush_timeout: 20ms}}'
const HELD = /^weir_exporter_retries\w*\{.*reason="held"/
const RETRIES = /^weir_exporter_retries/

for (const size of [200, 5000]) {
  test(`requests of ${size} kB that nginx answers with 413 go in parts`, { skip }, async (t) => {
    const { room, to, ...one } = await scene(t)
    await one.proxy('client_max_body_size 64k;')
    const count = size === 200 ? 2000 : 10_000
    await writeLines(room.path('in.log'), { count, ms: 20, padding: 900 })
    const weir = await one.weir(
      `compression: none, sending_queue: {batch: {min_size: ${size}, max_size: ${size}, flush_timeout: 200ms}}`,
    )
    const { arrived, duplicates } = await arrivals(to, count)
    assert.deepEqual({ arrived, duplicates }, { arrived: count, duplicates: 0 })
    const [retries, statuses] = [await one.counter(RETRIES), one.statuses()]
    t.diagnostic(`${JSON.stringify(statuses)}, ${retries} retries`)
    assert(Number(statuses['413']) > 0)
    assert.equal((await weir.end()).code, 0)
    assert(!existsSync(room.path('state/dead-letter.jsonl')))
  })
}

test('web pages with 502 and 504 mean later, not never', { skip }, async (t) => {
  const { room, to, ...one } = await scene(t, { kind: 'down' })
  await one.proxy('', 'proxy_read_timeout 300ms; proxy_connect_timeout 300ms;')
  const weir = await one.weir()
  await writeLines(room.path('in.log'), { count: 500, ms: 500 })
  await weir.says(/answered 502/)
  await to.mood({ kind: 'hangs' })
  await writeLines(room.path('in.log'), { first: 500, count: 500, ms: 500 })
  await weir.says(/answered 504/)
  assert.equal(await one.counter(HELD), 0)
  await to.mood({ kind: 'accepts' })
  const { arrived } = await arrivals(to, 1000)
  t.diagnostic(JSON.stringify(one.statuses()))
  assert.equal(arrived, 1000)
  assert.equal((await weir.end()).code, 0)
  assert(!existsSync(room.path('state/dead-letter.jsonl')))
})

for (const keep of ['keepalive_requests 3; keepalive_timeout 1s;', 'keepalive_timeout 40ms;']) {
  test(`connections lose and double nothing, and are no failure, with ${keep}`, { skip }, async (t) => {
    const { room, to, ...one } = await scene(t)
    await one.proxy(keep)
    // Requests with pauses about as long as nginx keeps a connection: it closes some just as the next one leaves.
    const weir = await one.weir('sending_queue: {num_consumers: 2, batch: {min_size: 1, flush_timeout: 1ms}}')
    const isLong = keep.includes('1s')
    const count = isLong ? 1800 : 300
    for (let first = 0, burst = 0; first < count; burst++) {
      const size = isLong ? 300 : 1
      await writeLines(room.path('in.log'), { first, count: size, ms: isLong ? 100 : 1 })
      first += size
      await sleep(isLong ? 880 + burst * 5 : burst % 10)
    }
    const { arrived, duplicates } = await arrivals(to, count)
    const retries = await one.counter(RETRIES)
    t.diagnostic(`${retries} retries; ${JSON.stringify(one.statuses())}`)
    assert.deepEqual({ arrived, duplicates, retries }, { arrived: count, duplicates: 0, retries: 0 })
    assert.doesNotMatch(weir.stderr, /unhealthy/)
    assert.equal((await weir.end()).code, 0)
  })
}

test('an nginx that is reloaded while requests are on their way loses and doubles nothing', { skip }, async (t) => {
  const { room, to, ...one } = await scene(t, { kind: 'is slow', ms: 50 })
  const proxy = await one.proxy('')
  const weir = await one.weir()
  const count = 10_000
  const writing = writeLines(room.path('in.log'), { count, ms: 5000 })
  for (let i = 0; i < 10; i++) {
    await sleep(450)
    proxy.child.kill('SIGHUP')
  }
  await writing
  const { arrived, duplicates } = await arrivals(to, count)
  t.diagnostic(`${duplicates} duplicates, ${await one.counter(RETRIES)} retries`)
  assert.equal(arrived, count)
  assert.equal(await one.counter(HELD), 0)
  assert.equal((await weir.end()).code, 0)
})

test('an nginx that is killed while requests are on their way loses nothing', { skip }, async (t) => {
  const { room, to, ...one } = await scene(t, { kind: 'is slow', ms: 50 })
  let proxy = await one.proxy('')
  const weir = await one.weir()
  const count = 10_000
  const writing = writeLines(room.path('in.log'), { count, ms: 5000 })
  for (let i = 0; i < 5; i++) {
    await sleep(500 + Math.random() * 400)
    await proxy.kill()
    await sleep(Math.random() * 200)
    proxy = await one.proxy('')
  }
  await writing
  const { arrived, duplicates } = await arrivals(to, count)
  t.diagnostic(`${duplicates} duplicates, ${await one.counter(RETRIES)} retries`)
  assert.equal(arrived, count)
  assert.equal(await one.counter(HELD), 0)
  assert.equal((await weir.end()).code, 0)
})
