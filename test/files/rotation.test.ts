import assert from 'node:assert/strict'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { memoryStore } from '../../src/storage/store.ts'
import { expected, numbered, startFollowing, tempDir } from './harness.ts'

let dir = ''
let remove = (): void => {}
beforeEach(() => void ({ dir, remove } = tempDir()))
afterEach(() => remove())
const at = (name: string): string => join(dir, name)

for (const pattern of ['app.log', 'app.log*']) {
  test(`renaming loses nothing and repeats nothing (${pattern})`, async () => {
    writeFileSync(at('app.log'), numbered(0, 100))
    const following = startFollowing({ include: [at(pattern)] })
    await following.until(100)
    for (let round = 1; round <= 5; round++) {
      for (let i = round; i > 1; i--) renameSync(at(`app.log.${i - 1}`), at(`app.log.${i}`))
      renameSync(at('app.log'), at('app.log.1'))
      writeFileSync(at('app.log'), numbered(round * 100, round * 100 + 100))
      await following.until(round * 100 + 100)
    }
    await following.stop()
    assert.deepEqual(following.lines, expected(0, 600))
    assert.equal(following.ids.size, 6)
  })

  test(`what is written to a file after it was renamed is read, and before its successor (${pattern})`, async () => {
    writeFileSync(at('app.log'), numbered(0, 10))
    const following = startFollowing({ include: [at(pattern)], pollMs: 150 })
    await following.until(10)
    const writer = openSync(at('app.log'), 'a')
    renameSync(at('app.log'), at('app.log.1'))
    writeSync(writer, numbered(10, 20))
    writeFileSync(at('app.log'), numbered(20, 30))
    await following.until(30)
    writeSync(writer, numbered(30, 40))
    closeSync(writer)
    await following.until(40)
    await following.stop()
    assert.deepEqual(following.lines, expected(0, 40))
  })

  test(`rotations faster than the poll interval lose nothing (${pattern})`, async () => {
    writeFileSync(at('app.log'), numbered(0, 10))
    const following = startFollowing({ include: [at(pattern)], pollMs: 400 })
    await following.until(10)
    for (let round = 1; round <= 4; round++) {
      for (let i = round; i > 1; i--) renameSync(at(`app.log.${i - 1}`), at(`app.log.${i}`))
      renameSync(at('app.log'), at('app.log.1'))
      writeFileSync(at('app.log'), numbered(round * 10, round * 10 + 10))
    }
    await following.until(50, 500)
    await following.stop()
    assert.deepEqual(following.lines, expected(0, 50))
  })

  test(`copying and truncating reads nothing twice (${pattern})`, async () => {
    writeFileSync(at('app.log'), numbered(0, 300))
    const following = startFollowing({ include: [at(pattern)] })
    await following.until(300)
    for (let round = 1; round <= 4; round++) {
      copyFileSync(at('app.log'), at(`app.log.${round}`))
      if (round % 2 === 0) await sleep(80) // A look between the two steps, and none.
      truncateSync(at('app.log'))
      if (round > 2) await sleep(80)
      appendFileSync(at('app.log'), numbered(round * 300, round * 300 + 200))
      await following.until(round * 300 + 200 - (round - 1) * 100)
      appendFileSync(at('app.log'), numbered(round * 300 + 200, round * 300 + 300))
      await following.until(round * 300 + 300)
    }
    await following.stop()
    assert.deepEqual(following.lines, expected(0, 1500))
    assert.equal(following.context.counts['weir_file_lost_bytes'], undefined)
  })

  test(`the tail that only the copy has is read from the copy, under the id it had (${pattern})`, async () => {
    writeFileSync(at('app.log'), numbered(0, 100))
    const following = startFollowing({ include: [at(pattern)], pollMs: 300 })
    await following.until(100)
    appendFileSync(at('app.log'), numbered(100, 200))
    copyFileSync(at('app.log'), at('app.log.1'))
    truncateSync(at('app.log'))
    appendFileSync(at('app.log'), numbered(200, 210))
    await following.until(210)
    await following.stop()
    assert.deepEqual(following.lines, expected(0, 210))
    const idOf = (line: string) => following.pages.find((page) => page.lines.includes(line))?.file.id
    assert.equal(idOf('line 50'), idOf('line 150'))
    assert.notEqual(idOf('line 50'), idOf('line 205'))
  })
}

test('what a truncation destroyed before it was read is counted', async () => {
  writeFileSync(at('app.log'), numbered(0, 100))
  let isOpen = true
  const following = startFollowing({ include: [at('app.log')] }, {}, async (_page, deliver) => {
    while (!isOpen) await sleep(5)
    deliver()
    return { outcome: Promise.resolve({ kind: 'delivered' }) }
  })
  await following.until(100)
  isOpen = false
  appendFileSync(at('app.log'), numbered(100, 101)) // Blocks the reader.
  await sleep(100)
  appendFileSync(at('app.log'), numbered(200, 300))
  await sleep(100) // Seen, but not read.
  truncateSync(at('app.log'))
  appendFileSync(at('app.log'), numbered(300, 310))
  await sleep(100)
  isOpen = true
  await following.until(111, 1500)
  await following.stop()
  assert.deepEqual(following.lines.slice(100), ['line 100', ...expected(300, 310)])
  assert.equal(following.context.counts['weir_file_lost_bytes'], numbered(200, 300).length)
  assert.match(following.warnings.join('\n'), /was truncated before its last 900 bytes were delivered/)
})

