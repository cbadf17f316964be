import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { auditLine, auditLog, uids } from '../kit/audit-lines.ts'
import { type OtlpSink, otlpSink } from '../kit/otlp-sink.ts'
import { freePort, type Workspace, weir, workspace } from '../kit/weir.ts'

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

const config = (more = ''): string => `
receivers: {k8s_audit: {include: ["${room.path('audit.log')}"], start_at: beginning}}
exporters:
  otlp_http: {endpoint: "${sink.url}", retry_on_failure: {initial_interval: 20ms, max_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [k8s_audit], exporters: [otlp_http]}}
${more}`
const arrived = (): unknown[] => sink.accepted.map(({ attributes }) => attributes['log.record.uid'])

test('everything delivered, or filtered on purpose, is 0, and the summary says what came to what', async () => {
  const noise = auditLog(100, 150, { stage: 'RequestReceived' })
  room.write('audit.log', auditLog(0, 100) + noise)
  const one = room.run(config(), { flags: ['--drain'] })
  assert.deepEqual(await one.ended, { code: 0, signal: null }, one.stderr)
  assert.deepEqual(arrived().sort(), uids(0, 100).sort())
  assert.match(one.stderr, /^150 events read in [\d.]+ s/m)
  assert.match(one.stderr, /^100 delivered to otlp_http$/m)
  assert.match(one.stderr, /^50 filtered on purpose by k8s_audit: stage$/m)
  assert.match(one.stderr, /^nothing rejected, nothing lost$/m)
})

test('a second drain has nothing left to read', async () => {
  room.write('audit.log', auditLog(0, 50))
  for (const events of [50, 0]) {
    const one = room.run(config(), { flags: ['--drain'] })
    assert.equal((await one.ended).code, 0)
    assert.match(one.stderr, new RegExp(`^${events} events read`, 'm'))
  }
  assert.equal(sink.accepted.length, 50)
})

test('a malformed line is 2: counted, in the dead-letter file with its place, and the rest arrives', async () => {
  room.write('audit.log', `${auditLog(0, 10)}{"half": \n${auditLog(10, 20)}`)
  const one = room.run(config(), { flags: ['--drain'] })
  assert.equal((await one.ended).code, 2, one.stderr)
  assert.deepEqual(arrived().sort(), uids(0, 20).sort())
  assert.match(one.stderr, /^1 rejected by k8s_audit: malformed \(see the dead-letter file\)$/m)
  assert.doesNotMatch(one.stderr, /nothing rejected/)
  const [letter, ...none] = readFileSync(`${room.stateDir}/dead-letter.jsonl`, 'utf8').trimEnd().split('\n')
  assert.equal(none.length, 0)
  const { component, reason, source, raw } = JSON.parse(letter as string)
  const offset = auditLog(0, 10).length
  assert.deepEqual(
    [component, reason, source],
    ['receiver:k8s_audit', 'malformed', `${room.path('audit.log')}:${offset}`],
  )
  assert.match(raw, /half/)
})

test('a record that the destination refuses is 2: it is found among the others, which arrive', async () => {
  room.write('audit.log', auditLog(0, 600))
  sink.respond = ({ records }, response) => {
    if (records.some(({ attributes }) => attributes['k8s.audit.id'] === 'e333')) {
      response.writeHead(400).end('{"message": "field [x] of e333 cannot be parsed"}')
      return
    }
    sink.accepted.push(...records)
    response.writeHead(200).end()
  }
  const one = room.run(config(), { flags: ['--drain'] })
  assert.equal((await one.ended).code, 2, one.stderr)
  assert.deepEqual(new Set(arrived()), new Set(uids(0, 600).filter((uid) => !uid.startsWith('e333/'))))
  assert.equal(sink.accepted.length, 599)
  assert.match(one.stderr, /^1 rejected by otlp_http: http_400 \(see the dead-letter file\)$/m)
  const letter = JSON.parse(readFileSync(`${room.stateDir}/dead-letter.jsonl`, 'utf8'))
  assert.equal(letter.record.attributes['log.record.uid'], 'e333/ResponseComplete')
  assert.match(letter.error, /cannot be parsed/)
})

test('a destination that is down for a while costs time and nothing else', async () => {
  room.write('audit.log', auditLog(0, 300))
  let upAt: number | undefined
  sink.respond = ({ records }, response) => {
    // However long the program takes to start: it finds nobody at first.
    upAt ??= Date.now() + 1500
    if (Date.now() < upAt) {
      response.destroy()
      return
    }
    sink.accepted.push(...records)
    response.writeHead(200).end()
  }
  const one = room.run(config(), { flags: ['--drain'] })
  assert.equal((await one.ended).code, 0, one.stderr)
  assert(upAt !== undefined && Date.now() >= upAt)
  assert.deepEqual(new Set(arrived()), new Set(uids(0, 300)))
  assert.match(one.stderr, /Exporting failed\. Will retry\./)
})

