/** What was acknowledged before the program ended is not sent again, and what was not is. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type OtlpSink, otlpSink } from '../kit/otlp-sink.ts'
import { until, type Workspace, workspace } from '../kit/weir.ts'

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

const LINES = 400_000
const config = (more = ''): string => `
receivers: {file_log: {include: ["${room.path('a.log')}"], start_at: beginning${more}}}
exporters:
  otlp_http: {endpoint: "${sink.url}", retry_on_failure: {initial_interval: 20ms, max_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [file_log], exporters: [otlp_http]}}
`

const numbered = (): string => Array.from({ length: LINES }, (_, i) => `line ${i} ${'x'.repeat(80)}\n`).join('')

test('a run that is told to stop in the middle goes on where the last acknowledged record was', async () => {
  room.write('a.log', numbered())
  const acknowledged: string[] = []
  let delayMs = 100
  sink.respond = ({ records }, response: ServerResponse) => {
    setTimeout(() => {
      if (response.destroyed) return
      response.on('finish', () => acknowledged.push(...records.map(({ body }) => String(body).slice(0, 12))))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    }, delayMs)
  }
  const first = room.run(config())
  await until(() => acknowledged.length > 0, 'the first acknowledgement')
  const { code } = await first.end('SIGTERM')
  assert.equal(code, 0, first.stderr)
  const before = [...acknowledged]
  assert(before.length < LINES, 'the first run had time to send everything')
  assert.equal(new Set(before).size, before.length)

  delayMs = 0
  const second = room.run(config(), { flags: ['--drain'] })
  assert.equal((await second.ended).code, 0, second.stderr)
  assert.equal(acknowledged.length, LINES, 'a record came twice, or not at all')
  assert.equal(new Set(acknowledged).size, LINES)
})

test('a run whose destination hangs in the end keeps what was acknowledged before', async () => {
  room.write('a.log', numbered())
  const acknowledged: string[] = []
  let hangsFrom = LINES / 2
  sink.respond = ({ records }, response: ServerResponse) => {
    const lines = records.map(({ body }) => Number(String(body).split(' ')[1]))
    if (lines.some((line) => line >= hangsFrom)) return
    response.on('finish', () => acknowledged.push(...lines.map(String)))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  }
  const first = room.run(config().replace('service:\n', 'service:\n  shutdown_timeout: 300ms\n'))
  // Until none comes any more: one that is on its way when the run is cut off comes again, rightly.
  let seen = -1
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const isOver = acknowledged.length > LINES / 2 - 10_000 && acknowledged.length === seen
    seen = acknowledged.length
    return isOver
  }, 'all acknowledgements')
  const { code } = await first.end('SIGTERM')
  assert.notEqual(code, null, first.stderr)

  hangsFrom = LINES
  const second = room.run(config(), { flags: ['--drain'] })
  assert.equal((await second.ended).code, 0, second.stderr)
  assert.equal(acknowledged.length, LINES, 'a record came twice, or not at all')
  assert.equal(new Set(acknowledged).size, LINES)
})

test('damage to a compressed file makes a drained run end with 2, after what came before it', async () => {
  const bytes = gzipSync(Array.from({ length: 1000 }, (_, i) => `${i + 1}\n`).join(''))
  const damaged = bytes.fill(0, 1200, 1230)
  writeFileSync(room.path('a.log'), damaged)
  const one = room.run(config(', compression: gzip'), { flags: ['--drain'] })
  assert.equal((await one.ended).code, 2, one.stderr)
  assert(sink.accepted.length > 300)
  assert.match(one.stderr, /a\.log is corrupt gzip; \d+ compressed bytes are lost/)
  assert.match(one.stderr, /bytes of files LOST/)
})

test('a path that cannot be written fails the start at once', { timeout: 20_000 }, async () => {
  const file = config()
    .replace(/otlp_http: \{.*\}\}/, 'file: {path: /proc/nope/o.jsonl}')
    .replace('exporters: [otlp_http]', 'exporters: [file]')
  const one = room.run(file)
  const { code } = await one.ended
  assert.notEqual(code, 0)
  assert.match(one.stderr, /path: cannot open \/proc\/nope\/o\.jsonl: no such file or directory/)
})
