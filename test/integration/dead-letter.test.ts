import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { otlpSink } from '../kit/otlp-sink.ts'
import { until, type Workspace, weir, workspace } from '../kit/weir.ts'

const configOf = (url: string, queue = '{batch: {flush_timeout: 5ms}}', extension = ''): string => `
receivers: {file_log: {include: [INPUT], start_at: beginning}}
exporters: {otlp_http: {endpoint: '${url}', sending_queue: ${queue}, retry_on_failure: {initial_interval: 20ms}}}
extensions: {file_storage: }
service: {telemetry: {metrics: {level: none}}, extensions: [${extension}], pipelines: {logs: {receivers: [file_log], exporters: [otlp_http]}}}
`

async function trial(
  run: (room: Workspace, sink: Awaited<ReturnType<typeof otlpSink>>) => Promise<void>,
): Promise<void> {
  const room = workspace()
  const sink = await otlpSink()
  try {
    await run(room, sink)
  } finally {
    await room.remove()
    await sink.close()
  }
}

const command = async (room: Workspace, ...args: string[]) => {
  const one = weir([...args, '--state-dir', room.stateDir])
  const { code } = await one.ended
  return { code, stdout: one.stdout, stderr: one.stderr }
}
const lettersOf = (room: Workspace): string => {
  const path = join(room.stateDir, 'dead-letter.jsonl')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
const bodies = (sink: Awaited<ReturnType<typeof otlpSink>>): unknown[] => sink.accepted.map(({ body }) => body).sort()

test('dead letters are sent again by the Weir that runs, and refused ones stay with their reason', () =>
  trial(async (room, sink) => {
    const input = room.write('in.log', 'one\ntwo\nthree\n')
    sink.respond = (_, response) => void response.writeHead(400).end('no')
    const running = room.run(configOf(sink.url).replace('INPUT', input))
    await until(() => lettersOf(room).split('\n').length === 4, 'three dead letters')
    assert.equal(statSync(join(room.stateDir, 'control.sock')).mode & 0o777, 0o600)

    const again = await command(room, 'dead-letter', 'replay')
    assert.equal(again.code, 2)
    assert.match(again.stdout, /3 or some of them refused again/)
    assert.equal(lettersOf(room).split('\n').length, 4, 'they are in the file once')

    sink.respond = undefined
    const done = await command(room, 'dead-letter', 'replay')
    assert.deepEqual([done.code, done.stdout], [0, '3 delivered to otlp_http\n'])
    assert.deepEqual(bodies(sink), ['one', 'three', 'two'])
    assert.equal(lettersOf(room), '')
    const none = await command(room, 'dead-letter', 'replay')
    assert.deepEqual([none.code, none.stdout], [0, 'there are no dead letters\n'])
    const { code } = await running.end()
    assert.equal(code, 0)
    assert(!existsSync(join(room.stateDir, 'control.sock')))
  }))

test('without a running Weir the exporters of a configuration are started for it, and nothing else', () =>
  trial(async (room, sink) => {
    const input = room.write('in.log', 'one\ntwo\n')
    sink.respond = (_, response) => void response.writeHead(400).end('no')
    const running = room.run(configOf(sink.url).replace('INPUT', input))
    await until(() => lettersOf(room).split('\n').length === 3, 'two dead letters')
    await running.end()

    const helpless = await command(room, 'dead-letter', 'replay')
    assert.equal(helpless.code, 1)
    assert.match(helpless.stderr, /no Weir is running with .*--config FILE/)
    sink.respond = undefined
    room.write('in.log', 'one\ntwo\nthree, which nobody asked for\n')
    const config = room.path('weir.yaml')
    const other = await command(room, 'dead-letter', 'replay', '--config', config, '--to', 'nobody')
    assert.deepEqual(
      [other.code, other.stdout],
      [1, 'weir dead-letter: there is no exporter "nobody" in any pipeline\n'],
    )
    const done = await command(room, 'dead-letter', 'replay', '--config', config)
    assert.deepEqual([done.code, done.stdout], [0, '2 delivered to otlp_http\n'], done.stderr)
    assert.deepEqual(bodies(sink), ['one', 'two'])
  }))

test('what is no record, and what belongs to nobody, is kept', () =>
  trial(async (room, sink) => {
    const input = room.write('in.log', 'one\n')
    const running = room.run(configOf(sink.url).replace('INPUT', input))
    await until(() => sink.accepted.length === 1, 'the first line')
    const record = {
      time: '2026-01-02T03:04:05.000000006Z',
      observedTime: '2026-01-02T03:04:05Z',
      severity: 'INFO',
      severityNumber: 9,
      eventName: 'log',
      body: 'again',
      attributes: { a: 1 },
      resource: {},
      scope: { name: 'x' },
    }
    const lines = [
      JSON.stringify({ component: 'receiver:k8s_audit', reason: 'malformed', raw: '{' }),
      JSON.stringify({ component: 'exporter:gone', reason: 'http_400', record }),
      JSON.stringify({ component: 'exporter:otlp_http', reason: 'http_400', record: { ...record, time: 'yesterday' } }),
      'not JSON at all',
    ]
    writeFileSync(
      join(room.stateDir, 'dead-letter.jsonl'),
      `${[...lines, JSON.stringify({ component: 'exporter:otlp_http', record })].join('\n')}\n`,
    )
    const done = await command(room, 'dead-letter', 'replay')
    assert.equal(done.code, 2)
    assert.match(done.stdout, /1 delivered to otlp_http\n1 kept: they never became records/)
    assert.match(done.stdout, /1 kept: there is no exporter "gone" in the configuration; name another with --to/)
    assert.match(done.stdout, /1 kept: not a dead letter: time: expected a time such as/)
    assert.deepEqual(lettersOf(room).trimEnd().split('\n').sort(), lines.sort())
    assert.equal(sink.accepted.at(-1)?.body, 'again')
    await running.end()
  }))

test('the socket answers nonsense with a sentence, and lives on', () =>
  trial(async (room, sink) => {
    const running = room.run(configOf(sink.url).replace('INPUT', room.write('in.log', '')))
    await running.says(/Everything is ready/)
    const ask = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let got = ''
        const socket = createConnection(join(room.stateDir, 'control.sock'), () => socket.end(text))
        socket
          .on('data', (chunk) => (got += chunk))
          .on('close', () => resolve(got))
          .on('error', reject)
      })
    assert.match(await ask('{"command": "constructor"}\n'), /knows no command/)
    assert.match(await ask('what?\n'), /not valid JSON/)
    assert.match(await ask('x'.repeat(200_000)), /a request is one line of JSON|^$/)
    assert.equal((await command(room, 'queue', 'list')).stdout, 'nothing waits on disk\n')
    await running.end()
  }))

