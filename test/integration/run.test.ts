import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'
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

const RETRY = 'retry_on_failure: {initial_interval: 20ms, max_interval: 50ms}'
const config = (service = ''): string => `
receivers: {k8s_audit: {include: ["${room.path('audit.log')}"], start_at: beginning, poll_interval: 20ms}}
exporters:
  otlp_http: {endpoint: "${sink.url}", ${RETRY}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [k8s_audit], exporters: [otlp_http]}}
  ${service}
`
const arrived = (from = sink): unknown[] => from.accepted.map(({ attributes }) => attributes['log.record.uid'])
const add = (from: number, to: number, more = {}): void =>
  appendFileSync(room.path('audit.log'), auditLog(from, to, more))

async function ready(one: WeirProcess): Promise<WeirProcess> {
  await one.says(/Everything is ready/)
  return one
}

test('SIGTERM delivers what was read, saves how far that was, and is 0', async () => {
  add(0, 500)
  sink.respond = ({ records }, response) => {
    // Slow enough for the signal to come while requests are on their way.
    setTimeout(() => {
      sink.accepted.push(...records)
      response.writeHead(200).end()
    }, 300)
  }
  const one = await ready(room.run(config()))
  await until(() => sink.requests.length > 0, 'a request')
  assert.equal(sink.accepted.length, 0)
  assert.deepEqual(await one.end('SIGTERM'), { code: 0, signal: null })
  assert.match(one.stderr, /Starting shutdown\.\.\. why=SIGTERM/)
  const before = sink.accepted.length
  assert(before > 0)
  sink.respond = undefined
  await room.run(config(), { flags: ['--drain'] }).ended
  assert.deepEqual(new Set(arrived()), new Set(uids(0, 500)))
  assert.equal(sink.accepted.length, 500, 'nothing came twice')
})

test('a shutdown that takes too long is cut off, is 0, and what was not delivered comes after the restart', async () => {
  add(0, 50)
  sink.respond = () => {} // Never answers.
  const one = await ready(room.run(config('shutdown_timeout: 300ms')))
  await until(() => sink.requests.length > 0, 'a request')
  const askedAt = Date.now()
  assert.deepEqual(await one.end('SIGTERM'), { code: 0, signal: null })
  assert(Date.now() - askedAt < 3000)
  assert.match(one.stderr, /before everything was delivered; replaying sources send it again/)
  sink.respond = undefined
  assert.equal((await room.run(config(), { flags: ['--drain'] }).ended).code, 0)
  assert.deepEqual(new Set(arrived()), new Set(uids(0, 50)))
})

test('a second SIGINT ends at once; nothing is missing after the restart', async () => {
  add(0, 50)
  sink.respond = () => {}
  const one = await ready(room.run(config()))
  await until(() => sink.requests.length > 0, 'a request')
  one.child.kill('SIGINT')
  await one.says(/Starting shutdown/)
  assert.equal(one.child.exitCode, null, 'it waits for the destination')
  const askedAt = Date.now()
  assert.deepEqual(await one.end('SIGINT'), { code: 1, signal: null })
  assert(Date.now() - askedAt < 1000)
  sink.respond = undefined
  assert.equal((await room.run(config(), { flags: ['--drain'] }).ended).code, 0)
  assert.deepEqual(new Set(arrived()), new Set(uids(0, 50)))
})

