import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Outcome } from '../../src/flow/ack.ts'
import { memoryStore, type Store } from '../../src/storage/store.ts'
import { drainFiles, expected, numbered, startFollowing, tempDir } from './harness.ts'

let dir = ''
let remove = (): void => {}
beforeEach(() => void ({ dir, remove } = tempDir()))
afterEach(() => remove())
const at = (name: string): string => join(dir, name)
const FAILED: Outcome = { kind: 'failed', error: new Error('the backend is down') }

test('what is appended is handed on, with its place in the file', async () => {
  writeFileSync(at('a.log'), 'one\ntwo\n')
  const following = startFollowing({ include: [at('a.log')] })
  await following.until(2)
  appendFileSync(at('a.log'), 'thr')
  await sleep(50)
  appendFileSync(at('a.log'), 'ee\nünf\r\nsechs\n')
  await following.until(5)
  await following.stop()
  assert.deepEqual(following.lines, ['one', 'two', 'three', 'ünf', 'sechs'])
  const offsets = following.pages.flatMap((page) => page.offsets())
  assert.deepEqual(offsets, [0, 4, 8, 14, 20])
  assert.deepEqual(
    following.pages.map(({ start, end }) => [start, end]),
    [
      [0, 8],
      [8, 26],
    ],
  )
})

test('an appended line is seen before the next poll, where the kernel tells', {
  skip: process.platform !== 'linux',
}, async () => {
  writeFileSync(at('a.log'), 'one\n')
  const following = startFollowing({ include: [at('a.log')], pollMs: 5000 })
  await following.until(1)
  const before = performance.now()
  appendFileSync(at('a.log'), 'two\n')
  await following.until(2, 0)
  writeFileSync(at('b'), 'three\n')
  renameSync(at('b'), at('a.log'))
  await following.until(3, 0)
  assert.ok(performance.now() - before < 2000, `${performance.now() - before} ms`)
  await following.stop()
  assert.deepEqual(following.lines, ['one', 'two', 'three'])
})

test('with start_at end only what is new is read, but new files from their beginning', async () => {
  writeFileSync(at('a.log'), numbered(0, 10))
  const following = startFollowing({ include: [at('*.log')], startAt: 'end' })
  await sleep(80)
  appendFileSync(at('a.log'), numbered(10, 12))
  await following.until(2)
  writeFileSync(at('b.log'), numbered(20, 22))
  await following.until(4)
  await following.stop()
  assert.deepEqual(following.lines, [...expected(10, 12), ...expected(20, 22)])
})

test('a last line without a newline is handed on when it has not grown for a while', async () => {
  writeFileSync(at('a.log'), 'one\ntw')
  const following = startFollowing({ include: [at('a.log')], forceFlushMs: 150 })
  await following.until(1)
  for (const part of ['o', ' and', ' a half']) {
    appendFileSync(at('a.log'), part)
    await sleep(80)
    assert.deepEqual(following.lines, ['one'])
  }
  await following.until(2, 200)
  appendFileSync(at('a.log'), ' more\n')
  await following.until(3)
  await following.stop()
  assert.deepEqual(following.lines, ['one', 'two and a half', ' more'])
})

test('with a flush period of 0 a last line waits for its newline', async () => {
  writeFileSync(at('a.log'), 'one\ntwo')
  const following = startFollowing({ include: [at('a.log')], forceFlushMs: 0 })
  await following.until(1, 700)
  assert.deepEqual(following.lines, ['one'])
  appendFileSync(at('a.log'), '\n')
  await following.until(2)
  await following.stop()
})

test('a page that failed is read again with all that came after it, and nothing is saved before', async () => {
  const store = memoryStore().namespace('x')
  writeFileSync(at('a.log'), numbered(0, 10))
  let attempts = 0
  const starts: number[] = []
  const following = startFollowing({ include: [at('a.log')] }, { store }, async (page, deliver) => {
    starts.push(page.start)
    attempts += 1
    if (attempts <= 3) return { outcome: Promise.resolve(FAILED) }
    deliver()
    return { outcome: Promise.resolve({ kind: 'delivered' }) }
  })
  await sleep(250)
  for (const value of (await store.entries('file/')).values()) assert.equal(JSON.parse(value).at.offset, 0)
  await following.until(10)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 10))
  assert.deepEqual(starts, [0, 0, 0, 0])
  for (const value of (await store.entries('file/')).values()) assert.equal(JSON.parse(value).at.offset, 70)
})

