import assert from 'node:assert/strict'
import { appendFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { memoryStore } from '../../src/storage/store.ts'
import { drainFiles, expected, numbered, startFollowing, tempDir } from './harness.ts'

let dir = ''
let remove = (): void => {}
beforeEach(() => void ({ dir, remove } = tempDir()))
afterEach(() => remove())
const at = (name: string): string => join(dir, name)
const put = (name: string, bytes: Buffer): string => {
  writeFileSync(at(name), bytes)
  utimesSync(at(name), 1, 1)
  return at(name)
}
const LOST = 'weir_file_lost_bytes'

const THOUSAND = gzipSync(numbered(0, 1000))
const LARGE = gzipSync(numbered(0, 100_000), { level: 1 })

suite('what comes before the bad place of a compressed file is handed on, and the rest is counted', () => {
  const cases = [
    { name: 'zeros in it', bytes: Buffer.from(THOUSAND).fill(0, 1200, 1230), least: 300, lost: [1, 1300] },
    {
      name: 'garbage far behind',
      bytes: Buffer.from(LARGE).fill(170, LARGE.length - 2000, LARGE.length - 1000),
      least: 99_000,
      lost: [1, 2000],
    },
    {
      name: 'a wrong checksum',
      bytes: Buffer.from(THOUSAND).fill(1, THOUSAND.length - 8, THOUSAND.length - 4),
      least: 1000,
      lost: [1, 8],
    },
    { name: 'garbage behind it', bytes: Buffer.concat([THOUSAND, Buffer.from('garbage')]), least: 1000, lost: [1, 7] },
    {
      name: 'a member that lost its beginning behind padding',
      bytes: Buffer.concat([THOUSAND, Buffer.alloc(20), THOUSAND.subarray(20)]),
      least: 1000,
      lost: [THOUSAND.length, THOUSAND.length],
    },
    { name: 'no end', bytes: THOUSAND.subarray(0, 1200), least: 300, lost: [1, 1] },
    { name: 'no end, large', bytes: LARGE.subarray(0, -1000), least: 99_000, lost: [1, 1] },
  ]
  for (const { name, bytes, least, lost } of cases) {
    test(name, async () => {
      const path = put('a.gz', bytes)
      const store = memoryStore().namespace('x')
      const drained = await drainFiles({ include: [path], compression: 'gzip' }, { store })
      const { length } = drained.lines
      assert.ok(length >= least, `${length} lines`)
      assert.deepEqual(drained.lines.slice(0, least), expected(0, least))
      const counted = drained.context.counts[LOST] ?? 0
      assert.ok(counted >= lost[0]! && counted <= lost[1]!, `${counted} bytes`)
      assert.equal(drained.warnings.length, 1, drained.warnings.join('\n'))
      assert.match(
        drained.warnings[0]!,
        /a\.gz (?:is corrupt gzip|ends in the middle of a gzip member); \d+ compressed/,
      )
      assert.equal(drained.context.healthLog.at(-1)?.status, 'recoverable')
      const again = await drainFiles({ include: [path], compression: 'gzip' }, { store })
      assert.deepEqual([again.lines, again.context.counts[LOST], again.warnings], [[], undefined, []])
    })
  }
})

test('padding with zeros behind a compressed file is no damage', async () => {
  const path = put('a.gz', Buffer.concat([THOUSAND, Buffer.alloc(100_000)]))
  const drained = await drainFiles({ include: [path], compression: 'gzip' })
  assert.equal(drained.lines.length, 1000)
  assert.deepEqual([drained.warnings, drained.context.counts[LOST]], [[], undefined])
})

for (const drain of [true, false]) {
  test(`plain text where gzip is expected is said once, counted, and ill (drain: ${drain})`, async () => {
    const path = put('a.log', Buffer.from('plain\ntext\n'))
    const following = startFollowing({ include: [path], compression: 'gzip' }, { drain })
    if (drain) await following.done
    else await sleep(200)
    await following.stop()
    assert.deepEqual(following.lines, [])
    assert.equal(following.context.counts[LOST], 11)
    assert.equal(following.warnings.length, 1)
    assert.match(following.warnings[0]!, /a\.log is not gzip/)
    assert.equal(following.context.healthLog.at(-1)?.status, 'recoverable')
  })
}

test('a file that is still being compressed is waited for, and read on', async () => {
  const half = Math.floor(LARGE.length / 2)
  writeFileSync(at('a.gz'), LARGE.subarray(0, half))
  const following = startFollowing({ include: [at('a.gz')], compression: 'gzip' })
  await following.until(40_000, 300)
  assert.deepEqual([following.warnings, following.context.counts[LOST]], [[], undefined])
  appendFileSync(at('a.gz'), LARGE.subarray(half))
  await following.until(100_000)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 100_000))
  assert.deepEqual([following.warnings, following.context.counts[LOST]], [[], undefined])
})
