import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { openStore } from '../../src/storage/embedded.ts'
import type { QueueStore } from '../../src/storage/queue-store.ts'
import { memoryStore, type StoreOwner } from '../../src/storage/store.ts'
import { until } from '../kit/weir.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-queues-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const freshDir = (): string => join(root, String((made += 1)))

const text = (body: Uint8Array): string => Buffer.from(body).toString()
const bytes = (body: string): Uint8Array => new Uint8Array(Buffer.from(body))
const append = (queue: QueueStore, id: number, body: string, records = 1, durable = false): Promise<number> =>
  queue.append({ id, records, body: bytes(body) }, { durable })

const stores: Record<string, () => Promise<StoreOwner>> = {
  'on disk': () => openStore(freshDir()),
  'in memory': async () => memoryStore(),
}

for (const [where, open] of Object.entries(stores)) {
  test(`${where}: batches come back in the order of their ids, and queues do not see each other`, async () => {
    const owner = await open()
    const [a, b] = [owner.queue('a'), owner.queue('b')]
    await Promise.all([
      append(a, 1, 'one', 10),
      append(b, 1, 'other', 5),
      append(a, 2, 'two', 20),
      append(a, 10, 'ten', 30),
    ])
    const seen: string[] = []
    for (let after = 0; ; ) {
      const found = await a.next(after, 1)
      if (found.length === 0) break
      for (const { id, body } of found) {
        seen.push(text(body))
        after = id
      }
    }
    assert.deepEqual(seen, ['one', 'two', 'ten'])
    const { lastId, batches, records, oldestAt } = await a.stats()
    assert.deepEqual([lastId, batches, records], [10, 3, 60])
    assert(Math.abs(Date.now() - oldestAt) < 60_000)
    await a.remove([1, 2])
    assert.deepEqual(
      (await a.next(0, 1)).map(({ body }) => text(body)),
      ['ten'],
    )
    assert.equal((await b.stats()).records, 5)
    await owner.close()
  })

  test(`${where}: dropping takes the oldest behind an id until enough is free, expiring those that are old`, async () => {
    const owner = await open()
    const queue = owner.queue('a')
    const sizes: number[] = []
    for (let id = 1; id <= 5; id++) sizes.push(await append(queue, id, `${id}`.repeat(50), id))
    const dropped = await queue.drop(1, (sizes[1] as number) + 1)
    assert.deepEqual([dropped.batches, dropped.records], [2, 5])
    assert.equal(dropped.bytes, (sizes[1] as number) + (sizes[2] as number))
    assert.deepEqual(await queue.drop(5, 100), { batches: 0, records: 0, bytes: 0 })
    assert.equal((await queue.expire(0, Date.now() - 60_000)).batches, 0)
    assert.equal((await queue.expire(4, Date.now() + 1)).records, 5)
    assert.equal((await queue.stats()).records, 5)
    await owner.close()
  })
}

test('bodies are compressed in the file, and come back as they were', async () => {
  const owner = await openStore(freshDir())
  const queue = owner.queue('a')
  const body = 'the same words again and again '.repeat(5000)
  assert((await append(queue, 1, body)) < body.length / 20)
  assert.equal(text((await queue.next(0, 1))[0]?.body as Uint8Array), body)
  assert.equal(await append(queue, 2, ''), (await queue.next(1, 1))[0]?.bytes)
  await owner.close()
})

test('a read returns as many batches as fit, and one at least', async () => {
  const owner = await openStore(freshDir())
  const queue = owner.queue('a')
  for (let id = 1; id <= 10; id++) await append(queue, id, 'x'.repeat(1000))
  assert.equal((await queue.next(0, 1)).length, 1)
  assert.equal((await queue.next(0, 3000)).length, 3)
  assert.equal((await queue.next(0, 1e9)).length, 10)
  await owner.close()
})

test('the file gives back what a queue no longer needs', async () => {
  const dir = freshDir()
  const owner = await openStore(dir)
  const queue = owner.queue('a')
  const noise = Buffer.alloc(2 ** 20)
  for (let id = 1; id <= 64; id++) {
    crypto.getRandomValues(new Uint8Array(noise.buffer, 0, 65_536))
    for (let i = 65_536; i < noise.length; i += 4) noise.writeUInt32LE((Math.random() * 2 ** 32) >>> 0, i)
    await queue.append({ id, records: 1, body: new Uint8Array(noise) }, { durable: false })
  }
  const size = (): number => statSync(join(dir, 'weir.db')).size
  await until(() => size() > 50 * 2 ** 20, 'the file to grow')
  await queue.remove(Array.from({ length: 64 }, (_, i) => i + 1))
  await until(async () => {
    await owner.namespace('tick').set('tick', String(Date.now()))
    return size() < 32 * 2 ** 20
  }, 'the file to shrink')
  await owner.close()
})

test('a store of an earlier version is taken over, and gets its queues', async () => {
  const dir = freshDir()
  mkdirSync(dir)
  const old = new DatabaseSync(join(dir, 'weir.db'))
  old.exec(`PRAGMA journal_mode = WAL; PRAGMA application_id = ${0x57454952}; PRAGMA user_version = 1;
    CREATE TABLE entries (space TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (space, key)) STRICT;
    INSERT INTO entries VALUES ('receiver:a', 'k', 'v')`)
  old.close()
  const owner = await openStore(dir, { warn: (message) => assert.fail(message) })
  assert.equal(await owner.namespace('receiver:a').get('k'), 'v')
  await append(owner.queue('a'), 1, 'one')
  assert.equal((await owner.queues()).length, 1)
  await owner.close()
})

test('what was committed is there after kill -9, in order, without a hole', async () => {
  const dir = freshDir()
  const script = join(root, 'child.mts')
  writeFileSync(
    script,
    `import { openStore } from ${JSON.stringify(new URL('../../src/storage/embedded.ts', import.meta.url).href)}
     const queue = (await openStore(process.argv[2])).queue('a')
     for (let id = 1; ; id += 20) {
       await Promise.all(Array.from({ length: 20 }, (_, i) => queue.append({ id: id + i, records: 1, body: new Uint8Array(Buffer.from('b' + (id + i))) }, { durable: i % 7 === 0 })))
       console.log(id + 19)
     }`,
  )
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    let last = 0
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line)
      if (last >= 400 + Math.random() * 400) {
        child.kill('SIGKILL')
        break
      }
    }
    await new Promise((resolve) => child.once('close', resolve))
    const owner = await openStore(dir, { warn: (message) => assert.fail(message) })
    const found = await owner.queue('a').next(0, 1e9)
    assert(found.length >= last, `${found.length} of ${last}`)
    assert.deepEqual(
      found.map(({ id }) => id),
      Array.from({ length: found.length }, (_, i) => i + 1),
    )
    assert(found.every(({ id, body }) => text(body) === `b${id}`))
    await owner.queue('a').remove(found.map(({ id }) => id))
    await owner.close()
  }
})
