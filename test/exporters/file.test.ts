import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { file } from '../../exporters/file/index.ts'
import type { Exporter } from '../../src/component.ts'
import { testContext } from '../kit/context.ts'
import { exporterContract } from '../kit/contract.ts'
import { decodeOtlp } from '../kit/otlp-decode.ts'
import { record } from '../kit/records.ts'
import { NO_TINY_DISK, tinyDisk } from '../kit/tiny-disk.ts'
import { until } from '../kit/weir.ts'

const never = new AbortController().signal
let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-file-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')
const idsIn = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).attributes.id)

suite('into a directory that is taken away', () => {
  exporterContract(file, {
    moods: ['accepts', 'fails'],
    async destination() {
      const room = mkdtempSync(join(tmpdir(), 'weir-contract-'))
      const target = join(room, 'out')
      const path = join(target, 'events.jsonl')
      return {
        config: { path },
        mood(mood) {
          rmSync(target, { recursive: true, force: true })
          if (mood === 'fails') writeFileSync(target, 'a file where the directory was')
        },
        received: async () => idsIn(readFileSync(path, 'utf8')),
        close: async () => rmSync(room, { recursive: true }),
      }
    },
  })
})

suite('onto a disk that is full', { skip: NO_TINY_DISK }, () => {
  if (NO_TINY_DISK) return
  exporterContract(file, {
    moods: ['accepts', 'fails'],
    async destination() {
      const disk = tinyDisk(64)
      const path = join(disk.dir, 'events.jsonl')
      return {
        config: { path },
        mood: (mood) => (mood === 'fails' ? disk.fill() : disk.free()),
        received: async () => idsIn(readFileSync(path, 'utf8')),
        close: async () => disk.remove(),
      }
    },
  })
})

async function open(config: object): Promise<Exporter> {
  const exporter = file.create(file.config.parse({ path: at('events.jsonl'), ...config }), testContext())
  await exporter.start?.(never)
  return exporter
}
const send = (exporter: Exporter, ...ids: string[]): Promise<void> =>
  exporter.export(
    ids.map((id) => record({ id, pad: 'x'.repeat(100) })),
    never,
  )
const backups = (): string[] =>
  readdirSync(dir)
    .filter((name) => name !== 'events.jsonl')
    .sort()

test('records are lines of JSON, appended to what was there', async () => {
  for (const id of ['a', 'b']) {
    const exporter = await open({})
    await send(exporter, id)
    await exporter.stop?.(never)
  }
  assert.deepEqual(idsIn(readFileSync(at('events.jsonl'), 'utf8')), ['a', 'b'])
  assert.equal(statSync(at('events.jsonl')).mode & 0o777 & ~0o640, 0)
})

test('as otlp_json each line is a request that a Collector reads', async () => {
  const exporter = await open({ format: 'otlp_json' })
  await send(exporter, 'a', 'b')
  await send(exporter, 'c')
  await exporter.stop?.(never)
  const requests = linesOf(at('events.jsonl')).map((line) => decodeOtlp(Buffer.from(line), 'application/json'))
  assert.deepEqual(
    requests.map((records) => records.map(({ attributes }) => attributes['id'])),
    [['a', 'b'], ['c']],
  )
})

test('a file that is full is put aside, under a name that sorts by time, and none grows past its limit', async () => {
  const exporter = await open({ rotation: { max_size: 1500, max_backups: 0 } })
  for (let i = 0; i < 30; i++) await send(exporter, `r${i}`)
  await exporter.stop?.(never)
  const names = backups()
  assert(names.length >= 4)
  for (const name of names) {
    assert.match(name, /^events-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}(\.\d+)?\.jsonl$/)
    assert(statSync(at(name)).size <= 1500)
  }
  const all = [...names, 'events.jsonl'].flatMap((name) => idsIn(readFileSync(at(name), 'utf8')))
  assert.deepEqual(new Set(all), new Set(Array.from({ length: 30 }, (_, i) => `r${i}`)))
  assert.equal(all.length, 30)
})