test('a truncated file that has grown beyond the old position between two looks is noticed', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  const following = startFollowing({ include: [at('app.log')], pollMs: 300 })
  await following.until(10)
  writeFileSync(at('app.log'), numbered(1000, 1100)) // Truncates: the same inode, longer than before.
  await following.until(110)
  await following.stop()
  assert.deepEqual(following.lines, [...expected(0, 10), ...expected(1000, 1100)])
})

test('a file that is replaced by another is read from its beginning', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  const following = startFollowing({ include: [at('app.log')] })
  await following.until(10)
  writeFileSync(at('new'), numbered(10, 20))
  renameSync(at('new'), at('app.log'))
  await following.until(20)
  unlinkSync(at('app.log'))
  writeFileSync(at('app.log'), numbered(20, 30))
  await following.until(30)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 30))
  assert.equal(following.ids.size, 3)
})

test('a deleted file is read to its end', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  let isOpen = true
  const following = startFollowing({ include: [at('app.log')] }, {}, async (_page, deliver) => {
    while (!isOpen) await sleep(5)
    deliver()
    return { outcome: Promise.resolve({ kind: 'delivered' }) }
  })
  await following.until(10)
  isOpen = false
  appendFileSync(at('app.log'), numbered(10, 11))
  await sleep(60)
  appendFileSync(at('app.log'), numbered(11, 20))
  await sleep(60)
  unlinkSync(at('app.log'))
  await sleep(60)
  isOpen = true
  await following.until(20)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 20))
})

test('a rotated file that is compressed later is not read again', async () => {
  writeFileSync(at('app.log'), numbered(0, 1000))
  const following = startFollowing({ include: [at('app.log*')], compression: 'auto' })
  await following.until(1000)
  renameSync(at('app.log'), at('app.log.1'))
  writeFileSync(at('app.log'), numbered(1000, 1010))
  await following.until(1010)
  writeFileSync(at('app.log.1.gz'), gzipSync(readFileSync(at('app.log.1'))))
  await sleep(1500)
  unlinkSync(at('app.log.1'))
  await sleep(2500)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 1010))
})

test('a compressed file without the option is left out with a warning', async () => {
  writeFileSync(at('app.log.1.gz'), gzipSync(numbered(0, 10)))
  const following = startFollowing({ include: [at('*')] })
  await sleep(100)
  await following.stop()
  assert.deepEqual(following.lines, [])
  assert.match(following.warnings.join('\n'), /is compressed and not read; set "compression: auto"/)
})

test("the kubelet's rotated names are followed where the pattern does not reach", async () => {
  writeFileSync(at('0.log'), numbered(0, 10))
  const following = startFollowing({ include: [at('*.log')], pollMs: 200 })
  await following.until(10)
  appendFileSync(at('0.log'), numbered(10, 20))
  renameSync(at('0.log'), at('0.log.20241010-132438'))
  writeFileSync(at('0.log'), numbered(20, 30))
  renameSync(at('0.log'), at('0.log.20241010-132439'))
  writeFileSync(at('0.log'), numbered(30, 40))
  await following.until(40)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 40))
})

test("lumberjack's names (kube-apiserver) are recognised", async () => {
  writeFileSync(at('audit.log'), numbered(0, 10))
  const following = startFollowing({ include: [at('audit.log')], pollMs: 200 })
  await following.until(10)
  for (let i = 1; i < 5; i++) {
    renameSync(at('audit.log'), at(`audit-2026-11-21T03-00-0${i}.123.log`))
    writeFileSync(at('audit.log'), numbered(i * 10, i * 10 + 10))
  }
  await following.until(50)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 50))
})

test('files that begin with the same bytes are both read', async () => {
  const banner = `${'='.repeat(1500)}\n`
  writeFileSync(at('messages'), banner + numbered(0, 10, 'a'))
  const following = startFollowing({ include: [at('*')] })
  await following.until(11)
  writeFileSync(at('syslog'), banner + numbered(0, 10, 'b'))
  writeFileSync(at('messages.1'), banner + numbered(0, 10, 'c'))
  await following.until(33)
  await following.stop()
  assert.deepEqual(
    following.lines.filter((line) => line.startsWith('b')),
    expected(0, 10, 'b'),
  )
  assert.deepEqual(
    following.lines.filter((line) => line.startsWith('c')),
    expected(0, 10, 'c'),
  )
  assert.equal(following.lines.length, 33)
  assert.match(following.warnings.join('\n'), /begin with the same 1000 bytes; both are read/)
})

