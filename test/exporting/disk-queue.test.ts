import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeadLetter, Health } from '../../src/component.ts'
import { type Chain, createChain } from '../../src/exporting/chain.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { RejectedError } from '../../src/exporting/errors.ts'
import { type QueueSettings, settingsOf } from '../../src/exporting/settings.ts'
import { createAck, type Outcome } from '../../src/flow/ack.ts'
import { internResource } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { openStore } from '../../src/storage/embedded.ts'
import type { QueueStore } from '../../src/storage/queue-store.ts'
import { record } from '../kit/records.ts'
import { NO_TINY_DISK, tinyDisk } from '../kit/tiny-disk.ts'
import { until } from '../kit/weir.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-queue-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const freshDir = (): string => join(root, String((made += 1)))

const PLAIN = settingsOf({ sending_queue: undefined }).sending_queue

interface Trial {
  readonly chain: Chain
  readonly lost: Record<string, number>
  readonly letters: DeadLetter[]
  readonly health: { status: Health; reason: string | undefined }[]
  readonly now: AbortController
  readonly durable: boolean[]
}

interface Options {
  readonly queue?: Partial<QueueSettings>
  readonly alwaysDurable?: boolean
}

/** A chain over a real store, whose destination is a function. */
async function trial(
  store: QueueStore,
  attempt: (records: readonly LogRecord[], signal: AbortSignal) => Promise<void>,
  { queue = {}, alwaysDurable = false }: Options = {},
): Promise<Trial> {
  const plain = settingsOf({})
  const settings = {
    ...plain,
    retry_on_failure: { ...plain.retry_on_failure, initial_interval: 5, max_interval: 20 },
    sending_queue: { ...PLAIN, storage: 'file_storage', batch: { ...PLAIN.batch, flush_timeout: 5 }, ...queue },
  }
  const lost: Trial['lost'] = {}
  const letters: DeadLetter[] = []
  const health: Trial['health'] = []
  const durable: boolean[] = []
  const now = new AbortController()
  const reject = async (given: readonly DeadLetter[]): Promise<void> => void letters.push(...given)
  const delivery = new Delivery({ export: attempt }, settings, {
    sent: () => {},
    refusedUnnamed: () => {},
    retrying: () => {},
    reject,
    health: () => {},
  })
  const watched: QueueStore = {
    ...store,
    append(batch, options) {
      durable.push(options.durable)
      return store.append(batch, options)
    },
  }
  const chain = createChain({
    delivery,
    settings,
    pressure: { isStarved: false, starved$: { subscribe: () => ({ unsubscribe() {} }) } as never },
    signal: now.signal,
    shareBytes: 1 << 20,
    hooks: {
      lose: (records, reason) => void (lost[reason] = (lost[reason] ?? 0) + records),
      queueHealth: (status, reason) => void health.push({ status, reason }),
      reject,
    },
    disk: { store: watched, alwaysDurable },
  })
  await chain.start()
  return { chain, lost, letters, health, now, durable }
}

let serial = 0
/** `count` records with growing numbers, and the promise of what became of them. */
function push(chain: Chain, count: number, { isFinal = false, bytes = count * 200 } = {}) {
  const records = Array.from({ length: count }, () => record({ n: serial++ }))
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  chain.push({ records, bytes, ack: createAck(resolve, isFinal) })
  return { outcome: promise, numbers: records.map(({ attributes }) => attributes['n'] as number) }
}

const numbersOf = (records: readonly LogRecord[]): number[] =>
  records.map(({ attributes }) => attributes['n'] as number)
const down = (): Promise<never> => Promise.reject(new Error('down'))

test('a source is acknowledged once the disk has its records, whatever the destination does', async () => {
  const owner = await openStore(freshDir())
  const { chain, now } = await trial(owner.queue('a'), down)
  const pushed = [push(chain, 10), push(chain, 20)]
  for (const { outcome } of pushed) assert.equal((await outcome).kind, 'delivered')
  assert.equal(chain.stats.records, 30)
  assert.equal((await owner.queue('a').stats()).records, 30)
  now.abort(new Error('over'))
  await chain.close()
  await owner.close()
})

