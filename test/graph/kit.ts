/** Small real components whose neighbours a test plays, configured from YAML as users do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { map } from 'rxjs'
import { z } from 'zod'
import { forward } from '../../connectors/forward.ts'
import { routing } from '../../connectors/routing.ts'
import {
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type Lifecycle,
  type Registry,
} from '../../src/component.ts'
import type { Config } from '../../src/config/config.ts'
import { formatProblem } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { DeadLetterFile } from '../../src/exporting/dead-letter.ts'
import { deliverySettings } from '../../src/exporting/settings.ts'
import type { Outcome } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import type { Intake } from '../../src/flow/intake.ts'
import { mapRecords } from '../../src/flow/operators.ts'
import type { Runtime } from '../../src/graph/runtime.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { HealthBoard } from '../../src/telemetry/health.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { MetricRegistry } from '../../src/telemetry/registry.ts'
import { record } from '../kit/records.ts'

export interface TestSource {
  /** Sends records with these `v` attributes on; resolves with how their journey ended. */
  emit(...values: unknown[]): Promise<Outcome>
  /** `run` returns. */
  end(): void
  /** `run` rejects. */
  fail(error: Error): void
  runs: number
}

export interface TestSink {
  /** `v` attributes that were delivered. */
  readonly values: unknown[]
  readonly records: LogRecord[]
  attempts: number
  mood: 'accepts' | 'fails' | 'hangs'
}

export interface World {
  readonly registry: Registry
  readonly runtime: Runtime
  readonly metrics: MetricRegistry
  readonly health: HealthBoard
  readonly letters: string[]
  readonly logged: string[]
  /** `start sink/a`, `stop sink/a`, … in the order in which it happened. */
  readonly events: string[]
  /** The instances that live, by id, newest last. */
  readonly instances: Map<string, object[]>
  source(id: string): TestSource
  sink(id: string): TestSink
  /** Ids of components that fail to start, to stop, or that never stop. */
  readonly failStart: Set<string>
  readonly hangStop: Set<string>
  readonly ignoreAbort: Set<string>
  config(yaml: string): Config
}

const common = { stability: 'alpha', summary: 'For tests.', examples: [] } as const
const quick = { ...deliverySettings({ timeout: '0' }) }

