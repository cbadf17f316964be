/**
 * The promises every component makes, run against unreliable neighbours: ones that accept, fail, reject
 * and hang. One call per component, at the top of its test file.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Subject } from 'rxjs'
import type {
  AnyDefinition,
  Context,
  ExporterDefinition,
  ProcessorDefinition,
  ReceiverDefinition,
} from '../../src/component.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { settingsOf } from '../../src/exporting/settings.ts'
import { DELIVERED, type Outcome } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { Budget } from '../../src/flow/budget.ts'
import { Intake } from '../../src/flow/intake.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { type TestContext, testContext } from './context.ts'
import { record, tracked } from './records.ts'

const FAILED: Outcome = { kind: 'failed', error: new Error('not now') }
const REJECTED: Outcome = { kind: 'rejected', error: new Error('never') }

/** What holds for every definition: names, documentation, examples, strictness. */
export function definitionContract(definition: AnyDefinition): void {
  test(`${definition.kind} ${definition.type} is well defined`, () => {
    assert.match(definition.type, /^[a-z][a-z0-9_]{0,62}$/)
    assert.match(definition.summary, /^[A-Z].*\.$/)
    assert(definition.examples.length > 0, 'has an example')
    for (const example of definition.examples) definition.config.parse(example)
    const first = definition.examples[0] as object
    assert.throws(() => definition.config.parse({ ...first, nonsense_key: 1 }), /nonsense_key/)
  })
}

export function processorContract(definition: ProcessorDefinition, makeRecords = defaultRecords): void {
  suite(`processor ${definition.type} keeps the contract`, () => {
    definitionContract(definition)
    for (const [i, example] of definition.examples.entries()) {
      for (const [name, outcome] of [
        ['accepts', DELIVERED],
        ['fails', FAILED],
        ['rejects', REJECTED],
      ] as const) {
        test(`example ${i}: every batch settles exactly once when the neighbour ${name}`, async () => {
          const processor = definition.create(definition.config.parse(example), testContext())
          await processor.start?.(new AbortController().signal)
          const source = new Subject<Batch>()
          const passed = new Set<LogRecord>()
          source.pipe(processor.operator()).subscribe((batch) => {
            for (const one of batch.records) passed.add(one)
            batch.ack.settle(outcome)
          })
          const batches = makeRecords().map((records) => tracked(...records))
          for (const batch of batches) source.next(batch)
          source.complete()
          await processor.stop?.(new AbortController().signal)
          for (const { records, outcomes } of batches) {
            const some = records.some((one) => passed.has(one))
            assert.deepEqual(outcomes, [some ? outcome : DELIVERED])
          }
        })
      }
      test(`example ${i}: nothing settles while the neighbour hangs`, () => {
        const { operator } = definition.create(definition.config.parse(example), testContext())
        const source = new Subject<Batch>()
        const held: Batch[] = []
        source.pipe(operator()).subscribe((batch) => held.push(batch))
        const batches = makeRecords().map((records) => tracked(...records))
        for (const batch of batches) source.next(batch)
        const open = batches.filter(({ outcomes }) => outcomes.length === 0)
        assert.equal(open.length, held.length)
        for (const batch of held) batch.ack.settle(DELIVERED)
        assert(batches.every(({ outcomes }) => outcomes.length === 1))
      })
    }
    test('stopping is safe without a start, and twice', async () => {
      const processor = definition.create(definition.config.parse(definition.examples[0]), testContext())
      await processor.stop?.(new AbortController().signal)
      await processor.stop?.(new AbortController().signal)
    })
  })
}

function defaultRecords(): LogRecord[][] {
  return [[record()], [record({ a: 1 }), record({ b: 'two', 'user.name': 'alice' })], [record({}, { body: '' })]]
}

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