test('what was not delivered is sent after a restart, in its order, with everything that a record holds', async () => {
  const dir = freshDir()
  const first = await openStore(dir)
  const before = await trial(first.queue('a'), down)
  const rich = record(
    { text: 'ä\n', list: [1, 'two'], map: { deep: true }, none: null as never, big: 2 ** 53, part: 0.5 },
    {
      resource: internResource({ 'service.name': 'shop' }),
      body: { raw: ['x'] },
      eventName: 'k8s.audit',
      severityNumber: 13,
    },
  )
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  before.chain.push({ records: [rich], bytes: 100, ack: createAck(resolve) })
  await promise
  const pushed = push(before.chain, 50)
  await pushed.outcome
  await before.chain.close()
  await first.close()

  const second = await openStore(dir)
  const got: LogRecord[] = []
  const { chain } = await trial(second.queue('a'), async (records) => void got.push(...records))
  await until(() => got.length === 51, 'the queue to get on')
  assert.deepEqual(numbersOf(got.slice(1)), pushed.numbers)
  const { resource, ...fields } = got[0] as LogRecord
  assert.deepEqual({ ...fields.attributes }, { ...rich.attributes, none: fields.attributes['none'] })
  assert.equal(resource.attributes['service.name'], 'shop')
  for (const key of ['body', 'eventName', 'severityNumber', 'severityText', 'hrTime', 'hrTimeObserved'] as const) {
    assert.deepEqual(fields[key], rich[key], key)
  }
  assert.equal(fields.instrumentationScope.name, 'test')
  await chain.close()
  assert.equal((await second.queue('a').stats()).batches, 0, 'what was delivered is gone from the disk')
  await second.close()
})

test('a backlog larger than the window is read from the disk, in order, each record once', async () => {
  const owner = await openStore(freshDir())
  const got: number[] = []
  let isUp = false
  const { chain } = await trial(
    owner.queue('a'),
    async (records) => {
      if (!isUp) throw new Error('down')
      got.push(...numbersOf(records))
    },
    { queue: { num_consumers: 1, batch: { ...PLAIN.batch, max_bytes: 4000, flush_timeout: 1, min_size: 10 } } },
  )
  const pushed = Array.from({ length: 200 }, () => push(chain, 10))
  await Promise.all(pushed.map(({ outcome }) => outcome))
  isUp = true
  // More comes while the backlog is worked off.
  for (let i = 0; i < 50; i++) {
    pushed.push(push(chain, 10))
    await sleep(2)
  }
  const all = pushed.flatMap(({ numbers }) => numbers)
  await until(() => got.length >= all.length, 'the queue to get on')
  assert.deepEqual(got, all)
  await chain.close()
  assert.equal((await owner.queue('a').stats()).batches, 0)
  await owner.close()
})

test('`drop_oldest` gives up what waits longest, `drop_newest` what comes, each counted', async () => {
  const owner = await openStore(freshDir())
  const small = { num_consumers: 1, batch: { ...PLAIN.batch, max_bytes: 1000, min_size: 1, flush_timeout: 1 } }
  for (const overflow of ['drop_oldest', 'drop_newest'] as const) {
    const got: number[] = []
    let isUp = false
    const { chain, lost } = await trial(
      owner.queue(overflow),
      async (records) => {
        if (!isUp) throw new Error('down')
        got.push(...numbersOf(records))
      },
      { queue: { ...small, overflow, queue_size: 100, sizer: 'items' } },
    )
    const pushed: ReturnType<typeof push>[] = []
    for (let i = 0; i < 40; i++) {
      pushed.push(push(chain, 10))
      assert.equal((await (pushed.at(-1) as (typeof pushed)[number]).outcome).kind, 'delivered')
    }
    isUp = true
    const all = pushed.flatMap(({ numbers }) => numbers)
    await until(() => got.length + (lost['queue_full'] ?? 0) >= all.length, 'the queue to get on')
    assert.equal(got.length + (lost['queue_full'] as number), all.length, overflow)
    assert(got.length >= 90 && got.length <= 110, `${overflow}: ${got.length}`)
    if (overflow === 'drop_newest') assert.deepEqual(got, all.slice(0, got.length))
    else assert.equal(got.at(-1), all.at(-1))
    await chain.close()
  }
  await owner.close()
})

