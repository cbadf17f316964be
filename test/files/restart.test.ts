import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { memoryStore, type Store } from '../../src/storage/store.ts'
import { until } from '../kit/weir.ts'
import { drainFiles, expected, numbered, startFollowing, tempDir } from './harness.ts'

let dir = ''
let remove = (): void => {}
let store: Store = memoryStore().namespace('x')
beforeEach(() => {
  ;({ dir, remove } = tempDir())
  store = memoryStore().namespace('x')
})
afterEach(() => remove())
const at = (name: string): string => join(dir, name)

/** What happens while nobody looks, each with the lines that must come after the restart. */
const stories = [
  {
    name: 'lines are appended',
    during: () => appendFileSync(at('app.log'), numbered(10, 20)),
    lines: expected(10, 20),
  },
  {
    name: 'the file is renamed, the rest of it comes first',
    during() {
      appendFileSync(at('app.log'), numbered(10, 20))
      renameSync(at('app.log'), at('app.log.1'))
      writeFileSync(at('app.log'), numbered(20, 30))
    },
    lines: expected(10, 30),
  },
  {
    name: 'the file is renamed many times',
    during() {
      appendFileSync(at('app.log'), numbered(10, 20))
      for (let round = 2; round < 6; round++) {
        for (let i = round; i > 1; i--)
          if (existsSync(at(`app.log.${i - 1}`))) renameSync(at(`app.log.${i - 1}`), at(`app.log.${i}`))
        renameSync(at('app.log'), at('app.log.1'))
        writeFileSync(at('app.log'), numbered(round * 10, round * 10 + 10))
      }
    },
    lines: expected(10, 60),
  },
  {
    name: 'the file is copied and truncated',
    during() {
      appendFileSync(at('app.log'), numbered(10, 20))
      copyFileSync(at('app.log'), at('app.log.1'))
      truncateSync(at('app.log'))
      appendFileSync(at('app.log'), numbered(20, 22))
    },
    lines: expected(10, 22),
  },
  {
    name: 'the file is copied, truncated, and grows past the old position',
    during() {
      copyFileSync(at('app.log'), at('app.log.1'))
      truncateSync(at('app.log'))
      appendFileSync(at('app.log'), numbered(10, 100))
    },
    lines: expected(10, 100),
  },
  {
    name: 'the file is deleted and made anew',
    during() {
      unlinkSync(at('app.log'))
      writeFileSync(at('app.log'), numbered(10, 20))
    },
    lines: expected(10, 20),
  },
  { name: 'nothing', during: () => {}, lines: [] },
] as const

for (const pattern of ['app.log', 'app.log*']) {
  for (const { name, during, lines } of stories) {
    test(`after a restart nothing is missing and nothing comes twice: ${name} (${pattern})`, async () => {
      writeFileSync(at('app.log'), numbered(0, 10))
      const first = startFollowing({ include: [at(pattern)] }, { store })
      await first.until(10)
      await first.stop()
      await sleep(15)
      during()
      const second = startFollowing({ include: [at(pattern)], startAt: 'end' }, { store })
      await second.until(lines.length, 150)
      await second.stop()
      assert.deepEqual(second.lines, lines)
    })
  }
}

test('what was lost while Weir was down is counted', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  let isOpen = true
  const first = startFollowing({ include: [at('app.log')] }, { store }, async (_page, deliver) => {
    if (!isOpen) return { outcome: new Promise(() => {}) }
    deliver()
    return { outcome: Promise.resolve({ kind: 'delivered' }) }
  })
  await first.until(10)
  isOpen = false
  appendFileSync(at('app.log'), numbered(10, 20))
  await sleep(100)
  await first.stop()
  truncateSync(at('app.log'))
  const second = await drainFiles({ include: [at('app.log')] }, { store })
  assert.deepEqual(second.lines, [])
  assert.equal(second.context.counts['weir_file_lost_bytes'], numbered(10, 20).length)
})

test('a rotated file that was compressed while Weir was down is read on from where it was', async () => {
  writeFileSync(at('app.log'), numbered(0, 1000))
  const first = startFollowing({ include: [at('app.log*')], compression: 'auto' }, { store })
  await first.until(1000)
  await first.stop()
  appendFileSync(at('app.log'), numbered(1000, 1100))
  writeFileSync(at('app.log.1.gz'), gzipSync(readFileSync(at('app.log'))))
  unlinkSync(at('app.log'))
  writeFileSync(at('app.log'), numbered(1100, 1200))
  const second = await drainFiles({ include: [at('app.log*')], compression: 'auto' }, { store })
  assert.deepEqual(second.lines, expected(1000, 1200))
})

test('a file that appeared while Weir was down is read from its beginning, even with start_at end', async () => {
  const first = startFollowing({ include: [at('*.log')], startAt: 'end' }, { store })
  await sleep(60)
  await first.stop()
  writeFileSync(at('new.log'), numbered(0, 10))
  const second = await drainFiles({ include: [at('*.log')], startAt: 'end' }, { store })
  assert.deepEqual(second.lines, expected(0, 10))
})

test('a file keeps its id across restarts and rotation, and a lost checkpoint does not change it', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  const first = await drainFiles({ include: [at('app.log*')] }, { store })
  renameSync(at('app.log'), at('app.log.1'))
  appendFileSync(at('app.log.1'), numbered(10, 20))
  const second = await drainFiles({ include: [at('app.log*')] }, { store })
  const third = await drainFiles({ include: [at('app.log*')] })
  assert.deepEqual([...second.ids], [...first.ids])
  assert.deepEqual([...third.ids], [...first.ids])
})