export function world(): World {
  const sources = new Map<string, TestSource & { intake?: Intake }>()
  const sinks = new Map<string, TestSink>()
  const events: string[] = []
  const logged: string[] = []
  const letters: string[] = []
  const instances: World['instances'] = new Map()
  const failStart = new Set<string>()
  const hangStop = new Set<string>()
  const ignoreAbort = new Set<string>()

  const sink = (id: string): TestSink => {
    const known = sinks.get(id) ?? { values: [], records: [], attempts: 0, mood: 'accepts' }
    sinks.set(id, known)
    return known
  }
  const living = <T extends object>(id: string, part: T): T & Required<Lifecycle> => {
    const instance: T & Required<Lifecycle> = {
      ...part,
      async start() {
        events.push(`start ${id}`)
        if (failStart.has(id)) throw new Error(`${id} does not want to`)
      },
      async stop() {
        events.push(`stop ${id}`)
        if (hangStop.has(id)) await new Promise(() => {})
      },
    }
    instances.set(id, [...(instances.get(id) ?? []), instance])
    return instance
  }

  const source = defineReceiver({
    ...common,
    type: 'source',
    delivery: 'replay',
    ends: true,
    config: z.strictObject({ note: z.string().default('') }),
    create(_, { id }) {
      let settle: { resolve: () => void; reject: (error: Error) => void } | undefined
      const control: TestSource & { intake?: Intake } = {
        runs: 0,
        async emit(...values) {
          const records = values.map((v) => record({ v } as never, severityOf(v)))
          const receipt = await control.intake?.admit(records, 100 * records.length, new AbortController().signal)
          return (await receipt?.outcome) as Outcome
        },
        end: () => settle?.resolve(),
        fail: (error) => settle?.reject(error),
      }
      sources.set(id, control)
      return living(id, {
        async run(intake: Intake, signal: AbortSignal) {
          control.intake = intake
          control.runs += 1
          const { promise, resolve, reject } = Promise.withResolvers<void>()
          settle = { resolve, reject }
          if (!ignoreAbort.has(id)) signal.addEventListener('abort', () => resolve(), { once: true })
          await promise
        },
      })
    },
  })

  const stamp = defineProcessor({
    ...common,
    type: 'stamp',
    config: z.strictObject({ as: z.string() }),
    create: ({ as }, context) =>
      living(context.id, {
        operator: () =>
          mapRecords(context, (one) => {
            if (one.attributes['v'] === 'poison') throw new Error('poisoned')
            one.attributes[as] = String(one.attributes['v'])
            return one
          }),
      }),
  })

  const fragile = defineProcessor({
    ...common,
    type: 'fragile',
    config: z.strictObject({}),
    create: (_, { id }) =>
      living(id, {
        operator: () =>
          map((batch: Batch) => {
            if (batch.records.some(({ attributes }) => attributes['v'] === 'bomb')) throw new Error('broke')
            return batch
          }),
      }),
  })

  const swallow = defineProcessor({
    ...common,
    type: 'swallow',
    config: z.strictObject({}),
    create: (_, { id }) =>
      living(id, { operator: () => map((batch: Batch) => ({ ...batch, ack: { isFinal: false, settle: () => {} } })) }),
  })

  const testSink = defineExporter({
    ...common,
    type: 'sink',
    config: z.strictObject({ note: z.string().default(''), ...quick }),
    create: (_, { id }) =>
      living(id, {
        async export(records: readonly LogRecord[], signal: AbortSignal) {
          const me = sink(id)
          me.attempts += 1
          if (me.mood === 'hangs') await sleep(2 ** 30, undefined, { signal })
          if (me.mood === 'fails') throw new Error(`${id} is down`)
          me.records.push(...records)
          me.values.push(...records.map(({ attributes }) => attributes['v']))
        },
      }),
  })

  const ext = defineExtension({
    ...common,
    type: 'ext',
    config: z.strictObject({ note: z.string().default('') }),
    create: (_, { id }) => living(id, {}),
  })

  const registry = {
    receivers: [source],
    processors: [stamp, fragile, swallow],
    exporters: [testSink],
    connectors: [forward, routing],
    extensions: [ext],
  } as unknown as Registry
  const metrics = new MetricRegistry()
  const health = new HealthBoard()
  const deadLetters: DeadLetterFile = {
    async write(_, given) {
      letters.push(...given.map(({ reason }) => reason))
      return given.length
    },
    take: async () => [],
    keep: async () => {},
    close: async () => {},
  }
  const stores = memoryStore()
  const runtime: Runtime = {
    log: createLogger({ level: 'info', encoding: 'console', repeatMs: 0, write: (line) => void logged.push(line) }),
    metrics,
    health,
    stores,
    storages: new Map(),
    leftOnDisk: new Map(),
    deadLetters,
    stateDir: '/nonexistent',
    drain: false,
    host: { health: () => health.components, losses: () => [], isReady: true, startedAt: 0, stores },
    budgetBytes: 2 ** 20,
  }
  return {
    registry,
    runtime,
    metrics,
    health,
    letters,
    logged,
    events,
    instances,
    failStart,
    hangStop,
    ignoreAbort,
    source: (id) => sources.get(id) as TestSource,
    sink,
    config(yaml) {
      const { config, errors } = loadConfig({ configs: [`yaml:${yaml}`] }, registry, {})
      if (config === undefined) throw new Error(errors.map(formatProblem).join('\n'))
      return config
    },
  }
}

function severityOf(value: unknown): Partial<LogRecord> {
  return value === 'bad' ? { severityNumber: 17, severityText: 'ERROR' } : {}
}

/** Sends at once, retries at once. */
export const QUICK =
  '{retry_on_failure: {initial_interval: 5ms, max_interval: 5ms}, sending_queue: {batch: {flush_timeout: 1ms}}}'