test('the position is saved only past contiguous acknowledged pages, and rejected ones count as done', async () => {
  const store = memoryStore().namespace('x')
  writeFileSync(at('a.log'), 'one\n')
  const answers: ((outcome: Outcome) => void)[] = []
  const following = startFollowing({ include: [at('a.log')], pollMs: 10 }, { store }, async (_page, deliver) => {
    deliver()
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    answers.push(resolve)
    return { outcome: promise }
  })
  for (let i = 2; i < 5; i++) {
    await following.until(i - 1)
    appendFileSync(at('a.log'), 'two\n')
  }
  await following.until(4)
  const saved = async (): Promise<number> => {
    await sleep(300)
    const [value] = (await store.entries('file/')).values()
    return JSON.parse(value!).at.offset
  }
  answers[1]!({ kind: 'delivered' })
  answers[2]!({ kind: 'delivered' })
  assert.equal(await saved(), 0)
  answers[0]!({ kind: 'rejected', error: new Error('no') })
  assert.equal(await saved(), 12)
  answers[3]!({ kind: 'delivered' })
  assert.equal(await saved(), 16)
  await following.stop()
})

test('acknowledgements that arrive after the end of the run are saved', async () => {
  const store = memoryStore().namespace('x')
  writeFileSync(at('a.log'), 'one\n')
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const following = startFollowing({ include: [at('a.log')] }, { store }, async (_page, deliver) => {
    deliver()
    return { outcome: promise }
  })
  await following.until(1)
  await following.stop()
  resolve({ kind: 'delivered' })
  await sleep(20)
  const [value] = (await store.entries('file/')).values()
  assert.equal(JSON.parse(value!).at.offset, 4)
})

test('the checkpoint stays before a record that the receiver holds, which is asked for when nothing comes', async () => {
  const store = memoryStore().namespace('x')
  writeFileSync(at('a.log'), 'begin\nmore\n')
  const empties: number[] = []
  const following = startFollowing({ include: [at('a.log')], forceFlushMs: 600 }, { store }, async (page, deliver) => {
    deliver()
    if (page.lines.length === 0) empties.push(page.start)
    const safe = page.lines.length === 0 ? page.end : 6
    return { outcome: Promise.resolve({ kind: 'delivered' }), safe }
  })
  await following.until(2, 350)
  const copy = memoryStore().namespace('copy') // As it would be found after a crash now.
  await copy.apply(new Map(await store.entries('')))
  const restarted = await drainFiles({ include: [at('a.log')] }, { store: copy })
  assert.deepEqual(restarted.lines, ['more'])
  await sleep(700)
  await following.stop()
  assert.deepEqual(empties, [11])
  const [value] = (await store.entries('file/')).values()
  assert.equal(JSON.parse(value!).at.offset, 11)
})

test('long lines are split, or truncated and what was dropped is counted, also across pages', async () => {
  const long = 'x'.repeat(3_000_000)
  writeFileSync(at('a.log'), `short\n${long}y\nend\n${'ä'.repeat(20)}\n`)
  const split = await drainFiles({ include: [at('a.log')], maxLineBytes: 1_000_000 })
  assert.deepEqual(
    split.lines.map((line) => line.length),
    [5, 1_000_000, 1_000_000, 1_000_000, 1, 3, 20],
  )
  assert.equal(split.context.counts['weir_file_truncated_bytes'], undefined)
  const truncated = await drainFiles({ include: [at('a.log')], maxLineBytes: 31, onLongLine: 'truncate' })
  assert.deepEqual(truncated.lines, ['short', 'x'.repeat(31), 'end', 'ä'.repeat(15)])
  assert.equal(truncated.context.counts['weir_file_truncated_bytes'], 3_000_001 - 31 + 10)
  assert.equal(truncated.warnings.length, 1)
  assert.match(truncated.warnings[0]!, /^Lines of .*a\.log are longer than max_log_size; \d+ bytes/)
  assert.deepEqual(
    truncated.pages.flatMap((page) => page.offsets()),
    [0, 6, 3_000_008, 3_000_012],
  )
  const chars = await drainFiles({ include: [at('a.log')], maxLineBytes: 17 })
  assert.deepEqual(chars.lines.slice(-3), ['ä'.repeat(8), 'ä'.repeat(8), 'ä'.repeat(4)])
})