test('a full queue that blocks makes its source wait, and lets it on when there is room', async () => {
  const owner = await openStore(freshDir())
  let isUp = false
  const { chain, lost } = await trial(owner.queue('a'), () => (isUp ? Promise.resolve() : down()), {
    queue: { queue_size: 3, sizer: 'requests' },
  })
  const pushed = Array.from({ length: 6 }, () => push(chain, 5))
  const settled: number[] = []
  for (const [i, { outcome }] of pushed.entries()) void outcome.then(() => settled.push(i))
  await sleep(150)
  assert.deepEqual(settled, [0, 1, 2])
  isUp = true
  await until(() => settled.length === 6, 'the queue to get on')
  assert.deepEqual(lost, {})
  await chain.close()
  await owner.close()
})

test('records that have waited longer than `max_age` are given up and counted', async () => {
  const owner = await openStore(freshDir())
  const { chain, lost, now } = await trial(owner.queue('a'), () => new Promise(() => {}), {
    queue: { max_age: 300, num_consumers: 1, batch: { ...PLAIN.batch, max_bytes: 500, min_size: 1, flush_timeout: 1 } },
  })
  for (let i = 0; i < 20; i++) await push(chain, 10).outcome
  await until(() => (lost['queue_expired'] ?? 0) >= 150, 'the queue to get on')
  assert.equal((await owner.queue('a').stats()).records + (lost['queue_expired'] as number), 200)
  now.abort(new Error('over'))
  await chain.close()
  await owner.close()
})

test('an answer that cannot be taken back is given only when the disk has it', async () => {
  const owner = await openStore(freshDir())
  const plain = await trial(owner.queue('a'), down)
  await push(plain.chain, 1).outcome
  await push(plain.chain, 1, { isFinal: true }).outcome
  assert.deepEqual(plain.durable, [false, true])
  await plain.chain.close()
  const elsewhere = await trial(owner.queue('b'), down, { alwaysDurable: true })
  await push(elsewhere.chain, 1).outcome
  assert.deepEqual(elsewhere.durable, [true])
  await elsewhere.chain.close()
  await owner.close()
})

test('what arrives within a moment is acknowledged by its destination, and never stored', async () => {
  const owner = await openStore(freshDir())
  const got: number[] = []
  const { chain, durable } = await trial(owner.queue('a'), async (records) => void got.push(...numbersOf(records)))
  const pushed = Array.from({ length: 20 }, () => push(chain, 10))
  for (const { outcome } of pushed) assert.equal((await outcome).kind, 'delivered')
  assert.deepEqual([got, durable], [pushed.flatMap(({ numbers }) => numbers), []])
  await chain.close()
  await owner.close()
})

test('what a destination takes late is stored, acknowledged by the disk, sent once, and removed', async () => {
  const owner = await openStore(freshDir())
  const got: number[] = []
  const { chain, durable } = await trial(owner.queue('a'), async (records) => {
    await sleep(300)
    got.push(...numbersOf(records))
  })
  const startedAt = Date.now()
  const pushed = Array.from({ length: 20 }, () => push(chain, 10))
  for (const { outcome } of pushed) assert.equal((await outcome).kind, 'delivered')
  assert(Date.now() - startedAt < 290, 'the disk was faster')
  assert.equal(durable.length, 20)
  assert.equal(chain.stats.records, 200)
  await until(() => chain.stats.records === 0, 'the destination')
  assert.deepEqual(
    got,
    pushed.flatMap(({ numbers }) => numbers),
  )
  await chain.close()
  assert.equal((await owner.queue('a').stats()).batches, 0)
  await owner.close()
})

test('at a stop, what is in memory alone is stored, and its source need not send it again', async () => {
  const owner = await openStore(freshDir())
  const { chain, durable } = await trial(owner.queue('a'), down)
  const pushed = Array.from({ length: 5 }, () => push(chain, 10))
  assert.deepEqual(durable, [])
  await chain.close()
  for (const { outcome } of pushed) assert.equal((await outcome).kind, 'delivered')
  assert.equal((await owner.queue('a').stats()).records, 50)
  await owner.close()
})

