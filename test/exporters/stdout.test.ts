import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { stdout } from '../../exporters/stdout/index.ts'
import { prettyLine } from '../../exporters/stdout/pretty.ts'
import { auditLine, auditLog, uids } from '../kit/audit-lines.ts'
import { exporterContract, type Mood } from '../kit/contract.ts'
import { decodeOtlp } from '../kit/otlp-decode.ts'
import { record } from '../kit/records.ts'
import { PROGRAM, until, type Workspace, workspace } from '../kit/weir.ts'

// Standard output belongs to the test runner here: only what the exporter writes is held in the mood's hand.
exporterContract(stdout, {
  moods: ['accepts', 'fails', 'hangs'],
  async destination() {
    const original = process.stdout.write
    const ids: string[] = []
    let mood: Mood = 'accepts'
    const write = (chunk: unknown, ...rest: unknown[]): boolean => {
      if (typeof chunk !== 'string' || !chunk.startsWith('{"time"')) {
        return Reflect.apply(original, process.stdout, [chunk, ...rest])
      }
      const done = rest.at(-1) as (error?: Error) => void
      if (mood === 'accepts') ids.push(...[...chunk.matchAll(/"id":"(\w+)"/g)].map(([, id]) => id as string))
      if (mood !== 'hangs') setImmediate(done, mood === 'fails' ? new Error('write EIO') : undefined)
      return true
    }
    process.stdout.write = write as typeof process.stdout.write
    return {
      config: { format: 'json' },
      mood: (next) => {
        mood = next
      },
      received: async () => ids,
      close: async () => {
        process.stdout.write = original
      },
    }
  },
})

let room: Workspace
beforeEach(() => {
  room = workspace()
})
afterEach(() => room.remove())

const config = (exporter = '{}'): string => `
receivers: {k8s_audit: {include: ["${room.path('audit.log')}"], start_at: beginning, poll_interval: 20ms}}
exporters: {stdout: ${exporter}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [k8s_audit], exporters: [stdout]}}
`

async function drained(exporter: string, log = auditLog(0, 3)): Promise<string[]> {
  room.write('audit.log', log)
  const one = room.run(config(exporter), { flags: ['--drain'] })
  assert.deepEqual(await one.ended, { code: 0, signal: null }, one.stderr)
  return one.stdout.trimEnd().split('\n')
}

test('json: one documented object a line', async () => {
  const lines = await drained('{format: json}')
  const records = lines.map((line) => JSON.parse(line))
  assert.deepEqual(
    records.map(({ attributes }) => attributes['log.record.uid']),
    uids(0, 3),
  )
  assert.deepEqual(Object.keys(records[0]), [
    ...['time', 'observedTime', 'severity', 'severityNumber', 'eventName', 'body', 'attributes', 'resource', 'scope'],
  ])
  assert.equal(records[0].time, '2026-11-02T03:00:00.004002000Z')
})

test('otlp_json: one request a line, as a Collector reads it', async () => {
  const lines = await drained('{format: otlp_json}')
  const records = lines.flatMap((line) => decodeOtlp(Buffer.from(line), 'application/json'))
  assert.deepEqual(
    records.map(({ attributes }) => attributes['log.record.uid']),
    uids(0, 3),
  )
})

test('pretty: one aligned line, without colours where nobody sees them', async () => {
  const [first] = await drained('{}')
  assert.match(
    first as string,
    /^2026-11-02 03:00:00\.004 {2}INFO2 {5}k8s\.audit {11}alice deleted secret shop\/db from 203\.0\.113\.7 with kubectl\/v1\.31$/,
  )
})

test('what events bring along never reaches the terminal', async () => {
  const evil = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r\nforged\u202e'
  const log = `${auditLine('e0', { user: { username: `alice${evil}` }, userAgent: evil, requestURI: `/api/${evil}` })}\n`
  for (const format of ['{}', '{color: always}', '{format: json}', '{format: otlp_json}']) {
    const text = (await drained(format, log))
      .join('\n')
      .replaceAll(/\u001b\[[0-9;]*m/g, format.includes('always') ? '' : '$&')
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/, format)
    assert(text.length > 0)
    assert.doesNotMatch(text, /\u202e/, 'nor turns the text around')
    if (format.includes('json}')) assert.match(JSON.stringify(JSON.parse(text)), /owned/)
    await room.remove()
    room = workspace()
  }
})

