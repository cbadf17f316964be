import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { FileWatch } from '../../../src/ebpf/sensing/file-watch.ts'
import { watchList } from '../../../src/ebpf/sensing/watch-list.ts'

const DEV = 40
const LIST = watchList([
  { class: 'credentials', paths: ['/etc/shadow'] },
  { class: 'persistence', paths: ['/etc/cron.d/*'] },
])

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-watch-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A process in a procfs of ours, in a mount namespace of that name. */
function spawn(pid: number, namespace: string, files: readonly string[]): void {
  const at = join(dir, String(pid))
  mkdirSync(join(at, 'ns'), { recursive: true })
  mkdirSync(join(at, 'root'))
  symlinkSync(`mnt:[${namespace}]`, join(at, 'ns/mnt'))
  writeFileSync(join(at, 'mountinfo'), `1 0 0:${DEV} / / rw - overlay o rw\n`)
  for (const file of files) {
    mkdirSync(join(at, 'root', file, '..'), { recursive: true })
    writeFileSync(join(at, 'root', file), file)
  }
}

const inode = (pid: number, file: string): bigint =>
  statSync(join(dir, String(pid), 'root', file), { bigint: true }).ino

function open() {
  const watched = new Map<string, number>()
  const watch = new FileWatch({
    sensor: {
      watch: (dev, ino, number) => void watched.set(`${dev}:${ino}`, number),
      unwatch: (dev, ino) => void watched.delete(`${dev}:${ino}`),
    },
    list: LIST,
    proc: dir,
  })
  const has = (pid: number, file: string): number | undefined => watched.get(`${DEV}:${inode(pid, file)}`)
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await watch.tick()
  }
  return { watch, watched, has, seconds }
}

test('files of the host are watched by the number of their class', async () => {
  spawn(1, 'host', ['/etc/shadow', '/etc/cron.d/one', '/etc/other'])
  const { watch, watched, has } = open()
  await watch.start()
  assert.equal(has(1, '/etc/shadow'), 1)
  assert.equal(has(1, '/etc/cron.d/one'), 2)
  assert.equal(watched.size, 2)
})

test('files of a container are watched once a process of it has its own root', async () => {
  spawn(1, 'host', [])
  spawn(50, 'host', ['/etc/shadow'])
  spawn(51, 'container', ['/etc/shadow'])
  const { watch, watched, has, seconds } = open()
  await watch.start()
  watch.seen(7n, 50)
  await seconds(1)
  assert.equal(watched.size, 0, 'the runtime, which has the root of the host, tells nothing of the container')
  assert(watch.wants(7n))
  watch.seen(7n, 51)
  assert(!watch.wants(7n))
  await seconds(1)
  assert.equal(has(51, '/etc/shadow'), 1)
  watch.gone(7n)
  assert.equal(watched.size, 0)
})

test('a file that is replaced is watched by its new inode', async () => {
  spawn(1, 'host', ['/etc/shadow'])
  const { watch, watched, has, seconds } = open()
  await watch.start()
  const shadow = join(dir, '1/root/etc/shadow')
  writeFileSync(`${shadow}.new`, 'new')
  renameSync(`${shadow}.new`, shadow)
  assert.equal(has(1, '/etc/shadow'), undefined)
  await seconds(31)
  assert.equal(has(1, '/etc/shadow'), 1)
  assert.equal(watched.size, 1)
})

test('a file that two roots share is watched until both are gone', async () => {
  spawn(1, 'host', ['/etc/shadow'])
  spawn(60, 'container', [])
  mkdirSync(join(dir, '60/root/etc'))
  linkSync(join(dir, '1/root/etc/shadow'), join(dir, '60/root/etc/shadow'))
  const { watch, watched, has, seconds } = open()
  await watch.start()
  watch.seen(9n, 60)
  await seconds(1)
  watch.gone(9n)
  assert.equal(has(1, '/etc/shadow'), 1)
  assert.equal(watched.size, 1)
})

test('a container whose process ended is looked for anew, and its files are not watched meanwhile', async () => {
  spawn(1, 'host', [])
  spawn(70, 'container', ['/etc/shadow'])
  const { watch, watched, seconds } = open()
  await watch.start()
  watch.seen(3n, 70)
  await seconds(1)
  assert.equal(watched.size, 1)
  rmSync(join(dir, '70'), { recursive: true })
  await seconds(31)
  assert.equal(watched.size, 0)
  assert(watch.wants(3n))
})
