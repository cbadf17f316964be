/** The promises every replaying receiver makes, run against pipelines that accept, fail, reject and hang. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, ReceiverDefinition } from '../../src/component.ts'
import { DELIVERED, type Outcome } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { Budget } from '../../src/flow/budget.ts'
import { Intake } from '../../src/flow/intake.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { testContext } from './context.ts'
import { definitionContract } from './definition-contract.ts'
import { FAILED, REJECTED } from './outcomes.ts'

export interface Source {
  readonly config: unknown
  /** Makes `count` more events appear; resolves with their ids once they are there to be read. */
  produce(count: number): Promise<readonly string[]>
  close(): Promise<void>
}

export interface ReceiverContractOptions {
  readonly source: () => Promise<Source>
  readonly idOf: (record: LogRecord) => string
}

/** A seeded choice, so that a failure can be repeated. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const NEIGHBOURS: Record<string, (roll: number) => Outcome> = {
  'always accepts': () => DELIVERED,
  'fails at random': (roll) => (roll < 0.3 ? FAILED : DELIVERED),
  'rejects at random': (roll) => (roll < 0.3 ? REJECTED : DELIVERED),
  'does all three': (roll) => (roll < 0.2 ? FAILED : roll < 0.4 ? REJECTED : DELIVERED),
}

/** For receivers that replay: every id must come back delivered, or rejected, or still be owed after a restart. */
export function receiverContract(definition: ReceiverDefinition, options: ReceiverContractOptions): void {
  suite(`receiver ${definition.type} keeps the contract`, () => {
    definitionContract(definition)

    interface Trial {
      readonly settled: Map<string, Outcome['kind']>
      readonly stop: () => Promise<void>
      readonly intake: Intake
    }
    const begin = (config: unknown, context: Context, judge: (batch: Batch) => Promise<Outcome>): Trial => {
      const receiver = definition.create(definition.config.parse(config), context)
      const intake = new Intake(new Budget(1 << 20))
      const settled: Trial['settled'] = new Map()
      const controller = new AbortController()
      intake.batches$.subscribe(async (batch) => {
        const ids = batch.records.map(options.idOf)
        const outcome = await judge(batch)
        // A rejection or delivery is final; a failure must be made good by sending again.
        for (const id of ids) if (settled.get(id) !== 'delivered') settled.set(id, outcome.kind)
        batch.ack.settle(outcome)
      })
      const running = (async () => {
        await receiver.start?.(controller.signal)
        await receiver.run(intake, controller.signal)
      })()
      const stop = async () => {
        controller.abort(new Error('test is over'))
        await running.catch(() => {})
        await receiver.stop?.(new AbortController().signal)
      }
      return { settled, stop, intake }
    }
    const until = async (done: () => boolean, what: string): Promise<void> => {
      for (const end = Date.now() + 15_000; !done(); await sleep(10)) assert(Date.now() < end, `timed out: ${what}`)
    }

    for (const [name, judge] of Object.entries(NEIGHBOURS)) {
      test(`every event ends delivered or rejected when the neighbour ${name}`, { timeout: 30_000 }, async () => {
        const source = await options.source()
        const roll = dice(42)
        const trial = begin(source.config, testContext(), async () => {
          await sleep(roll() * 3)
          return judge(roll())
        })
        const ids = [...(await source.produce(40))]
        for (let i = 0; i < 5; i++) {
          await sleep(20)
          ids.push(...(await source.produce(20)))
        }
        const ended = () => ids.every((id) => ['delivered', 'rejected'].includes(trial.settled.get(id) ?? ''))
        await until(ended, `${ids.filter((id) => !trial.settled.has(id)).length} never arrived`)
        await trial.stop()
        await source.close()
      })
    }

    test('what a neighbour that hangs has not answered is still owed after a restart', {
      timeout: 30_000,
    }, async () => {
      const source = await options.source()
      const store = memoryStore().namespace('receiver')
      const held: Batch[] = []
      const first = begin(source.config, testContext({ store }), (batch) => {
        held.push(batch)
        return new Promise<Outcome>((resolve) => setTimeout(resolve, 1500, FAILED))
      })
      const ids = await source.produce(30)
      await until(() => held.length > 0, 'nothing arrived')
      await first.stop()
      const second = begin(source.config, testContext({ store }), async () => DELIVERED)
      await until(() => ids.every((id) => second.settled.get(id) === 'delivered'), 'owed events did not come again')
      await second.stop()
      await source.close()
    })

    test('what was acknowledged before a stop does not come again', { timeout: 30_000 }, async () => {
      const source = await options.source()
      const store = memoryStore().namespace('receiver')
      const first = begin(source.config, testContext({ store }), async () => DELIVERED)
      const before = await source.produce(30)
      await until(() => before.every((id) => first.settled.has(id)), 'the first events')
      await first.stop()
      const second = begin(source.config, testContext({ store }), async () => DELIVERED)
      const after = await source.produce(10)
      await until(() => after.every((id) => second.settled.has(id)), 'the later events')
      assert.deepEqual(
        before.filter((id) => second.settled.has(id)),
        [],
      )
      await second.stop()
      await source.close()
    })
  })
}