test('signals during the start are followed, not fatal', async () => {
  add(0, 5)
  const one = room.run(config())
  await until(() => {
    try {
      const caught = /^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${one.child.pid}/status`, 'utf8'))?.[1]
      return (BigInt(`0x${caught}`) & 1n) === 1n // The lowest bit is SIGHUP's.
    } catch {
      return false
    }
  }, 'SIGHUP is caught')
  one.child.kill('SIGHUP')
  assert.deepEqual(await one.end('SIGTERM'), { code: 0, signal: null })
})

test('a destination that goes away for a while under load is waited for', async () => {
  const one = await ready(room.run(config()))
  let isUp = true
  sink.respond = ({ records }, response) => {
    if (!isUp) {
      response.destroy()
      return
    }
    sink.accepted.push(...records)
    response.writeHead(200).end()
  }
  for (let i = 0; i < 30; i++) {
    isUp = i < 5 || i > 20
    add(i * 20, i * 20 + 20)
    await sleep(50)
  }
  await until(() => new Set(arrived()).size === 600, 'everything arrived')
  assert.deepEqual(await one.end(), { code: 0, signal: null })
  assert.deepEqual(new Set(arrived()), new Set(uids(0, 600)))
})

test('secrets of the environment are used, and appear in no log, not in errors either', async () => {
  add(0, 5)
  const secret = 'hunter2-s3cr3t-token'
  const yaml = config().replace('endpoint:', 'headers: {Authorization: "Bearer ${env:WEIR_TEST_TOKEN}"}, endpoint:')
  sink.respond = (_, response) => void response.writeHead(401).end('bad token')
  const debug = yaml.replace('metrics: {level: none}', 'metrics: {level: none}, logs: {level: debug, encoding: json}')
  const one = await ready(room.run(debug, { env: { WEIR_TEST_TOKEN: secret } }))
  await one.says(/401/)
  assert.equal(sink.requests[0]?.headers.authorization, `Bearer ${secret}`)
  room.write('weir.yaml', `${debug}\nnonsense: {}`)
  one.child.kill('SIGHUP')
  await one.says(/old one keeps running/)
  sink.respond = undefined
  room.write('weir.yaml', debug)
  await until(() => sink.accepted.length === 5, 'delivered in the end')
  await one.end()
  assert.doesNotMatch(one.stderr + one.stdout, new RegExp(secret))
  for (const line of one.stderr.split('\n').filter((each) => each.startsWith('{'))) JSON.parse(line)
})

test('/metrics tells the run under the names of the Collector', async () => {
  const port = await freePort()
  const health = await freePort()
  const reader = `{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}}}}}`
  const yaml = `
receivers: {k8s_audit: {include: ["${room.path('audit.log')}"], start_at: beginning, poll_interval: 20ms}}
processors: {filter: {drop: [{attribute: user.name, equals: bob}]}}
exporters: {otlp_http: {endpoint: "${sink.url}", ${RETRY}}}
extensions: {health_check: {endpoint: "127.0.0.1:${health}"}}
service:
  extensions: [health_check]
  telemetry: {metrics: {readers: [${reader}]}}
  pipelines: {logs: {receivers: [k8s_audit], processors: [filter], exporters: [otlp_http]}}
`
  add(0, 40)
  add(40, 50, { user: { username: 'bob' } })
  add(50, 57, { stage: 'RequestReceived' })
  appendFileSync(room.path('audit.log'), 'no JSON\n')
  let failures = 2
  sink.respond = ({ records }, response) => {
    if (failures-- > 0) {
      response.writeHead(503).end()
      return
    }
    sink.accepted.push(...records)
    response.writeHead(200).end()
  }
  const one = await ready(room.run(yaml))
  await until(() => sink.accepted.length === 40, 'all of it')
  await sleep(100)
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const value = (series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    )
  const expected: Record<string, number> = {
    'otelcol_receiver_accepted_log_records{receiver="k8s_audit",transport=""}': 50,
    'otelcol_processor_incoming_items{processor="filter",otel_signal="logs"}': 50,
    'otelcol_processor_outgoing_items{processor="filter",otel_signal="logs"}': 40,
    'otelcol_exporter_sent_log_records{exporter="otlp_http"}': 40,
    'otelcol_exporter_queue_size{exporter="otlp_http",data_type="logs"}': 0,
    'otelcol_exporter_in_flight_requests{exporter="otlp_http",data_type="logs"}': 0,
    'weir_exporter_retries{exporter="otlp_http",reason="unavailable"}': 2,
    'weir_component_filtered_records{component="filter",kind="processor",reason="filtered"}': 10,
    'weir_component_filtered_records{component="k8s_audit",kind="receiver",reason="stage"}': 7,
    'weir_component_rejected_records{component="k8s_audit",kind="receiver",reason="malformed"}': 1,
    'weir_receiver_outcomes{receiver="k8s_audit",outcome="delivered"}': 50,
    'weir_budget_used_bytes{receiver="k8s_audit"}': 0,
    'weir_component_healthy{component="otlp_http",kind="exporter"}': 1,
    'weir_file_bytes_read{receiver="k8s_audit"}': readFileSync(room.path('audit.log')).length,
  }
  for (const [series, wanted] of Object.entries(expected)) assert.equal(value(series), wanted, `${series}\n${text}`)
  for (const name of ['otelcol_process_uptime', 'otelcol_process_memory_rss', 'otelcol_process_cpu_seconds']) {
    assert(value(name) > 0, name)
  }
  assert.equal((await fetch(`http://127.0.0.1:${health}/`)).status, 200)
  assert.deepEqual(await one.end(), { code: 0, signal: null })
})