test('lines longer than anything and lines of nothing are no trouble', async () => {
  const large = `${auditLine('large', { annotations: { note: 'x'.repeat(900_000) } })}\n`
  room.write('audit.log', `\n\n${large}${auditLog(0, 5)}\n${auditLine('last')}`)
  const one = room.run(config(), { flags: ['--drain'] })
  assert.equal((await one.ended).code, 0, one.stderr)
  assert.equal(sink.accepted.length, 7)
})

for (const [what, text, said] of [
  [
    'an unknown key',
    'receivers: {k8s_audit: {includ: [x]}}',
    /weir\.yaml:1:25: receivers::k8s_audit::includ: .*include/,
  ],
  ['no pipeline', 'receivers: {}', /service/],
  ['no YAML', 'receivers: [', /weir\.yaml:/],
] as const) {
  test(`a configuration with ${what} is 1, with the place and no stack trace`, async () => {
    const one = room.run(text)
    assert.equal((await one.ended).code, 1)
    assert.match(one.stderr, said)
    assert.doesNotMatch(one.stderr, /^\s+at /m)
  })
}

test('a configuration file that is not there is 1, named', async () => {
  const one = weir(['run', '--config', room.path('none.yaml'), '--state-dir', room.stateDir])
  assert.equal((await one.ended).code, 1)
  assert.match(one.stderr, /none\.yaml/)
  assert.doesNotMatch(one.stderr, /^\s+at /m)
})

test('a port that is in use is 1, in a sentence, for metrics and for an extension', async () => {
  const server = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  try {
    const reader = `{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}}}}}`
    const metrics = room.run(config().replace('level: none', `readers: [${reader}]`))
    assert.equal((await metrics.ended).code, 1)
    assert.match(
      metrics.stderr,
      /^weir run: service::telemetry::metrics: cannot listen on 127\.0\.0\.1:\d+: the address is in use/m,
    )
    const health = room.run(
      `extensions: {health_check: {endpoint: "127.0.0.1:${port}"}}\n${config().replace('service:', 'service:\n  extensions: [health_check]')}`,
    )
    assert.equal((await health.ended).code, 1)
    assert.match(health.stderr, /^weir run: failed to start extensions::health_check: .*EADDRINUSE/m)
    for (const { stderr } of [metrics, health]) assert.doesNotMatch(stderr, /^\s+at /m)
  } finally {
    server.close()
  }
})

test('a state directory that another Weir uses is 1, and the other is not disturbed', async () => {
  room.write('audit.log', auditLog(0, 1))
  const first = room.run(config())
  await first.says(/Everything is ready/)
  const second = room.run(config(), { flags: ['--drain'] })
  assert.equal((await second.ended).code, 1)
  assert.match(second.stderr, /^weir run: .*state.*(use|lock)/im)
  assert.doesNotMatch(second.stderr, /^\s+at /m)
  assert.deepEqual(await first.end(), { code: 0, signal: null })
})

test('a state directory that cannot be written is 1, with the way out', async () => {
  room.write('state', 'a file')
  const one = room.run(config(), { flags: ['--drain'] })
  assert.equal((await one.ended).code, 1)
  assert.match(one.stderr, /--state-dir/)
})

test('an exporter that cannot be made is 1, named', async () => {
  const tls = `tls: {ca_file: ${room.path('none.pem')}}`
  const one = room.run(config().replace('endpoint:', `${tls}, endpoint:`))
  assert.equal((await one.ended).code, 1)
  assert.match(one.stderr, /otlp_http.*none\.pem/)
})

test('a full disk under the dead-letter file holds the records, and the run ends when there is room', async (t) => {
  const { NO_TINY_DISK, tinyDisk } = await import('../kit/tiny-disk.ts')
  if (NO_TINY_DISK) {
    t.skip(NO_TINY_DISK)
    return
  }
  const disk = tinyDisk(512)
  try {
    mkdirSync(`${disk.dir}/state`)
    room.write('audit.log', `${auditLog(0, 3)}nonsense\n`)
    room.write('weir.yaml', config())
    const args = ['run', '--config', room.path('weir.yaml'), '--state-dir', `${disk.dir}/state`]
    // The store is opened first, and then the disk fills up.
    room.write('audit.log', '')
    const one = weir(args)
    await one.says(/Everything is ready/)
    disk.fill()
    room.write('audit.log', `${auditLog(0, 3)}nonsense\n`)
    await one.says(/dead-letter file cannot be written/)
    disk.free()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.deepEqual(await one.end(), { code: 0, signal: null })
    assert.equal(JSON.parse(readFileSync(`${disk.dir}/state/dead-letter.jsonl`, 'utf8')).reason, 'malformed')
    assert.deepEqual(new Set(arrived()), new Set(uids(0, 3)))
  } finally {
    disk.remove()
  }
})
