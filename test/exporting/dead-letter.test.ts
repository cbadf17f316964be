import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { DeadLetter } from '../../src/component.ts'
import { deadLetterFile } from '../../src/exporting/dead-letter.ts'
import { record } from '../kit/records.ts'
import { NO_TINY_DISK, tinyDisk } from '../kit/tiny-disk.ts'

const letter: DeadLetter = { reason: 'malformed', error: 'no JSON', raw: 'x'.repeat(100), source: '/var/log/a.log:12' }
const MIB = 2 ** 20
let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-letters-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))
const linesOf = (name: string): unknown[] =>
  readFileSync(join(dir, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

test('a letter is one line with its reason, its component, its source and what it was', async () => {
  const file = deadLetterFile({ directory: dir, maxBytes: MIB })
  const one = record({ 'user.name': 'alice\n' })
  const bytes = await file.write('exporter:otlp_http', [letter, { reason: 'http_400', error: 'no', record: one }])
  assert.equal(bytes, statSync(join(dir, 'dead-letter.jsonl')).size)
  await file.close()
  const [first, second] = linesOf('dead-letter.jsonl') as { reason: string; record: { attributes: unknown } }[]
  const { time, ...rest } = first as unknown as { time: string }
  assert(Math.abs(Date.parse(time) - Date.now()) < 10_000)
  assert.deepEqual(rest, { component: 'exporter:otlp_http', ...letter })
  assert.equal(second?.reason, 'http_400')
  assert.deepEqual(second?.record.attributes, { 'user.name': 'alice\n' })
})

test('only the owner may read it', async () => {
  const file = deadLetterFile({ directory: join(dir, 'state'), maxBytes: MIB })
  await file.write('a', [letter])
  await file.close()
  assert.equal(statSync(join(dir, 'state')).mode & 0o777, 0o700)
  assert.equal(statSync(join(dir, 'state/dead-letter.jsonl')).mode & 0o777, 0o600)
})

test('a run without dead letters leaves no file', async () => {
  await deadLetterFile({ directory: dir, maxBytes: MIB }).close()
  assert.deepEqual(readdirSync(dir), [])
})

test('a link in its place is not followed', async () => {
  writeFileSync(join(dir, 'victim'), 'precious')
  symlinkSync(join(dir, 'victim'), join(dir, 'dead-letter.jsonl'))
  const file = deadLetterFile({ directory: dir, maxBytes: MIB })
  await assert.rejects(file.write('a', [letter]), { code: 'ELOOP' })
  await file.close()
  assert.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'precious')
})

test('it grows to its limit twice and no further, and says what it discards', async () => {
  const discarded: number[] = []
  const options = { directory: dir, maxBytes: 2000, onDiscard: (bytes: number) => void discarded.push(bytes) }
  const first = deadLetterFile(options)
  for (let i = 0; i < 15; i++) await first.write('a', [letter])
  await first.close()
  assert.deepEqual(discarded, [])
  // What an earlier run left counts as well.
  const second = deadLetterFile(options)
  for (let i = 0; i < 15; i++) await second.write('a', [letter])
  await second.close()
  assert.deepEqual(readdirSync(dir).sort(), ['dead-letter.jsonl', 'dead-letter.jsonl.1'])
  const sizes = readdirSync(dir).map((name) => statSync(join(dir, name)).size)
  assert(sizes.every((size) => size <= 2000))
  const bytes = discarded.reduce((total, one) => total + one, 0)
  assert(bytes > 0)
  const line = sizes[0] as number
  assert.equal((bytes + (sizes[0] as number) + (sizes[1] as number)) % (line / linesOf('dead-letter.jsonl').length), 0)
})

test('writers at once do not mix their lines', async () => {
  const file = deadLetterFile({ directory: dir, maxBytes: MIB })
  await Promise.all(Array.from({ length: 30 }, (_, i) => file.write(`c${i}`, [letter, letter])))
  await file.close()
  const components = (linesOf('dead-letter.jsonl') as { component: string }[]).map(({ component }) => component)
  assert.equal(components.length, 60)
  for (let i = 0; i < 60; i += 2) assert.equal(components[i], components[i + 1])
})

test('a directory that cannot be made is an error, and the next attempt may succeed', async () => {
  writeFileSync(join(dir, 'state'), '')
  const file = deadLetterFile({ directory: join(dir, 'state'), maxBytes: MIB })
  await assert.rejects(file.write('a', [letter]))
  rmSync(join(dir, 'state'))
  mkdirSync(join(dir, 'state'))
  await file.write('a', [letter])
  await file.close()
  assert.equal(readFileSync(join(dir, 'state/dead-letter.jsonl'), 'utf8').split('\n').length, 2)
})

test('a full disk refuses, and leaves no half line behind', { skip: NO_TINY_DISK }, async () => {
  const disk = tinyDisk(64)
  try {
    const file = deadLetterFile({ directory: disk.dir, maxBytes: MIB })
    await file.write('a', [letter])
    disk.fill()
    const large = Array.from({ length: 100 }, () => letter)
    await assert.rejects(file.write('a', large), { code: 'ENOSPC' })
    disk.free()
    await file.write('b', large)
    await file.close()
    const lines = readFileSync(join(disk.dir, 'dead-letter.jsonl'), 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).component),
      ['a', ...Array(100).fill('b')],
    )
  } finally {
    disk.remove()
  }
})
