import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Subject } from 'rxjs'
import { type Chain, createChain } from '../../src/exporting/chain.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { type DeliverySettings, settingsOf } from '../../src/exporting/settings.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { record, type TrackedBatch, tracked } from '../kit/records.ts'
import { until } from '../kit/weir.ts'

interface Trial {
  readonly chain: Chain
  readonly requests: (readonly LogRecord[])[]
  readonly stop: AbortController
  readonly starved: Subject<void>
  readonly letters: number
}

type Queue = Partial<DeliverySettings['sending_queue']['batch']> & { consumers?: number }

function trial(
  attempt: (records: readonly LogRecord[]) => Promise<void>,
  { consumers = 4, ...batch }: Queue,
  reject: () => Promise<void> = async () => {},
): Trial {
  const { sending_queue, ...rest } = settingsOf({})
  const settings: DeliverySettings = {
    ...rest,
    retry_on_failure: { ...rest.retry_on_failure, initial_interval: 2, max_interval: 4 },
    sending_queue: { ...sending_queue, num_consumers: consumers, batch: { ...sending_queue.batch, ...batch } },
  }
  const requests: (readonly LogRecord[])[] = []
  const stop = new AbortController()
  const starved = new Subject<void>()
  let letters = 0
  const exporter = {
    export(records: readonly LogRecord[]) {
      requests.push(records)
      return attempt(records)
    },
  }
  const delivery = new Delivery(exporter, settings, {
    sent: () => {},
    refusedUnnamed: () => {},
    retrying: () => {},
    reject: async (given) => {
      letters += given.length
      await reject()
    },
    health: () => {},
  })
  const chain = createChain({
    delivery,
    settings,
    pressure: { isStarved: false, starved$: starved },
    signal: stop.signal,
    shareBytes: 1 << 20,
    hooks: { lose: () => {}, queueHealth: () => {}, reject: async () => {} },
  })
  return {
    chain,
    requests,
    stop,
    starved,
    get letters() {
      return letters
    },
  }
}

const of = (count: number): TrackedBatch => tracked(...Array.from({ length: count }, () => record()))
const kinds = (batches: readonly TrackedBatch[]): string[] =>
  batches.flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind))

test('small batches are gathered, large ones are cut, and every ack answers to its own', async () => {
  const { chain, requests } = trial(async () => {}, { min_size: 10, max_size: 10, flush_timeout: 60_000 })
  const batches = [of(4), of(4), of(4), of(25)]
  for (const batch of batches) chain.push(batch)
  await chain.close()
  assert.deepEqual(
    requests.map((records) => records.length),
    [8, 4, 10, 10, 5],
  )
  assert.deepEqual(kinds(batches), Array(4).fill('delivered'))
})

test('nothing waits longer than flush_timeout, and nothing at all when a source waits for room', async () => {
  const { chain, requests, starved } = trial(async () => {}, { flush_timeout: 40 })
  chain.push(of(1))
  assert.equal(requests.length, 0)
  await until(() => requests.length === 1, 'the first batch')
  chain.push(of(1))
  starved.next()
  assert.equal(requests.length, 2)
  await chain.close()
})

test('no more requests are on their way at once than there are consumers', async () => {
  let open = 0
  let most = 0
  const slow = async (): Promise<void> => {
    most = Math.max(most, ++open)
    await sleep(5)
    open -= 1
  }
  const { chain } = trial(slow, { min_size: 1, consumers: 3 })
  const batches = Array.from({ length: 12 }, () => of(1))
  for (const batch of batches) chain.push(batch)
  assert.deepEqual([chain.stats.batches, chain.stats.inFlight], [9, 3])
  await chain.close()
  assert.deepEqual([most, chain.stats.batches, chain.stats.inFlight], [3, 0, 0])
  assert.deepEqual(kinds(batches), Array(12).fill('delivered'))
})

test('closing waits for what is being retried', async () => {
  let left = 5
  const { chain } = trial(
    async () => {
      if (left-- > 0) throw new Error('down')
    },
    { min_size: 1 },
  )
  const batch = of(1)
  chain.push(batch)
  await chain.close()
  assert.deepEqual(kinds([batch]), ['delivered'])
})

test('an abort settles everything "failed", what waits included', async () => {
  const { chain, stop } = trial(() => new Promise(() => {}), { min_size: 1, consumers: 1 })
  const batches = [of(1), of(1), of(1)]
  for (const batch of batches) chain.push(batch)
  stop.abort(new Error('shutdown'))
  await chain.close()
  assert.deepEqual(kinds(batches), Array(3).fill('failed'))
})

test('a batch that comes after the end settles "failed": its source has it still', async () => {
  const { chain, requests } = trial(async () => {}, { min_size: 1 })
  await chain.close()
  const late = of(1)
  chain.push(late)
  assert.deepEqual([kinds([late]), requests.length], [['failed'], 0])
})

test('a dead letter that cannot be written until the end makes its batch "failed", not lost', async () => {
  const held = trial(
    async () => {
      const { RejectedError } = await import('../../src/exporting/errors.ts')
      throw new RejectedError('never')
    },
    { min_size: 1 },
    () => Promise.reject(new Error('no space left on device')),
  )
  const batch = of(2)
  held.chain.push(batch)
  await held.chain.close()
  assert.deepEqual([kinds([batch]), held.letters], [['failed'], 2])
})
