/** Everything that runs: extensions and islands, started, reloaded and stopped as a whole. */
import type { Extension, ExtensionDefinition } from '../component.ts'
import type { ComponentConfig, Config } from '../config/config.ts'
import type { Chain } from '../exporting/chain.ts'
import { type RunningIsland, startIsland } from './island.ts'
import { type Island, type Plan, planGraph } from './plan.ts'
import { createContext, type Runtime } from './runtime.ts'
import { tellOrphans } from './storage.ts'

interface RunningExtension {
  readonly plan: ComponentConfig<ExtensionDefinition>
  readonly extension: Extension
}

/** What the running configuration is called where health is told. */
const CONFIGURATION_KEY = 'host:configuration'

/** What a reload came to. */
export interface ReloadResult {
  readonly kept: number
  readonly started: number
  readonly stopped: number
}

export class Program {
  readonly #runtime: Runtime
  readonly #never = new AbortController()
  #config: Config | undefined
  #islands: RunningIsland[] = []
  #extensions: RunningExtension[] = []

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /**
   * `withReceivers: false` starts what leads to the destinations alone, for records that come by another way.
   * Starts everything, or nothing: when one component fails to start, the others are stopped and it rejects.
   */
  async start(config: Config, { withReceivers = true } = {}): Promise<void> {
    const planned = planGraph(config)
    const plan = withReceivers ? planned : { ...planned, islands: planned.islands.map(withoutReceivers) }
    try {
      await this.#startExtensions(plan.extensions)
      for (const island of plan.islands) await this.#startIsland(island, plan)
      await tellOrphans(this.#runtime, plan)
    } catch (error) {
      await this.stop(0)
      throw error
    }
    this.#config = config
  }

  /** Resolves when every source that can end has ended, and the queues on disk are empty. */
  async ended(): Promise<void> {
    await Promise.all(this.#islands.map((island) => island.ended))
  }

  /**
   * Exchanges what changed and leaves the rest running. An old island is drained before its successor starts,
   * so that state never has two owners. When a successor fails to start, the old islands come back and it rejects;
   * an old one that cannot come back is told by health, and started again by the next reload.
   */
  async reload(config: Config, timeoutMs: number): Promise<ReloadResult> {
    const plan = planGraph(config)
    const wanted = new Set(plan.islands.map(({ fingerprint }) => fingerprint))
    const kept = this.#islands.filter((island) => wanted.has(island.plan.fingerprint))
    const gone = this.#islands.filter((island) => !wanted.has(island.plan.fingerprint))
    const present = new Set(kept.map((island) => island.plan.fingerprint))
    const fresh = plan.islands.filter(({ fingerprint }) => !present.has(fingerprint))

    await Promise.all(gone.map((island) => island.stop(timeoutMs)))
    this.#islands = [...kept]
    try {
      await this.#exchangeExtensions(plan.extensions)
      for (const island of fresh) await this.#startIsland(island, plan)
    } catch (error) {
      await this.#comeBack(kept, gone, timeoutMs)
      throw error
    }
    this.#runtime.health.forget(CONFIGURATION_KEY)
    await tellOrphans(this.#runtime, plan)
    this.#config = config
    return { kept: kept.length, started: fresh.length, stopped: gone.length }
  }

  /** What leads to an exporter that runs. */
  chain(exporter: string): Chain | undefined {
    return this.#islands.map((island) => island.chain(exporter)).find((chain) => chain !== undefined)
  }

  /** Receivers first, then downstream; extensions last. Returns the number of batches that were cut off. */
  async stop(timeoutMs: number): Promise<number> {
    const cut = await Promise.all(this.#islands.map((island) => island.stop(timeoutMs)))
    this.#islands = []
    await this.#stopExtensions(this.#extensions)
    this.#extensions = []
    return cut.reduce((total, one) => total + one, 0)
  }

  async #startIsland(island: Island, { islands }: Plan): Promise<void> {
    const receivers = islands.reduce((total, one) => total + one.receivers.length, 0)
    const share = Math.floor(this.#runtime.budgetBytes / Math.max(1, receivers))
    this.#islands.push(await startIsland(island, this.#runtime, share))
  }

  async #comeBack(kept: RunningIsland[], gone: RunningIsland[], timeoutMs: number): Promise<void> {
    const begun = this.#islands.filter((island) => !kept.includes(island))
    await Promise.all(begun.map((island) => island.stop(timeoutMs)))
    this.#islands = [...kept]
    if (this.#config === undefined) return
    const plan = planGraph(this.#config)
    const attempt = async (start: () => Promise<void>): Promise<void> => {
      try {
        await start()
      } catch (error) {
        this.#runtime.log.error('A part of the old configuration could not be started again.', { error })
        this.#runtime.health.report(CONFIGURATION_KEY, 'permanent', `not all of it runs: ${(error as Error).message}`)
      }
    }
    await attempt(() => this.#exchangeExtensions(plan.extensions))
    for (const island of gone) await attempt(() => this.#startIsland(island.plan, plan))
  }

  async #startExtensions(plans: readonly ComponentConfig<ExtensionDefinition>[]): Promise<void> {
    for (const plan of plans) {
      const context = createContext(this.#runtime, 'extension', plan.id, this.#never.signal)
      const extension = plan.definition.create(plan.config, { ...context, host: this.#runtime.host })
      try {
        await extension.start?.(this.#never.signal)
      } catch (error) {
        throw new Error(`failed to start extensions::${plan.id}: ${(error as Error).message}`, { cause: error })
      }
      if (extension.storage !== undefined) this.#runtime.storages.set(plan.id, extension.storage)
      this.#extensions.push({ plan, extension })
    }
  }

  async #stopExtensions(extensions: readonly RunningExtension[]): Promise<void> {
    for (const { plan, extension } of [...extensions].reverse()) {
      this.#runtime.storages.delete(plan.id)
      try {
        await extension.stop?.(this.#never.signal)
      } catch (error) {
        this.#runtime.log.error('An extension failed to stop.', { 'otelcol.component.id': plan.id, error })
      }
    }
  }

  async #exchangeExtensions(plans: readonly ComponentConfig<ExtensionDefinition>[]): Promise<void> {
    const wanted = new Set(plans.map(({ fingerprint }) => fingerprint))
    const gone = this.#extensions.filter(({ plan }) => !wanted.has(plan.fingerprint))
    this.#extensions = this.#extensions.filter(({ plan }) => wanted.has(plan.fingerprint))
    await this.#stopExtensions(gone)
    const present = new Set(this.#extensions.map(({ plan }) => plan.fingerprint))
    await this.#startExtensions(plans.filter(({ fingerprint }) => !present.has(fingerprint)))
  }
}

function withoutReceivers(island: Island): Island {
  return { ...island, receivers: [] }
}
