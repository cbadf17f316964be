/** Opens what a running program stands on: state directory, store, dead-letter file, log, metrics. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Host } from '../component.ts'
import type { Config } from '../config/config.ts'
import { deadLetterFile } from '../exporting/dead-letter.ts'
import type { Runtime } from '../graph/runtime.ts'
import { openStore } from '../storage/embedded.ts'
import { HealthBoard } from '../telemetry/health.ts'
import type { Logger } from '../telemetry/logger.ts'
import { memoryLimit } from '../telemetry/memory-limit.ts'
import { observeProcess } from '../telemetry/process-metrics.ts'
import { MetricRegistry } from '../telemetry/registry.ts'
import { type MetricsServer, serveMetrics } from '../telemetry/server.ts'
import { losses } from '../telemetry/summary.ts'
import { VERSION } from './version.ts'

const MIB = 2 ** 20
const DEAD_LETTER_MAX_BYTES = 256 * MIB

export interface OpenHostOptions {
  readonly stateDir: string
  readonly drain: boolean
  readonly log: Logger
  readonly config: Config
  readonly isReady: () => boolean
}

export interface OpenHost {
  readonly runtime: Runtime
  /** Follows the part of the configuration that is the host's own. Rejects, and stays as it was, when it cannot. */
  serve(config: Config): Promise<void>
  close(): Promise<void>
}

type Readers = Config['service']['metrics']['readers']

export async function openHost({ stateDir, drain, log, config, isReady }: OpenHostOptions): Promise<OpenHost> {
  const stores = await openStore(stateDir, { warn: (message) => log.warn(message) })
  const metrics = new MetricRegistry(ownResource(config.service))
  const health = new HealthBoard()
  const stopObserving = observeProcess(metrics)
  const deadLetters = deadLetterFile({
    directory: stateDir,
    maxBytes: DEAD_LETTER_MAX_BYTES,
    onDiscard(bytes) {
      metrics.add('weir_dead_letter_discarded_bytes', bytes)
      log.error('The oldest dead letters were deleted: the file has grown to its limit again.', { bytes })
    },
  })
  const host: Host = {
    health: () => health.components,
    losses: () => losses(metrics),
    startedAt: Date.now(),
    stores,
    get isReady() {
      return isReady()
    },
  }
  let servers: MetricsServer[] = []
  let served: Readers = []

  const closeServers = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
    servers = []
  }
  const openServers = async (readers: Readers): Promise<void> => {
    for (const { host: name, port } of readers) servers.push(await serveMetrics(metrics, name, port))
  }

  return {
    runtime: {
      log,
      metrics,
      health,
      stores,
      storages: new Map(),
      leftOnDisk: new Map(),
      deadLetters,
      stateDir,
      drain,
      host,
      budgetBytes: budgetOf(config.service.memoryBudget, log),
    },
    async serve({ service }) {
      const { readers } = service.metrics
      if (isDeepStrictEqual(readers, served)) return
      await closeServers()
      try {
        await openServers(readers)
        served = readers
      } catch (error) {
        await closeServers()
        await openServers(served)
        throw error
      }
    },
    async close() {
      stopObserving()
      await closeServers()
      await deadLetters.close()
      await stores.close()
    },
  }
}

/**
 * In the heap a record takes several times the bytes that it is admitted with: a budget that the memory cannot hold would
 * get the process killed, and is cut to what it can.
 */
function budgetOf(configured: number | undefined, log: Logger): number {
  if (configured === undefined) return defaultBudget()
  const most = Math.floor(memoryLimit() / 16)
  if (configured <= most) return configured
  log.warn(
    'service::memory::budget is more than a sixteenth of the memory that this process may use; it is cut to that.',
    {
      configured,
      budget: most,
    },
  )
  return most
}

/**
 * Room for records in flight: a thirty-second of the memory this process may use, between 4 and 8 MiB. In the heap
 * a record takes several times its length on the wire, and what lives long enough to be moved there costs most.
 */
function defaultBudget(): number {
  return Math.min(8 * MIB, Math.max(4 * MIB, Math.floor(memoryLimit() / 32)))
}

/** What Weir says of itself in its own telemetry: `service::telemetry::resource` over the defaults. */
export function ownResource({ resource }: Config['service']): Record<string, string | number | boolean> {
  const all = { 'service.name': 'weir', 'service.version': VERSION, 'service.instance.id': INSTANCE_ID, ...resource }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as ReturnType<typeof ownResource>
}

const INSTANCE_ID = randomUUID()