test('a queue of an exporter that is gone is told of, listed, and dropped on request alone', () =>
  trial(async (room, sink) => {
    sink.respond = (_, response) => void response.writeHead(503).end('no')
    const input = room.write('in.log', 'one\ntwo\n')
    const config = configOf(sink.url, '{storage: file_storage}', 'file_storage').replace('INPUT', input)
    const first = room.run(config)
    await until(
      async () => (await command(room, 'queue', 'list')).stdout.startsWith('otlp_http: 2 records'),
      'the queue',
    )
    const refused = await command(room, 'queue', 'drop', '--exporter', 'otlp_http')
    assert.deepEqual([refused.code, refused.stdout.includes('is running and sends its queue')], [1, true])
    await first.end()
    assert.match(first.stderr, /2 wait on disk for otlp_http, and are sent after the next start/)

    const second = room.run(config.replaceAll('otlp_http', 'otlp_http/other'))
    await second.says(/Records wait on disk for an exporter that is not configured.*otlp_http.*records=2/)
    const dropped = await command(room, 'queue', 'drop', '--exporter', 'otlp_http')
    assert.deepEqual([dropped.code, dropped.stdout], [0, '2 records of otlp_http were removed\n'])
    await second.end()
    assert.deepEqual((await command(room, 'queue', 'list')).stdout, 'nothing waits on disk\n')
  }))