test('readiness names the component that is held up, while liveness stays', async () => {
  const health = await freePort()
  add(0, 3)
  sink.respond = (_, response) => void response.writeHead(403).end('no such tenant')
  const one = await ready(
    room.run(`extensions: {health_check: {endpoint: "127.0.0.1:${health}"}}\n${config('extensions: [health_check]')}`),
  )
  const ask = async () => (await fetch(`http://127.0.0.1:${health}/`)).status
  await until(async () => (await ask()) === 503, 'readiness fails')
  assert.match(await (await fetch(`http://127.0.0.1:${health}/`)).text(), /exporter:otlp_http.*403: no such tenant/)
  assert.equal((await fetch(`http://127.0.0.1:${health}/live`)).status, 200)
  sink.respond = undefined
  await until(async () => (await ask()) === 200, 'ready again')
  assert.equal(sink.accepted.length, 3)
  await one.end()
})

test('forward and routing: everything to one destination, only what is bad to another as well', async () => {
  const siem = await otlpSink()
  const yaml = `
receivers: {k8s_audit: {include: ["${room.path('audit.log')}"], start_at: beginning}}
connectors:
  forward: {}
  routing: {table: [{when: {severity: {min: warn}}, pipelines: [logs/siem]}]}
exporters:
  otlp_http/all: {endpoint: "${sink.url}", ${RETRY}}
  otlp_http/siem: {endpoint: "${siem.url}", ${RETRY}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs/in: {receivers: [k8s_audit], exporters: [forward, routing]}
    logs/all: {receivers: [forward], exporters: [otlp_http/all]}
    logs/siem: {receivers: [routing], exporters: [otlp_http/siem]}
`
  try {
    add(0, 100)
    add(100, 120, { responseStatus: { metadata: {}, code: 403 } })
    const one = room.run(yaml, { flags: ['--drain'] })
    assert.equal((await one.ended).code, 0, one.stderr)
    assert.deepEqual(new Set(arrived()), new Set(uids(0, 120)))
    assert.deepEqual(new Set(arrived(siem)), new Set(uids(100, 120)))
    assert.match(one.stderr, /^100 filtered on purpose by routing: unrouted$/m)
  } finally {
    await siem.close()
  }
})

test('whoever read the log may go: nothing else changes', async () => {
  add(0, 5)
  const one = await ready(room.run(config()))
  await until(() => sink.accepted.length === 5, 'the first events')
  one.child.stderr?.destroy()
  one.child.kill('SIGHUP') // Something to log.
  await sleep(200)
  add(5, 10)
  await until(() => sink.accepted.length === 10, 'the later events')
  one.child.kill('SIGTERM')
  await until(() => one.child.exitCode !== null, 'the end')
  assert.equal(one.child.exitCode, 0)
})

test('a command whose reader goes says nothing about it', async () => {
  const one = weir(['schema'])
  one.child.stdout?.destroy()
  assert.deepEqual([await one.ended, one.stderr], [{ code: 0, signal: null }, ''])
})