test('damaged checkpoints are forgotten, not believed', async () => {
  writeFileSync(at('app.log'), numbered(0, 10))
  await store.apply(
    new Map([
      ['file/abc', '{"path":"/x"'],
      ['file/def', '{}'],
      ['started', 'x'],
    ]),
  )
  const drained = await drainFiles({ include: [at('app.log')] }, { store })
  assert.deepEqual(drained.lines, expected(0, 10))
  assert.equal((await store.entries('file/')).size, 1)
})

const FOLLOWER = `
import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { follow } from ${JSON.stringify(new URL('../../src/files/follow.ts', import.meta.url).href)}
import { openStore } from ${JSON.stringify(new URL('../../src/storage/embedded.ts', import.meta.url).href)}
import { testContext } from ${JSON.stringify(new URL('../kit/context.ts', import.meta.url).href)}
const [state, out, options, drain] = process.argv.slice(2)
const owner = await openStore(state)
const fd = openSync(out, 'a')
const context = testContext({ store: owner.namespace('f'), drain: drain === 'drain' })
await follow(JSON.parse(options), context, async (page) => {
  const deliver = async () => {
    await sleep(Math.random() * 20)
    if (Math.random() < 0.1) return { kind: 'failed', error: new Error('unlucky') }
    const offsets = page.offsets()
    writeSync(fd, page.lines.map((line, i) => page.file.id + ':' + offsets[i] + ' ' + line + '\\n').join(''))
    return { kind: 'delivered' }
  }
  return { outcome: deliver() }
}, new AbortController().signal)
await owner.close()
`

for (const { rotation, kills } of [
  { rotation: 'rename', kills: 8 },
  { rotation: 'rename out of the pattern', kills: 8 },
  { rotation: 'copy and truncate', kills: 5 },
] as const) {
  test(`kill -9 at random moments under rotation: nothing is missing (${rotation})`, { timeout: 55_000 }, async () => {
    mkdirSync(at('logs'))
    writeFileSync(at('follower.mts'), FOLLOWER)
    const log = at('logs/app.log')
    const include = [rotation === 'rename' ? at('logs/app.log*') : log]
    const options = JSON.stringify({ ...(await import('./harness.ts')).DEFAULTS, include, pollMs: 50 })
    const run = (...mode: string[]) =>
      spawn(process.execPath, [at('follower.mts'), at('state'), at('out'), options, ...mode], { stdio: 'inherit' })
    const writer = startWriter(log, rotation === 'copy and truncate')
    // A file that is gone before anybody ever looked is known to nobody, however slow the machine is to start a process.
    const scout = run()
    await until(() => existsSync(at('out')) && statSync(at('out')).size > 0, 'the first lines')
    scout.kill('SIGKILL')
    await once(scout, 'exit')
    writer.beginRotating()
    for (let i = 0; i < kills; i++) {
      const follower = run()
      await sleep(350 + Math.random() * 700)
      follower.kill('SIGKILL')
      await once(follower, 'exit')
      await sleep(Math.random() * 300)
    }
    const written = await writer.stop()
    const [code] = await once(run('drain'), 'exit')
    assert.equal(code, 0)
    const delivered = readFileSync(at('out'), 'utf8').split('\n').slice(0, -1)
    const lines = new Set(delivered.map((line) => line.slice(line.indexOf(' ') + 1)))
    const missing = Array.from({ length: written }, (_, i) => `line ${i}`).filter((line) => !lines.has(line))
    assert.deepEqual(missing.slice(0, 5), [], `${missing.length} of ${written} are missing`)
    // The same line has the same name, however often it was delivered; no name stands for two lines.
    assert.equal(new Set(delivered).size, new Map(delivered.map((line) => line.split(' ', 2) as [string, string])).size)
    assert.ok(delivered.length < written * 3, `${delivered.length} deliveries of ${written} lines`)
  })
}

/** Writes 5,000 numbered lines a second and rotates every few hundred milliseconds. */
function startWriter(log: string, isCopying: boolean): { beginRotating(): void; stop(): Promise<number> } {
  let count = 0
  let isRotating = false
  let isStopped = false
  let generation = 0
  const keep = (copy: string): void => (isCopying ? copyFileSync(log, copy) : renameSync(log, copy))
  const rotate = (): void => {
    generation += 1
    keep(`${log}.${new Date(1_700_000_000_000 + generation * 1000).toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}`)
    if (isCopying) truncateSync(log)
  }
  const write = async (): Promise<void> => {
    let fd = openSync(log, 'a')
    for (let turn = 1; !isStopped; turn++) {
      let text = ''
      for (let i = 0; i < 50; i++) text += `line ${count++}\n`
      writeSync(fd, text)
      if (isRotating && turn % (isCopying ? 97 : 37) === 0) {
        rotate()
        closeSync(fd)
        fd = openSync(log, 'a')
      }
      await sleep(10)
    }
    closeSync(fd)
  }
  const done = write()
  return {
    beginRotating() {
      isRotating = true
    },
    async stop() {
      isStopped = true
      await done
      assert.ok(readdirSync(join(log, '..')).length > 3 && statSync(log) !== undefined)
      return count
    },
  }
}