test('colours: by severity, and a finding stands out', () => {
  const plain = prettyLine(record({}, { eventName: 'security.detection', body: 'bad', severityNumber: 17 }), false)
  assert.match(plain, /ERROR {3}! security\.detection {2}bad\n$/)
  const coloured = prettyLine(record({}, { eventName: 'security.detection', body: 'bad', severityNumber: 17 }), true)
  assert.match(coloured, /\u001b\[31mERROR/)
  assert.match(coloured, /\u001b\[1;37;41m bad \u001b\[0m\n$/)
  for (const body of ['a\nb', 'a\u2028b', { map: 'of\nthings' }, undefined, 7] as never[]) {
    assert.equal(prettyLine(record({}, { body }), false).split('\n').length, 2, 'one line')
  }
})

/** The program writing into a pipe that closes after the first line. */
async function intoHead(flags: readonly string[], log: string) {
  room.write('audit.log', log)
  room.write('weir.yaml', config())
  const args = [...PROGRAM, 'run', '--config', room.path('weir.yaml'), '--state-dir', room.stateDir, ...flags]
  const shell = spawn('sh', ['-c', '("$@"; echo "exit $?" >&2) | head -1', 'sh', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const seen = { stdout: '', stderr: '' }
  shell.stdout.on('data', (chunk) => (seen.stdout += chunk))
  shell.stderr.on('data', (chunk) => (seen.stderr += chunk))
  const ended = new Promise((resolve) => shell.once('close', resolve))
  return { seen, ended, kill: () => process.kill(-(shell.pid as number), 'SIGKILL') }
}

test('a closed pipe ends the program cleanly and soon', { timeout: 30_000 }, async (t) => {
  // More than a pipe holds: the program is in the middle of writing when its reader goes.
  const { seen, ended, kill } = await intoHead([], auditLog(0, 3000))
  t.after(() => {
    try {
      kill()
    } catch {
      // It has ended, as it should.
    }
  })
  await until(() => seen.stdout !== '', 'the first line')
  const closedAt = Date.now()
  await ended
  assert(Date.now() - closedAt < 4000, 'within the limit')
  assert.equal(seen.stdout.trimEnd().split('\n').length, 1)
  assert.match(seen.stderr, /standard output was closed/)
  assert.match(seen.stderr, /^exit 0$/m)
  assert.doesNotMatch(seen.stderr, /^\s+at |EPIPE\n.*at |Unhandled|node:/m)
})

test('where the reader goes between two events, the next event ends the program', { timeout: 30_000 }, async (t) => {
  const { seen, ended, kill } = await intoHead([], auditLog(0, 1))
  t.after(() => {
    try {
      kill()
    } catch {
      // It has ended, as it should.
    }
  })
  await until(() => seen.stdout !== '', 'the first line')
  appendFileSync(room.path('audit.log'), auditLog(1, 3))
  await ended
  assert.match(seen.stderr, /^exit 0$/m)
})

test('a reader that only pauses loses nothing', async () => {
  room.write('audit.log', auditLog(0, 2000))
  const one = room.run(config('{format: json}'), { flags: ['--drain'] })
  one.child.stdout?.pause()
  await one.says(/Everything is ready/)
  await new Promise((resolve) => setTimeout(resolve, 500))
  one.child.stdout?.resume()
  assert.equal((await one.ended).code, 0)
  const got = one.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).attributes['log.record.uid'])
  assert.deepEqual(new Set(got), new Set(uids(0, 2000)))
  assert.equal(got.length, 2000)
})

test('a reader that never reads does not make the program deaf to signals', { timeout: 30_000 }, async () => {
  room.write('audit.log', auditLog(0, 3000))
  const one = room.run(config('{format: json}').replace('service:', 'service:\n  shutdown_timeout: 300ms'))
  one.child.stdout?.pause()
  await one.says(/Everything is ready/)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const askedAt = Date.now()
  one.child.kill('SIGTERM')
  await until(() => one.child.exitCode !== null, 'the end', 10_000)
  assert(Date.now() - askedAt < 5000)
  one.child.stdout?.resume()
  assert.equal((await one.ended).code, 0)
  assert.match(one.stderr, /replaying sources send it again/)
})
