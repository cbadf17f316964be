import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { openStore } from '../../src/storage/embedded.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-store-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const freshDir = (): string => join(root, String((made += 1)))

const CHILD = `
import { createInterface } from 'node:readline'
import { openStore } from ${JSON.stringify(new URL('../../src/storage/embedded.ts', import.meta.url).href)}
const owner = await openStore(process.argv[2])
const store = owner.namespace('child')
`

function child(body: string, dir: string, prefix: readonly string[] = []): ChildProcess {
  const script = join(root, `child-${(made += 1)}.mts`)
  writeFileSync(script, CHILD + body)
  const [command, ...args] = [...prefix, process.execPath, script, dir]
  return spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] })
}

test('what was written is there after the store was closed and opened again', async () => {
  const dir = freshDir()
  const first = await openStore(dir)
  const store = first.namespace('receiver/a')
  await store.set('one', '1')
  await store.set('two', '2')
  await store.delete('one')
  await store.apply(
    new Map([
      ['three', '3'],
      ['two', undefined],
    ]),
  )
  await first.close()
  const second = await openStore(dir)
  assert.deepEqual([...(await second.namespace('receiver/a').entries(''))], [['three', '3']])
  await second.close()
})

test('a read sees the writes that were called before it and none that came after', async () => {
  const owner = await openStore(freshDir())
  const store = owner.namespace('a')
  const writes = [store.set('k', 'before')]
  const read = store.get('k')
  writes.push(store.set('k', 'after'))
  assert.equal(await read, 'before')
  await Promise.all(writes)
  assert.equal(await store.get('k'), 'after')
  await owner.close()
})

test('namespaces do not see each other, whatever their names', async () => {
  const owner = await openStore(freshDir())
  const names = ['a', 'a/', 'a/b', '', 'A', 'a\0', "a' OR 1=1 --"]
  for (const name of names) await owner.namespace(name).set('key', name)
  for (const name of names) assert.deepEqual([...(await owner.namespace(name).entries(''))], [['key', name]])
  await owner.close()
})

test('a prefix is text, not a pattern, and its entries come in key order', async () => {
  const owner = await openStore(freshDir())
  const store = owner.namespace('a')
  const keys = ['a%c', 'abc', 'a_c', 'a', 'a\0b', 'a\u{10ffff}', 'a\u{10ffff}z', 'b', 'ä', '', "a'", 'a*', 'a[b]']
  await store.apply(new Map(keys.map((key) => [key, key])))
  const bytes = (key: string): string => Buffer.from(key).toString('hex')
  for (const prefix of ['', 'a', 'a%', 'a_', 'a\0', 'a\u{10ffff}', 'ä', "a'", 'a*', 'a[', 'zz']) {
    const expected = keys.filter((key) => key.startsWith(prefix)).sort((a, b) => (bytes(a) < bytes(b) ? -1 : 1))
    assert.deepEqual([...(await store.entries(prefix)).keys()], expected, `prefix ${JSON.stringify(prefix)}`)
  }
  await owner.close()
})

test('many writes at once share commits', async () => {
  const owner = await openStore(freshDir())
  const store = owner.namespace('a')
  const alone = performance.now()
  for (let i = 0; i < 200; i++) await store.set('k', String(i), { durable: true })
  const each = (performance.now() - alone) / 200
  const together = performance.now()
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => store.set(`k${i}`, 'x'.repeat(100), { durable: true })))
  const shared = (performance.now() - together) / 10_000
  assert.ok(shared < each, `${shared} ms a write together, ${each} ms alone`)
  assert.equal((await store.entries('k')).size, 10_001)
  await owner.close()
})

test('what was committed survives kill -9 in the middle of writes', async () => {
  const dir = freshDir()
  for (let round = 0; round < 5; round++) {
    const writer = child(
      `for (let i = 0; ; i++) { await Promise.all([store.set('n', String(i)), store.set('k' + i % 500, String(i))]); console.log(i) }`,
      dir,
    )
    let acknowledged = -1
    const lines = createInterface({ input: writer.stdout! })
    lines.on('line', (line) => {
      acknowledged = Number(line)
      if (acknowledged > 300 + round * 137) writer.kill('SIGKILL')
    })
    await once(writer, 'exit')
    const warnings: string[] = []
    const owner = await openStore(dir, { warn: (message) => warnings.push(message) })
    const stored = Number(await owner.namespace('child').get('n'))
    assert.ok(stored >= acknowledged && acknowledged > 0, `${stored} is stored, ${acknowledged} was acknowledged`)
    assert.deepEqual(warnings, [])
    await owner.close()
  }
})

test('a process that holds the store for a moment only delays the next one', async () => {
  const dir = freshDir()
  const first = await openStore(dir)
  await first.namespace('a').set('k', 'v')
  const second = openStore(dir)
  await new Promise((resolve) => setTimeout(resolve, 500))
  await first.close()
  const opened = await second
  assert.equal(await opened.namespace('a').get('k'), 'v')
  await opened.close()
})

test('a second process on the same directory is refused with the name of the directory', async () => {
  const dir = freshDir()
  const holder = child(`console.log('open'); setInterval(() => {}, 1000)`, dir)
  await once(holder.stdout!, 'data')
  await assert.rejects(openStore(dir), (error: Error) => {
    assert.match(error.message, new RegExp(`^The state directory ${dir} is in use by another process`))
    return true
  })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const owner = await openStore(dir)
  await assert.rejects(openStore(dir), /in use/)
  await owner.close()
})

