import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Subject } from 'rxjs'
import { createChain } from '../../src/exporting/chain.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { type QueueSettings, settingsOf } from '../../src/exporting/settings.ts'
import { createAck, type Outcome } from '../../src/flow/ack.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'
import { until } from '../kit/weir.ts'

/** A queue in memory that drops, in front of a destination that hangs until `release`. */
function trial(queue: Partial<QueueSettings>) {
  const plain = settingsOf({})
  const batch = { ...plain.sending_queue.batch, min_size: 1, max_size: 10, flush_timeout: 1 }
  const settings = { ...plain, sending_queue: { ...plain.sending_queue, num_consumers: 1, batch, ...queue } }
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const got: LogRecord[] = []
  const lost: Record<string, number> = {}
  const exporter = {
    async export(records: readonly LogRecord[]) {
      await released
      got.push(...records)
    },
  }
  const none = {
    sent: () => {},
    refusedUnnamed: () => {},
    retrying: () => {},
    reject: async () => {},
    health: () => {},
  }
  const chain = createChain({
    delivery: new Delivery(exporter, settings, none),
    settings,
    pressure: { isStarved: false, starved$: new Subject<void>() },
    signal: new AbortController().signal,
    shareBytes: 8000,
    hooks: {
      lose: (records, reason) => void (lost[reason] = (lost[reason] ?? 0) + records),
      queueHealth: () => {},
      reject: async () => {},
    },
  })
  const settled: string[] = []
  const push = (name: string, bytes = 400): void => {
    const ack = createAck(({ kind }: Outcome) => settled.push(`${name} ${kind}`))
    chain.push({ records: [record({ name })], bytes, ack })
  }
  return { chain, push, got, lost, settled, release, names: () => got.map(({ attributes }) => attributes['name']) }
}

test('a queue in memory that drops never holds more than half of the room of its source', async () => {
  const { chain, push, lost, settled, release } = trial({ overflow: 'drop_newest' })
  for (let i = 0; i < 50; i++) push(String(i))
  // 4,000 of 8,000 bytes: ten batches of 400, of which one is on its way.
  assert.equal(settled.length, 40)
  assert.equal(lost['queue_full'], 40)
  assert(
    settled.every((one) => one.endsWith('delivered')),
    'a source is not asked to send again what was given up',
  )
  release()
  await chain.close()
  assert.equal(settled.length, 50)
})

test('`drop_newest` keeps what came first, `drop_oldest` what came last', async () => {
  for (const [overflow, kept] of [
    ['drop_newest', ['0', '1', '2', '3']],
    ['drop_oldest', ['0', '7', '8', '9']],
  ] as const) {
    const { chain, push, names, lost, release } = trial({ overflow, queue_size: 3 })
    for (let i = 0; i < 10; i++) push(String(i))
    release()
    await chain.close()
    assert.deepEqual([names(), lost], [kept, { queue_full: 6 }], overflow)
  }
})

test('`sizer: items` counts records, `sizer: bytes` what was admitted', async () => {
  for (const [sizer, queue_size] of [
    ['items', 2],
    ['bytes', 800],
  ] as const) {
    const { chain, push, names, release } = trial({ overflow: 'drop_newest', sizer, queue_size })
    for (let i = 0; i < 9; i++) push(String(i))
    release()
    await chain.close()
    assert.deepEqual(names(), ['0', '1', '2'], sizer)
  }
})

test('a batch alone is taken, however large', async () => {
  const { chain, push, names, release } = trial({ overflow: 'drop_newest', max_bytes: 10 })
  push('huge', 1e9)
  release()
  await chain.close()
  assert.deepEqual(names(), ['huge'])
})

test('what has waited longer than `max_age` is given up when its turn comes', async () => {
  const { chain, push, names, lost, release } = trial({ overflow: 'drop_oldest', max_age: 20 })
  push('on its way')
  push('waits')
  await sleep(40)
  push('is fresh')
  release()
  await until(() => names().length === 2, 'the fresh one')
  await chain.close()
  assert.deepEqual([names(), lost], [['on its way', 'is fresh'], { queue_expired: 1 }])
})
