/** Which store a component keeps its state in: that of an extension it names, or the embedded one. */
import type { Config } from '../config/config.ts'
import type { StoreOwner } from '../storage/store.ts'
import type { Plan } from './plan.ts'
import type { Runtime } from './runtime.ts'

/** The storage extension that a parsed configuration names, in `storage` or `sending_queue::storage`. */
export function storageIdOf(config: unknown): string | undefined {
  const { storage, sending_queue } = (config ?? {}) as { storage?: unknown; sending_queue?: { storage?: unknown } }
  const id = storage ?? sending_queue?.storage
  return typeof id === 'string' ? id : undefined
}

/** Throws where the extension keeps nothing. */
export function storageOf({ stores, storages }: Pick<Runtime, 'stores' | 'storages'>, config: unknown): StoreOwner {
  const id = storageIdOf(config)
  if (id === undefined) return stores
  const found = storages.get(id)
  if (found === undefined)
    throw new Error(`storage: the extension "${id}" keeps no data; name a file_storage extension`)
  return found
}

/** Changes when the storage extension that a component names is configured differently. */
export function storageFingerprint(config: unknown, { extensions }: Config): string {
  const id = storageIdOf(config)
  return id === undefined ? '' : (extensions.get(id)?.fingerprint ?? '')
}

/** Says which queues on disk hold records that no exporter of the configuration will ever send. */
export async function tellOrphans(
  { stores, storages, metrics, log }: Pick<Runtime, 'stores' | 'storages' | 'metrics' | 'log'>,
  { islands }: Plan,
): Promise<void> {
  for (const { labels } of metrics.list('weir_queue_orphaned_records'))
    metrics.forgetGauges({ queue: labels['queue'] ?? '' })
  const exporters = islands.flatMap((island) => island.exporters)
  for (const owner of new Set([stores, ...storages.values()])) {
    const owned = exporters.filter(({ config }) => isQueueIn(owner, config, { stores, storages })).map(({ id }) => id)
    // A disk that cannot be read is told of by whoever needs it; this is no reason to refuse a configuration.
    const queues = await owner.queues().catch(() => [])
    for (const { queue, records, batches } of queues) {
      if (batches === 0 || owned.includes(queue)) continue
      metrics.set('weir_queue_orphaned_records', records, { queue })
      log.warn(
        'Records wait on disk for an exporter that is not configured with this storage; configure it again, or remove them with `weir queue drop`.',
        { exporter: queue, records },
      )
    }
  }
}

function isQueueIn(owner: StoreOwner, config: unknown, runtime: Pick<Runtime, 'stores' | 'storages'>): boolean {
  return storageIdOf(config) !== undefined && storageOf(runtime, config) === owner
}