test('a drained run reads to the end, last line and all, and saves that before it resolves', async () => {
  const store = memoryStore().namespace('x')
  for (let i = 0; i < 20; i++) writeFileSync(at(`${i}.log`), `${numbered(0, 1000)}the end`)
  const first = await drainFiles({ include: [at('*.log')] }, { store })
  assert.equal(first.lines.length, 20 * 1001)
  assert.equal(first.context.counts['weir_file_bytes_read'], 20 * (numbered(0, 1000).length + 7))
  const second = await drainFiles({ include: [at('*.log')] }, { store })
  assert.deepEqual(second.lines, [])
})

test('a drained run waits for pages that failed to be delivered', async () => {
  writeFileSync(at('a.log'), numbered(0, 1000))
  let failures = 3
  const following = startFollowing({ include: [at('*.log')] }, { drain: true }, async (_page, deliver) => {
    await sleep(5)
    if (failures-- > 0) return { outcome: sleep(5).then(() => FAILED) }
    deliver()
    return { outcome: sleep(50).then(() => ({ kind: 'delivered' }) as const) }
  })
  await following.done
  assert.deepEqual(following.lines, expected(0, 1000))
})

test('a drained run of nothing ends', async () => {
  const following = await drainFiles({ include: [at('nothing/*.log'), at('*.log')] })
  assert.deepEqual(following.lines, [])
  const [first, second, ...others] = following.warnings
  assert.equal(first, `No file matches ${at('nothing/*.log')}: nothing was read for it.`)
  assert.equal(second, `No file matches ${at('*.log')}: nothing was read for it.`)
  assert.deepEqual(others, [])
})

test('compressed files are read, members after one another, and only once', async () => {
  const store = memoryStore().namespace('x')
  const big = numbered(0, 200_000)
  writeFileSync(at('a.log.gz'), Buffer.concat([gzipSync(big), gzipSync(numbered(200_000, 200_010))]))
  utimesSync(at('a.log.gz'), 1, 1)
  const following = startFollowing({ include: [at('*.gz')], compression: 'auto' }, { store })
  await following.until(200_010)
  appendFileSync(at('a.log.gz'), gzipSync(numbered(200_010, 200_020)))
  await following.until(200_020)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 200_020))
  const again = await drainFiles({ include: [at('*.gz')], compression: 'auto' }, { store })
  assert.deepEqual(again.lines, [])
})

const encodings = [
  { encoding: 'utf-8', bytes: Buffer.from('\ufeffä\nb€\r\n𝄞\n'), lines: ['ä', 'b€', '𝄞'], offsets: [3, 6, 12] },
  {
    encoding: 'utf-16le',
    bytes: Buffer.from('\ufeffä\nbĊ\r\n𝄞\n', 'utf16le'),
    lines: ['ä', 'bĊ', '𝄞'],
    offsets: [2, 6, 14],
  },
  {
    encoding: 'utf-16be',
    bytes: Buffer.from('\ufeffä\nbĊ\n𝄞\n', 'utf16le').swap16(),
    lines: ['ä', 'bĊ', '𝄞'],
    offsets: [2, 6, 12],
  },
  { encoding: 'nop', bytes: Buffer.from([0xff, 0x0a, 0x80, 0x0a]), lines: ['\u00ff', '\u0080'], offsets: [0, 2] },
  { encoding: 'ascii', bytes: Buffer.from('a\nb\n'), lines: ['a', 'b'], offsets: [0, 2] },
  {
    encoding: 'big5',
    bytes: Buffer.from([0xa4, 0xa4, 0x0a, 0xa4, 0xe5, 0x61, 0x0a]),
    lines: ['中', '文a'],
    offsets: [0, 3],
  },
  {
    encoding: 'utf-8',
    bytes: Buffer.from([0xff, 0xfe, 0x61, 0x0a, 0x62, 0x0a]),
    lines: ['\ufffd\ufffda', 'b'],
    offsets: [0, 4],
  },
] as const

