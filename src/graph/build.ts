/** Makes the instances of one island and joins them, from the end of the flow to its beginning. Nothing runs yet. */
import type {
  Connector,
  Context,
  Exporter,
  Kind,
  Lifecycle,
  Processor,
  ProcessorDefinition,
  Receiver,
} from '../component.ts'
import type { ComponentConfig, PipelineConfig } from '../config/config.ts'
import { type Chain, createChain } from '../exporting/chain.ts'
import { Delivery } from '../exporting/deliver.ts'
import { settingsOf } from '../exporting/settings.ts'
import { Budget } from '../flow/budget.ts'
import { anyPressure, type Pressure, pressureOf } from '../flow/coalesce.ts'
import { allOpen, type Gate } from '../flow/gate.ts'
import { Intake } from '../flow/intake.ts'
import { copyAmong, copying, routeAmong, type Sink, shareAmong } from './fan-out.ts'
import { chainHooks, deliveryHooks, intakeObserver, observeChain, queueKey } from './observe.ts'
import { createPipeline, type NamedProcessor, type Pipeline } from './pipeline.ts'
import { type Island, pipelinesBehind } from './plan.ts'
import { createContext, forgetHealth, type Runtime } from './runtime.ts'
import { storageOf } from './storage.ts'

export interface RunningReceiver {
  readonly id: string
  readonly receiver: Receiver
  readonly intake: Intake
  readonly ends: boolean
}

export interface Part {
  readonly kind: Kind
  readonly id: string
  readonly part: Lifecycle
}

export interface BuiltIsland {
  readonly receivers: readonly RunningReceiver[]
  /** In the order of the flow. */
  readonly pipelines: readonly Pipeline[]
  /** By the id of the exporter. */
  readonly chains: ReadonlyMap<string, Chain>
  /** Everything with a life, in starting order: from the end of the flow to its beginning. */
  readonly parts: readonly Part[]
  /** Removes what the island shows of itself in metrics and health. */
  forget(): void
}

export interface BuildOptions {
  readonly runtime: Runtime
  /** Aborts when nothing more is taken in: from then on nobody waits for a fuller batch. */
  readonly taking: AbortSignal
  /** Ends every request and every wait. */
  readonly now: AbortSignal
  /** Room of one receiver, in bytes. */
  readonly shareBytes: number
}

/** Throws when a component cannot be made; nothing is left of it then. */
export function buildIsland(island: Island, options: BuildOptions): BuiltIsland {
  return new Builder(island, options).build()
}

class Builder {
  readonly #island: Island
  readonly #runtime: Runtime
  readonly #now: AbortSignal
  readonly #shareBytes: number
  readonly #budgets: ReadonlyMap<string, Budget>
  readonly #pressure: Pressure
  readonly #chains = new Map<string, Chain>()
  readonly #connectors = new Map<string, { readonly connector: Connector; readonly context: Context }>()
  readonly #pipelines = new Map<string, Pipeline>()
  /** Of the processors, by pipeline. */
  readonly #gates = new Map<string, readonly Gate[]>()
  readonly #parts: Part[] = []
  readonly #forgets: (() => void)[] = []

  constructor(island: Island, { runtime, taking, now, shareBytes }: BuildOptions) {
    this.#island = island
    this.#runtime = runtime
    this.#now = now
    this.#shareBytes = shareBytes
    this.#budgets = new Map(island.receivers.map(({ id }) => [id, new Budget(shareBytes)]))
    this.#pressure = anyPressure([...this.#budgets.values(), pressureOf(taking)])
  }