const damages = [
  { name: 'garbage in the header', damage: (file: string) => overwrite(file, 0, 4096) },
  { name: 'garbage in the middle', damage: (file: string) => overwrite(file, 8192, 300_000) },
  { name: 'a text file', damage: (file: string) => writeFileSync(file, 'hello, I am not a database\n'.repeat(1000)) },
  { name: 'half of the file', damage: (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 50_001)) },
  { name: "another program's database", damage: foreign },
] as const

function overwrite(file: string, from: number, length: number): void {
  const bytes = readFileSync(file)
  for (let i = from; i < Math.min(from + length, bytes.length); i++) bytes[i] = (i * 7 + 3) & 0xff
  writeFileSync(file, bytes)
}

function foreign(file: string): void {
  rmSync(file)
  const db = new DatabaseSync(file)
  db.exec('CREATE TABLE bookmarks (url TEXT)')
  db.close()
}

for (const { name, damage } of damages) {
  test(`a damaged file is moved aside with a warning, and the store starts empty: ${name}`, async () => {
    const dir = freshDir()
    const first = await openStore(dir)
    await first.namespace('a').apply(new Map(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 'x'.repeat(100)])))
    await first.close()
    damage(join(dir, 'weir.db'))
    const warnings: string[] = []
    const second = await openStore(dir, { warn: (message) => warnings.push(message) })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /was moved to .*weir\.db\.corrupt-/)
    assert.ok(readdirSync(dir).some((entry) => entry.startsWith('weir.db.corrupt-')))
    assert.equal((await second.namespace('a').entries('')).size, 0)
    await second.namespace('a').set('works', 'again')
    await second.close()
  })
}

test('the directory is made for its owner alone, and so is the file', async () => {
  const dir = join(freshDir(), 'deep', 'er')
  const owner = await openStore(dir)
  await owner.namespace('a').set('k', 'v')
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  for (const entry of readdirSync(dir)) assert.equal(statSync(join(dir, entry)).mode & 0o777, 0o600, entry)
  await owner.close()
  chmodSync(join(dir, 'weir.db'), 0o644)
  await (await openStore(dir)).close()
  assert.equal(statSync(join(dir, 'weir.db')).mode & 0o777, 0o600)
})

test('a directory that cannot be written is refused in one sentence', async () => {
  const file = join(root, 'a-file')
  writeFileSync(file, '')
  await assert.rejects(
    openStore(join(file, 'state')),
    /^Error: The state directory .*a-file\/state cannot be written \(E/,
  )
})

test('state of a newer version is refused and left alone', async () => {
  const dir = freshDir()
  await (await openStore(dir)).close()
  const db = new DatabaseSync(join(dir, 'weir.db'))
  db.exec('PRAGMA user_version = 99')
  db.close()
  await assert.rejects(openStore(dir), /newer version/)
  assert.deepEqual(readdirSync(dir), ['weir.db'])
})

test('closing twice is fine, commits what is pending, and refuses what comes later', async () => {
  const dir = freshDir()
  const owner = await openStore(dir)
  const pending = owner.namespace('a').set('late', 'but in time')
  await Promise.all([owner.close(), owner.close(), pending])
  await assert.rejects(owner.namespace('a').set('too', 'late'), /is closed/)
  assert.ok(!existsSync(join(dir, 'weir.db-wal')), 'the log was folded into the file')
  const again = await openStore(dir)
  assert.equal(await again.namespace('a').get('late'), 'but in time')
  await again.close()
})

test('an open store that is idle does not keep the program alive, one that is busy does', async () => {
  const idle = child(`console.log(await store.get('x') ?? 'nothing')`, freshDir())
  idle.stdout!.resume()
  assert.deepEqual(await once(idle, 'exit'), [0, null])
  const dir = freshDir()
  const busy = child(`void store.set('last', 'words').then(() => console.log('committed'))`, dir)
  const [said] = await once(busy.stdout!, 'data')
  assert.equal(String(said), 'committed\n')
  assert.deepEqual(await once(busy, 'exit'), [0, null])
})

const canLimit = spawnSync('prlimit', ['--version']).status === 0

test('a full disk rejects the writes, and the next ones work when there is room', {
  skip: canLimit ? false : 'prlimit (util-linux) is not installed',
}, async () => {
  // A limit on the size of files stands in for the disk: the kernel refuses the write in the same place.
  const writer = child(
    `process.on('SIGXFSZ', () => {})
    let n = 0
    try { for (;;) { await store.set('k' + n, 'x'.repeat(10_000)); n++ } } catch (error) { console.log('full', n, error.message) }
    createInterface({ input: process.stdin }).once('line', async () => {
      await store.set('k' + n, 'x'.repeat(10_000))
      console.log('kept', (await store.entries('k')).size - n)
      await owner.close()
      process.exit(0)
    })`,
    freshDir(),
    ['prlimit', '--fsize=2000000:unlimited'],
  )
  const lines = createInterface({ input: writer.stdout! })[Symbol.asyncIterator]()
  assert.match(String((await lines.next()).value), /^full [1-9]\d* The state could not be saved: /)
  execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited'])
  writer.stdin!.end('\n')
  assert.equal((await lines.next()).value, 'kept 1')
  assert.deepEqual(await once(writer, 'exit'), [0, null])
})