for (const { encoding, bytes, lines, offsets } of encodings) {
  test(`encoding ${encoding} (${bytes.toString('hex').slice(0, 12)}): lines and their offsets`, async () => {
    writeFileSync(at('a.log'), bytes)
    const drained = await drainFiles({ include: [at('a.log')], encoding })
    assert.deepEqual(drained.lines, lines)
    assert.deepEqual(
      drained.pages.flatMap((page) => page.offsets()),
      offsets,
    )
  })
}

test('UTF-16 is read right when a write ends in the middle of a character', async () => {
  const bytes = Buffer.from('one\ntwo𝄞\nthree\n', 'utf16le')
  writeFileSync(at('a.log'), bytes.subarray(0, 15))
  const following = startFollowing({ include: [at('a.log')], encoding: 'utf-16le' })
  for (let i = 15; i < bytes.length; i++) {
    await sleep(8)
    appendFileSync(at('a.log'), bytes.subarray(i, i + 1))
  }
  await following.until(3)
  await following.stop()
  assert.deepEqual(following.lines, ['one', 'two𝄞', 'three'])
})

test('a file that cannot be read is reported once, and read when it can be', {
  skip: process.getuid?.() === 0 && process.platform !== 'linux',
}, async () => {
  mkdirSync(at('a.log')) // Named like a log and no file: not trouble.
  symlinkSync(at('loop.log'), at('loop.log')) // Cannot be resolved.
  writeFileSync(at('b.log'), 'fine\n')
  const following = startFollowing({ include: [at('*.log')] })
  await following.until(1, 200)
  await following.stop()
  assert.deepEqual(following.lines, ['fine'])
  assert.equal(following.context.counts['weir_file_errors'], 1)
  assert.equal(following.warnings.filter((message) => message.includes('loop.log (ELOOP)')).length, 1)
  assert.deepEqual(
    following.context.healthLog.map(({ status }) => status),
    ['recoverable'],
  )
})

test('a pattern without a match is warned of once', async () => {
  const following = startFollowing({ include: [at('*.log'), at('other*')] })
  await sleep(100)
  writeFileSync(at('a.log'), 'late\n')
  await following.until(1)
  await following.stop()
  assert.deepEqual(following.lines, ['late'])
  assert.equal(following.warnings.length, 2)
  assert.match(following.warnings[0]!, /No file matches .*\*\.log so far/)
})

test('old files are left out by exclude_older_than, and excluded ones always', async () => {
  for (const name of ['a.log', 'old.log', 'debug.log']) writeFileSync(at(name), `${name}\n`)
  utimesSync(at('old.log'), 1_000_000_000, 1_000_000_000)
  const drained = await drainFiles({ include: [at('*.log')], exclude: ['debug*'], excludeOlderThanMs: 60_000 })
  assert.deepEqual(drained.lines, ['a.log'])
})

test('a file is read once, by whatever number of links it is found', async () => {
  writeFileSync(at('real.log'), numbered(0, 10))
  symlinkSync(at('real.log'), at('link.log'))
  const drained = await drainFiles({ include: [at('*.log')] })
  assert.deepEqual(drained.lines, expected(0, 10))
})

test('a receiver that breaks its promise ends the run with its error', async () => {
  writeFileSync(at('a.log'), 'one\n')
  const following = startFollowing({ include: [at('a.log')] }, {}, () => Promise.reject(new Error('a bug')))
  await assert.rejects(following.done, /a bug/)
})

test('positions that cannot be saved are saved later', async () => {
  const inner = memoryStore().namespace('x')
  let isFull = false
  const store: Store = {
    ...inner,
    apply: async (changes) => {
      if (isFull) throw new Error('the disk is full')
      await inner.apply(changes)
    },
  }
  writeFileSync(at('a.log'), 'one\n')
  const following = startFollowing({ include: [at('a.log')] }, { store })
  await following.until(1)
  isFull = true
  appendFileSync(at('a.log'), 'two\n')
  await following.until(2, 500)
  assert.match(following.warnings.join('\n'), /could not be saved; trying again/)
  isFull = false
  await sleep(500)
  const [value] = (await inner.entries('file/')).values()
  assert.equal(JSON.parse(value!).at.offset, 8)
  await following.stop()
})