  build(): BuiltIsland {
    const forget = (): void => {
      for (const one of this.#forgets) one()
    }
    try {
      return { ...this.#build(), forget }
    } catch (error) {
      forget()
      throw error
    }
  }

  #build(): Omit<BuiltIsland, 'forget'> {
    for (const one of this.#island.exporters) this.#exporter(one)
    for (const one of this.#island.connectors) this.#connector(one)
    for (const one of [...this.#island.pipelines].reverse()) this.#pipeline(one)
    const receivers = this.#island.receivers.map((one) => this.#receiver(one))
    return {
      receivers,
      pipelines: this.#island.pipelines.map(({ id }) => this.#pipelines.get(id) as Pipeline),
      chains: this.#chains,
      parts: this.#parts,
    }
  }

  #exporter({ id, definition, config }: Island['exporters'][number]): void {
    const context = this.#context('exporter', id)
    const exporter: Exporter = made('exporter', id, () => definition.create(config, context))
    const settings = settingsOf(config)
    const { metrics, health, stores } = this.#runtime
    const hooks = chainHooks(id, context, this.#runtime)
    const isOnDisk = settings.sending_queue.storage !== undefined
    const storage = made('exporter', id, () => storageOf(this.#runtime, config))
    const chain = createChain({
      delivery: new Delivery(exporter, settings, deliveryHooks(id, context, metrics)),
      settings,
      pressure: this.#pressure,
      signal: this.#now,
      hooks,
      shareBytes: this.#shareBytes,
      ...(isOnDisk ? { disk: { store: storage.queue(id), alwaysDurable: storage !== stores } } : {}),
    })
    this.#chains.set(id, chain)
    this.#forgets.push(observeChain(id, chain, settings.sending_queue, metrics), () => health.forget(queueKey(id)))
    this.#parts.push({ kind: 'exporter', id, part: withQueue(exporter, chain) })
  }

  #connector({ id, definition, config }: Island['connectors'][number]): void {
    const context = this.#context('connector', id)
    const connector = made('connector', id, () => definition.create(config, context))
    this.#connectors.set(id, { connector, context })
    this.#parts.push({ kind: 'connector', id, part: connector })
  }

  #pipeline({ id, processors, exporters }: PipelineConfig): void {
    const mine = processors.map((each): NamedProcessor => {
      const { definition, config } = this.#island.processors.get(each.id) as ComponentConfig<ProcessorDefinition>
      const context = this.#context('processor', each.id, id)
      const processor: Processor = made('processor', each.id, () => definition.create(config, context))
      this.#parts.push({ kind: 'processor', id: each.id, part: processor })
      return { id: each.id, processor }
    })
    const sinks = exporters.map((each): Sink => {
      if (each.kind === 'exporter') return this.#chains.get(each.id) as Chain
      const sink = this.#connectorSink(each.id)
      return exporters.length > 1 ? copying(sink) : sink
    })
    this.#gates.set(
      id,
      mine.flatMap(({ processor }) => processor.gate ?? []),
    )
    this.#pipelines.set(id, createPipeline(id, mine, shareAmong(sinks), this.#runtime))
  }

  #connectorSink(id: string): Sink {
    const { connector, context } = this.#connectors.get(id) as { connector: Connector; context: Context }
    const { route } = connector
    const fed = this.#fedBy(id)
    if (route === 'all') return copyAmong(fed)
    return routeAmong(route, new Map(fed.map((one) => [one.id, one])), context)
  }

  #receiver({ id, definition, config }: Island['receivers'][number]): RunningReceiver {
    const budget = this.#budgets.get(id) as Budget
    const context = {
      ...this.#context('receiver', id),
      store: made('receiver', id, () => storageOf(this.#runtime, config)).namespace(`receiver:${id}`),
    }
    const receiver = made('receiver', id, () => definition.create(config, context))
    this.#parts.push({ kind: 'receiver', id, part: receiver })
    const { observer, forget } = intakeObserver(id, budget, this.#runtime.metrics)
    this.#forgets.push(forget)
    const gate = allOpen(pipelinesBehind(this.#island, id).flatMap((one) => this.#gates.get(one.id) ?? []))
    const intake = new Intake(budget, { observer, gate, isFinal: definition.delivery === 'respond' })
    const sink = copyAmong(this.#fedBy(id))
    intake.batches$.subscribe((batch) => sink.push(batch))
    return { id, receiver, intake, ends: definition.ends }
  }

  #context(kind: Kind, id: string, pipeline?: string): Context {
    this.#forgets.push(() => forgetHealth(this.#runtime, kind, id))
    return createContext(this.#runtime, kind, id, this.#now, pipeline)
  }

  /** The pipelines that list a receiver or connector. A connector's are built before the pipeline that feeds it. */
  #fedBy(id: string): Pipeline[] {
    return this.#island.pipelines
      .filter(({ receivers }) => receivers.some((one) => one.id === id))
      .map((one) => this.#pipelines.get(one.id) as Pipeline)
  }
}

function made<T>(kind: Kind, id: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new Error(`failed to create ${kind} "${id}": ${(error as Error).message}`, { cause: error })
  }
}

/** The queue of an exporter opens after the exporter, which it feeds at once. */
function withQueue(exporter: Exporter, chain: Chain): Lifecycle {
  return {
    async start(signal) {
      await exporter.start?.(signal)
      await chain.start()
    },
    stop: async (signal) => exporter.stop?.(signal),
  }
}