test('the lines of a batch are split over files, of which none grows past its limit', async () => {
  const exporter = await open({ rotation: { max_size: 1500, max_backups: 0 } })
  const ids = Array.from({ length: 40 }, (_, i) => `r${String(i).padStart(2, '0')}`)
  await send(exporter, ...ids.slice(0, 3))
  await send(exporter, ...ids.slice(3))
  const names = [...backups(), 'events.jsonl'] // All of it is there when the batch is acknowledged.
  for (const name of names) assert(statSync(at(name)).size <= 1500, `${name}: ${statSync(at(name)).size}`)
  const longest = readFileSync(at(names[0]!), 'utf8').split('\n')[0]!.length + 1
  for (const name of backups()) assert(statSync(at(name)).size > 1500 - longest, `${name} is not full`)
  assert.deepEqual(
    names.flatMap((name) => idsIn(readFileSync(at(name), 'utf8'))),
    ids,
  )
  await exporter.stop?.(never)
})

test('a single line that is longer than the limit has a file of its own', async () => {
  const exporter = await open({ rotation: { max_size: 100, max_backups: 0 } })
  await send(exporter, 'a', 'b', 'c')
  await exporter.stop?.(never)
  const names = [...backups(), 'events.jsonl']
  assert.deepEqual(
    names.map((name) => idsIn(readFileSync(at(name), 'utf8'))),
    [['a'], ['b'], ['c']],
  )
})

for (const [what, path, reason] of [
  ['below what holds no directories', () => '/proc/nope/o.jsonl', /no such file or directory/],
  ['below a file', () => join(at('plain'), 'o.jsonl'), /not a directory/],
  ['far below a file', () => join(at('plain'), 'a', 'o.jsonl'), /not a directory/],
  ['a directory', () => at('sub'), /illegal operation on a directory/],
] as const) {
  test(`a path that is ${what} fails the start, soon and in one sentence`, { timeout: 5000 }, async () => {
    writeFileSync(at('plain'), '')
    mkdirSync(at('sub'))
    await assert.rejects(open({ path: path() }), ({ message }: Error) => {
      assert(message.startsWith(`path: cannot open ${path()}: `), message)
      assert.match(message, reason)
      return true
    })
  })
}

test('directories that are missing are made', async () => {
  const exporter = await open({ path: at('a/b/c/o.jsonl') })
  await send(exporter, 'a')
  await exporter.stop?.(never)
  assert.deepEqual(idsIn(readFileSync(at('a/b/c/o.jsonl'), 'utf8')), ['a'])
})

test('a file that is old is put aside with the next batch, across a restart too', async () => {
  const rotation = { max_age: '100ms' }
  const first = await open({ rotation })
  await send(first, 'a')
  await first.stop?.(never)
  await sleep(150)
  const second = await open({ rotation })
  await send(second, 'b')
  await second.stop?.(never)
  assert.equal(backups().length, 1)
  assert.deepEqual(idsIn(readFileSync(at('events.jsonl'), 'utf8')), ['b'])
})

for (const [compression, ending, read] of [
  ['gzip', '.gz', gunzipSync],
  ['zstd', '.zst', zstdDecompressSync],
] as const) {
  test(`full files are compressed with ${compression}, and the oldest are deleted`, async () => {
    const exporter = await open({ rotation: { max_size: 1, max_backups: 2, compression } })
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await send(exporter, id)
      await sleep(3) // Names are told apart by the millisecond.
    }
    await exporter.stop?.(never)
    assert.equal(backups().length, 2)
    assert(backups().every((name) => name.endsWith(`.jsonl${ending}`)))
    assert.deepEqual(
      backups().map((name) => idsIn(read(readFileSync(at(name))).toString())),
      [['c'], ['d']],
    )
  })
}

test('files of others in the directory are left alone', async () => {
  const others = [
    'events-of-mine.jsonl',
    'events-2026.jsonl',
    'other-2026-01-02T03-04-05.678.jsonl',
    'events.jsonl.bak',
  ]
  for (const name of others) writeFileSync(at(name), 'mine')
  const exporter = await open({ rotation: { max_size: 1, max_backups: 1 } })
  for (const id of ['a', 'b', 'c']) await send(exporter, id)
  await exporter.stop?.(never)
  for (const name of others) assert.equal(readFileSync(at(name), 'utf8'), 'mine')
})

for (const [how, depart] of [
  ['moved away', () => renameSync(at('events.jsonl'), at('moved'))],
  ['deleted', () => rmSync(at('events.jsonl'))],
] as const) {
  test(`a file that somebody has ${how} is begun anew: nothing is written where nobody will see it`, async () => {
    const exporter = await open({})
    await send(exporter, 'a')
    depart()
    await send(exporter, 'b')
    await exporter.stop?.(never)
    assert.deepEqual(idsIn(readFileSync(at('events.jsonl'), 'utf8')), ['b'])
    if (existsSync(at('moved'))) assert.deepEqual(idsIn(readFileSync(at('moved'), 'utf8')), ['a'])
  })
}