test('files of the same content with unrelated names are both read', async () => {
  writeFileSync(at('a.log'), numbered(0, 200))
  const following = startFollowing({ include: [at('*.log')] })
  await following.until(200)
  writeFileSync(at('b.log'), numbered(0, 200))
  await following.until(400)
  await following.stop()
  assert.equal(following.lines.length, 400)
})

test('what looked like a copy is read as soon as it comes to differ', async () => {
  writeFileSync(at('app.log'), numbered(0, 100))
  const following = startFollowing({ include: [at('app.log*')] })
  await following.until(100)
  copyFileSync(at('app.log'), at('app.log.1'))
  await following.until(100, 100)
  assert.equal(following.lines.length, 100)
  appendFileSync(at('app.log.1'), 'something else\n')
  await following.until(201)
  await following.stop()
  assert.equal(following.lines.length, 201)
  assert.equal(following.lines.at(-1), 'something else')
})

test('a new file under the first name is never taken for a copy, even with the same first line', async () => {
  writeFileSync(at('app.log'), 'start\nmore\n')
  const following = startFollowing({ include: [at('app.log*')] })
  await following.until(2)
  renameSync(at('app.log'), at('app.log.1'))
  writeFileSync(at('app.log'), 'start\n')
  await following.until(3)
  await following.stop()
  assert.deepEqual(following.lines, ['start', 'more', 'start'])
})

test('a file that takes the inode of a deleted one is new', async () => {
  const following = startFollowing({ include: [at('*.log')] })
  for (let i = 0; i < 10; i++) {
    writeFileSync(at(`${i}.log`), 'the same line\n')
    await following.until(i + 1)
    unlinkSync(at(`${i}.log`))
  }
  await following.stop()
  assert.equal(following.lines.length, 10)
})

test('an empty file that is filled and renamed between two looks is read', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  const following = startFollowing({ include: [at('app.log')], pollMs: 200 })
  await following.until(10)
  renameSync(at('app.log'), at('app.log.1'))
  writeFileSync(at('app.log'), '')
  await sleep(500)
  appendFileSync(at('app.log'), numbered(10, 20))
  mkdirSync(at('elsewhere'))
  renameSync(at('app.log'), at('elsewhere/moved'))
  writeFileSync(at('app.log'), numbered(20, 30))
  await following.until(30)
  await following.stop()
  assert.deepEqual(following.lines.toSorted(), expected(0, 30).toSorted())
})

test('with on_truncate read_new only what comes after a truncation is read', async () => {
  writeFileSync(at('app.log'), numbered(0, 100))
  const following = startFollowing({ include: [at('app.log')], onTruncate: 'read_new' })
  await following.until(100)
  writeFileSync(at('app.log'), numbered(100, 110))
  await sleep(200)
  appendFileSync(at('app.log'), numbered(110, 120))
  await following.until(110)
  await following.stop()
  assert.deepEqual(following.lines.slice(100), expected(110, 120))
})

test('with on_truncate ignore nothing is read until the file has grown past the old position', async () => {
  writeFileSync(at('app.log'), numbered(10, 20))
  const following = startFollowing({ include: [at('app.log')], onTruncate: 'ignore' })
  await following.until(10)
  writeFileSync(at('app.log'), numbered(20, 25))
  await sleep(150)
  assert.equal(following.lines.length, 10)
  appendFileSync(at('app.log'), numbered(25, 40))
  await following.until(20)
  await following.stop()
  assert.deepEqual(following.lines.slice(10), expected(30, 40))
})

test('files beyond max_concurrent_files are read in turn, and again when they grow', async () => {
  for (let i = 0; i < 50; i++) writeFileSync(at(`${i}.log`), `first ${i}\n`)
  const following = startFollowing({ include: [at('*.log')], maxOpenFiles: 5 })
  await following.until(50)
  for (let i = 0; i < 50; i++) appendFileSync(at(`${i}.log`), `second ${i}\n`)
  await following.until(100)
  await following.stop()
  assert.equal(new Set(following.lines).size, 100)
  assert.equal(following.lines.length, 100)
  assert.ok((following.context.counts['otelcol_fileconsumer_open_files'] ?? 99) <= 5)
})

test('a directory that disappears and comes back with the same files repeats nothing', async () => {
  mkdirSync(at('logs'))
  writeFileSync(at('logs/app.log'), numbered(0, 100))
  const following = startFollowing({ include: [at('logs/*.log')] }, { store: memoryStore().namespace('x') })
  await following.until(100)
  renameSync(at('logs'), at('away'))
  await sleep(150)
  renameSync(at('away'), at('logs'))
  appendFileSync(at('logs/app.log'), numbered(100, 110))
  await following.until(110)
  await following.stop()
  assert.deepEqual(following.lines, expected(0, 110))
  rmSync(at('logs'), { recursive: true })
})
