/** What all components of one program share, and the view of it that each of them is lent. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, DeadLetter, Health, Host, Kind } from '../component.ts'
import type { DeadLetterFile } from '../exporting/dead-letter.ts'
import type { StoreOwner } from '../storage/store.ts'
import type { HealthBoard } from '../telemetry/health.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricName } from '../telemetry/metrics.ts'
import type { MetricRegistry } from '../telemetry/registry.ts'

export interface Runtime {
  readonly log: Logger
  readonly metrics: MetricRegistry
  readonly health: HealthBoard
  readonly stores: StoreOwner
  /** Stores of extensions, by the extension's id. */
  readonly storages: Map<string, StoreOwner>
  /** Records that a stopped exporter has left in its queue on disk, by the exporter's id. */
  readonly leftOnDisk: Map<string, number>
  readonly deadLetters: DeadLetterFile
  readonly stateDir: string
  readonly drain: boolean
  readonly host: Host
  /** Room for records on their way, in bytes, of the whole program. */
  readonly budgetBytes: number
}

/** `receiver:file_log/containers`: unique among all components of a program. */
export function componentKey(kind: Kind, id: string): string {
  return `${kind}:${id}`
}

/** What the dead-letter file is called where health is told. */
const DEAD_LETTER_KEY = 'host:dead_letter'

/** Notes how a component is. Returns true when that is news. */
export function reportHealth(
  { health, metrics }: Pick<Runtime, 'health' | 'metrics'>,
  kind: Kind,
  id: string,
  status: Health,
  reason?: string,
): boolean {
  const isNews = health.report(componentKey(kind, id), status, reason)
  if (isNews) metrics.set('weir_component_healthy', status === 'ok' ? 1 : 0, { component: id, kind })
  return isNews
}

/** Removes a component that is gone from what the program shows of itself. */
export function forgetHealth({ health, metrics }: Pick<Runtime, 'health' | 'metrics'>, kind: Kind, id: string): void {
  health.forget(componentKey(kind, id))
  metrics.forgetGauges({ component: id, kind })
  metrics.forgetGauges({ [kind]: id })
}

/** The context of one instance. `pipeline` tells instances of one processor in several pipelines apart. */
export function createContext(
  runtime: Runtime,
  kind: Kind,
  id: string,
  signal: AbortSignal,
  pipeline?: string,
): Context {
  const { metrics, health, deadLetters, stores, stateDir, drain } = runtime
  const key = componentKey(kind, id)
  const labels = { component: id, kind }
  const log = runtime.log.child({
    'otelcol.component.id': id,
    'otelcol.component.kind': kind,
    ...(pipeline === undefined ? {} : { 'otelcol.pipeline.id': pipeline }),
  })

  const writeLetters = async (letters: readonly DeadLetter[]): Promise<void> => {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 30_000)) {
      try {
        metrics.add('weir_dead_letter_bytes', await deadLetters.write(key, letters))
        health.report(DEAD_LETTER_KEY, 'ok')
        return
      } catch (error) {
        // The source may not forget a record that is nowhere: hold it until the disk takes it.
        log.error('The dead-letter file cannot be written; holding the records until it can.', { error })
        const reason = `the dead-letter file cannot be written: ${(error as Error).message}`
        health.report(DEAD_LETTER_KEY, 'permanent', `${reason}; what belongs into it is held until it can`)
        await sleep(waitMs, undefined, { signal })
      }
    }
  }

  reportHealth(runtime, kind, id, 'ok')
  return {
    id,
    log,
    store: stores.namespace(pipeline === undefined ? key : `${key}@${pipeline}`),
    drain,
    stateDir,
    filtered: (count, reason) => metrics.add('weir_component_filtered_records', count, { ...labels, reason }),
    lost(count, reason, error) {
      metrics.add('weir_component_lost_records', count, { ...labels, reason })
      log.error('Records were lost.', { count, reason, ...(error === undefined ? {} : { error }) })
    },
    async reject(letters) {
      if (letters.length === 0) return
      await writeLetters(letters)
      for (const [reason, group] of Map.groupBy(letters, (letter) => letter.reason)) {
        metrics.add('weir_component_rejected_records', group.length, { ...labels, reason })
        const { error, source } = group[0] as DeadLetter
        log.warn('Records were rejected and written to the dead-letter file.', {
          count: group.length,
          reason,
          error,
          ...(source === undefined ? {} : { source }),
        })
      }
    },
    health(status, reason) {
      if (reportHealth(runtime, kind, id, status, reason) && status !== 'ok')
        log.warn('The component is unhealthy.', { status, reason })
    },
    count: (metric, value, more) => metrics.add(metric as MetricName, value, { [kind]: id, ...more }),
    gauge: (metric, value, more) => metrics.set(metric as MetricName, value, { [kind]: id, ...more }),
  }
}