test('a full disk does not hold up what its destination takes', { skip: NO_TINY_DISK }, async () => {
  const disk = tinyDisk(2048)
  try {
    const owner = await openStore(join(disk.dir, 'state'))
    let isUp = false
    const { chain, health } = await trial(owner.queue('a'), () => (isUp ? Promise.resolve() : down()))
    disk.fill()
    const pushed = Array.from({ length: 40 }, () => push(chain, 50))
    await until(() => health.some(({ status }) => status === 'recoverable'), 'the disk to be full')
    isUp = true
    for (const { outcome } of pushed) assert.equal((await outcome).kind, 'delivered')
    await until(() => health.at(-1)?.status === 'ok', 'health: nothing waits for the disk')
    disk.free()
    await chain.close()
    await owner.close()
  } finally {
    disk.remove()
  }
})

test('what the destination refuses for good leaves the queue', async () => {
  const owner = await openStore(freshDir())
  const { chain, letters } = await trial(owner.queue('a'), async () => {
    throw new RejectedError('never', { reason: 'poison' })
  })
  await push(chain, 3).outcome
  await until(() => letters.length === 3, 'the queue to get on')
  await chain.close()
  assert.equal((await owner.queue('a').stats()).batches, 0)
  await owner.close()
})

test('a stop leaves on disk what is not delivered, and does not wait for a destination that is down', async () => {
  const owner = await openStore(freshDir())
  const { chain } = await trial(owner.queue('a'), down)
  await push(chain, 30).outcome
  const startedAt = Date.now()
  await chain.close()
  assert(Date.now() - startedAt < 3000)
  assert.equal((await owner.queue('a').stats()).records, 30)
  await owner.close()
})

test('a run that drains can wait until the queue is empty', async () => {
  const owner = await openStore(freshDir())
  let failures = 20
  const { chain } = await trial(owner.queue('a'), async () => {
    if (failures-- > 0) throw new Error('down')
  })
  push(chain, 30)
  push(chain, 30)
  await chain.emptied()
  await chain.close()
  assert.equal((await owner.queue('a').stats()).records, 0)
  await owner.close()
})

test('a batch that is damaged on disk is reported and does not hold up the others', async () => {
  const owner = await openStore(freshDir())
  await owner
    .queue('a')
    .append({ id: 1, records: 7, body: new Uint8Array([0x0a, 0xff, 0xff, 0x7f, 1]) }, { durable: true })
  const got: LogRecord[] = []
  const { chain, letters } = await trial(owner.queue('a'), async (records) => void got.push(...records))
  await push(chain, 3).outcome
  await until(() => got.length === 3, 'the queue to get on')
  assert.equal(letters.length, 7)
  assert.equal(letters[0]?.reason, 'damaged')
  await chain.close()
  assert.equal((await owner.queue('a').stats()).batches, 0)
  await owner.close()
})

test('a full disk makes sources wait, is told by health, and heals by itself', { skip: NO_TINY_DISK }, async () => {
  const disk = tinyDisk(2048)
  try {
    const owner = await openStore(join(disk.dir, 'state'))
    const got = new Set<number>()
    let isUp = false
    const { chain, health, lost } = await trial(owner.queue('a'), async (records) => {
      if (!isUp) throw new Error('down')
      for (const n of numbersOf(records)) got.add(n)
    })
    disk.fill()
    const noise = Array.from({ length: 40 }, () => push(chain, 50))
    const settled = new Set<number>()
    for (const [i, { outcome }] of noise.entries())
      void outcome.then(({ kind }) => kind === 'delivered' && settled.add(i))
    await until(() => health.some(({ status }) => status === 'recoverable'), 'the queue to get on')
    assert.match(health[0]?.reason ?? '', /cannot be written.*full/)
    assert(settled.size < noise.length)
    disk.free()
    await until(() => settled.size === noise.length, 'the queue to get on', 15_000)
    assert.equal(health.at(-1)?.status, 'ok')
    isUp = true
    await until(() => got.size === 2000, 'the queue to get on', 15_000)
    assert.deepEqual(lost, {})
    await chain.close()
    await owner.close()
  } finally {
    disk.remove()
  }
})