for (const [what, before, after] of [
  ['half a line of ours is cut off', '{"time":"a"}\n{"time":"2026-01-02', ['{"time":"a"}']],
  ['a half line that is the only one is cut off', '{"time":"2026', []],
  ['a long half line is cut off', `{"a":1}\n{"b":"${'x'.repeat(200_000)}`, ['{"a":1}']],
  ['a line of somebody else only gets its newline', 'first\nlast words', ['first', 'last words']],
  ['whole lines stay as they are', '{"a":1}\n', ['{"a":1}']],
] as const) {
  test(`what a crash left is mended when the file is opened: ${what}`, async () => {
    writeFileSync(at('events.jsonl'), before)
    const exporter = await open({})
    await send(exporter, 'new')
    await exporter.stop?.(never)
    const lines = linesOf(at('events.jsonl'))
    assert.deepEqual(lines.slice(0, -1), after)
    assert.equal(JSON.parse(lines.at(-1) as string).attributes.id, 'new')
  })
}

test('a write that found no room leaves no half line, and the lines that follow are whole', {
  skip: NO_TINY_DISK,
}, async () => {
  const disk = tinyDisk(128)
  try {
    const exporter = await open({ path: join(disk.dir, 'events.jsonl') })
    await send(exporter, 'a')
    disk.fill()
    const many = Array.from({ length: 100 }, (_, i) => `r${i}`)
    await assert.rejects(send(exporter, ...many), { code: 'ENOSPC' })
    disk.free()
    await send(exporter, ...many)
    await exporter.stop?.(never)
    assert.deepEqual(idsIn(readFileSync(join(disk.dir, 'events.jsonl'), 'utf8')), ['a', ...many])
  } finally {
    disk.remove()
  }
})

const WRITER = `
import { file } from '${join(import.meta.dirname, '../../exporters/file/index.ts')}'
import { testContext } from '${join(import.meta.dirname, '../kit/context.ts')}'
import { record } from '${join(import.meta.dirname, '../kit/records.ts')}'
const exporter = file.create(file.config.parse({ path: process.argv[1], sync: false }), testContext())
const never = new AbortController().signal
await exporter.start(never)
process.stdout.write('begun\\n')
for (let i = 0; ; i++) {
  await exporter.export(Array.from({ length: 500 }, (_, j) => record({ id: i + ':' + j, pad: 'x'.repeat(2000) })), never)
  process.stdout.write(i + '\\n')
}
`

test('after kill -9 in the middle of writing every line is whole, and nothing acknowledged is missing', async () => {
  for (let round = 0; round < 3; round++) {
    const path = at(`killed-${round}.jsonl`)
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (said += chunk))
    await until(() => said.includes('3\n'), 'some batches')
    await sleep(Math.random() * 30)
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    const acknowledged = Number(said.trimEnd().split('\n').at(-1))
    const exporter = await open({ path })
    await send(exporter, 'after')
    await exporter.stop?.(never)
    const ids = idsIn(readFileSync(path, 'utf8'))
    assert.equal(ids.at(-1), 'after')
    const there = new Set(ids)
    for (let i = 0; i <= acknowledged; i++) for (let j = 0; j < 500; j += 100) assert(there.has(`${i}:${j}`))
  }
})

test('a stale half-compressed file does not count as a backup', async () => {
  appendFileSync(at('events-2026-01-02T03-04-05.678.jsonl.gz.part'), 'half')
  mkdirSync(at('sub'))
  const exporter = await open({ rotation: { max_size: 1, max_backups: 2, compression: 'gzip' } })
  for (const id of ['a', 'b', 'c', 'd']) {
    await send(exporter, id)
    await sleep(3)
  }
  await exporter.stop?.(never)
  assert.equal(backups().filter((name) => name.endsWith('.gz')).length, 2)
  assert(!backups().some((name) => name.endsWith('.part')))
})

test('the line has the documented keys', async () => {
  const exporter = await open({})
  await send(exporter, 'a')
  await exporter.stop?.(never)
  assert.deepEqual(Object.keys(JSON.parse(linesOf(at('events.jsonl'))[0] as string)), [
    ...['time', 'observedTime', 'severity', 'severityNumber', 'eventName', 'body', 'attributes', 'resource', 'scope'],
  ])
})
