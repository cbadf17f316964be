/** The promises every exporter makes, run against real destinations that accept, fail, reject and hang. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExporterDefinition } from '../../src/component.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { settingsOf } from '../../src/exporting/settings.ts'
import type { Outcome } from '../../src/flow/ack.ts'
import { type TestContext, testContext } from './context.ts'
import { definitionContract } from './definition-contract.ts'
import { record } from './records.ts'

/** How a destination behaves from now on. */
export type Mood = 'accepts' | 'fails' | 'rejects' | 'hangs'

export interface Destination {
  /** What to configure. */
  readonly config: unknown
  mood(mood: Mood): void
  /** Every `id` attribute that arrived. */
  received(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface ExporterContractOptions {
  /** A real destination, on a real socket or a real disk. */
  readonly destination: () => Promise<Destination>
  /** Moods that this kind of destination has. */
  readonly moods?: readonly Mood[]
}

export function exporterContract(definition: ExporterDefinition, options: ExporterContractOptions): void {
  const moods = options.moods ?? ['accepts', 'fails', 'rejects', 'hangs']
  suite(`exporter ${definition.type} keeps the contract`, () => {
    definitionContract(definition)

    const trial = async (
      run: (
        deliver: (count: number, signal?: AbortSignal) => Promise<Outcome>,
        to: Destination,
        context: TestContext,
      ) => Promise<void>,
    ): Promise<void> => {
      const to = await options.destination()
      const context = testContext()
      const config = definition.config.parse(to.config)
      const exporter = definition.create(config, context)
      await exporter.start?.(new AbortController().signal)
      const hooks = {
        sent: (n: number) => context.count('sent', n),
        refusedUnnamed: (n: number) => context.count('refused', n),
        retrying: () => context.count('retries', 1),
        reject: context.reject,
        health: context.health,
      }
      const settings = settingsOf(config)
      const quick = { ...settings.retry_on_failure, initial_interval: 10, max_interval: 20 }
      const delivery = new Delivery(exporter, { ...settings, retry_on_failure: quick }, hooks)
      const deliver = (count: number, signal = new AbortController().signal) =>
        delivery.deliver(
          Array.from({ length: count }, (_, i) => record({ id: `r${i}` })),
          signal,
        )
      try {
        await run(deliver, to, context)
      } finally {
        await exporter.stop?.(new AbortController().signal)
        await exporter.stop?.(new AbortController().signal)
        await to.close()
      }
    }
    const ids = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`)

    test('what a destination accepts is delivered, all of it, once', () =>
      trial(async (deliver, to, context) => {
        assert.equal((await deliver(20)).kind, 'delivered')
        assert.deepEqual([...(await to.received())].sort(), ids(20).sort())
        assert.equal(context.counts['sent'], 20)
      }))
    if (moods.includes('fails')) {
      test('what a destination fails is sent again until it is delivered', () =>
        trial(async (deliver, to, context) => {
          to.mood('fails')
          const delivered = deliver(5)
          while ((context.counts['retries'] ?? 0) < 2) await sleep(5)
          assert.equal(context.healthLog.at(-1)?.status, 'recoverable')
          to.mood('accepts')
          assert.equal((await delivered).kind, 'delivered')
          assert.deepEqual([...new Set(await to.received())].sort(), ids(5))
          assert.equal(context.healthLog.at(-1)?.status, 'ok')
        }))
      test('an abort ends the retries with "failed"', () =>
        trial(async (deliver, to) => {
          to.mood('fails')
          const stop = new AbortController()
          const outcome = deliver(5, stop.signal)
          await sleep(30)
          stop.abort(new Error('shutdown'))
          assert.equal((await outcome).kind, 'failed')
        }))
    }
    if (moods.includes('rejects')) {
      test('what a destination rejects is dead-lettered with its reason, each record', () =>
        trial(async (deliver, to, context) => {
          to.mood('rejects')
          assert.equal((await deliver(4)).kind, 'rejected')
          assert.equal(context.letters.length, 4)
          for (const { reason, error, record: one } of context.letters) assert(reason && error && one)
        }))
    }
    if (moods.includes('hangs')) {
      test('an abort ends a request that hangs', { timeout: 5000 }, () =>
        trial(async (deliver, to) => {
          to.mood('hangs')
          const stop = new AbortController()
          const outcome = deliver(3, stop.signal)
          await sleep(50)
          stop.abort(new Error('shutdown'))
          assert.equal((await outcome).kind, 'failed')
        }),
      )
    }
    test('stopping is safe without a start, and twice', async () => {
      const to = await options.destination()
      const exporter = definition.create(definition.config.parse(to.config), testContext())
      await exporter.stop?.(new AbortController().signal)
      await exporter.stop?.(new AbortController().signal)
      await to.close()
    })
  })
}
