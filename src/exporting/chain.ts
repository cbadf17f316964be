/**
 * What stands between a pipeline and an exporter: a queue, gathering, a bounded number of consumers, delivery.
 *
 * With a queue in memory an acknowledgement waits for the destination, so a dead destination slows its sources.
 * With a queue on disk it waits for the disk, and sources are slowed only when the queue is full.
 */
import type { DeadLetter, Health } from '../component.ts'
import type { Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import { Budget } from '../flow/budget.ts'
import { anyPressure, type Pressure } from '../flow/coalesce.ts'
import type { QueueStore } from '../storage/queue-store.ts'
import type { Delivery } from './deliver.ts'
import { DiskQueue } from './disk-queue.ts'
import { type Lose, Sender } from './sender.ts'
import type { DeliverySettings } from './settings.ts'

export interface Chain {
  /** Finds what an earlier run has left on disk. Call it before the first `push`. */
  start(): Promise<void>
  /** Takes a batch over: from here on the chain owns its ack. */
  push(batch: Batch): void
  readonly stats: ChainStats
  /** Resolves when nothing is left on disk. Ask when nothing comes any more. */
  emptied(): Promise<void>
  /**
   * Sends what is held in memory; what is on disk stays there. Resolves when every batch has settled. What comes later
   * settles `failed`.
   */
  close(): Promise<void>
}

export interface ChainStats {
  /** Batches, records and bytes that wait: in memory those behind the gathering, on disk all that are not delivered. */
  readonly batches: number
  readonly records: number
  readonly bytes: number
  /** When the oldest of them was stored, in milliseconds since the epoch; 0 where that is not known. */
  readonly oldestAt: number
  readonly inFlight: number
}

export interface ChainHooks {
  readonly lose: Lose
  queueHealth(status: Health, reason?: string): void
  reject(letters: readonly DeadLetter[]): Promise<void>
}

export interface ChainOptions {
  readonly delivery: Delivery
  readonly settings: DeliverySettings
  /** Of whoever is upstream: while one of them waits for room nothing is held for a fuller request. */
  readonly pressure: Pressure
  /** Ends every attempt and every wait. */
  readonly signal: AbortSignal
  readonly hooks: ChainHooks
  /** Room that a source has, in bytes: what is held in memory here is measured by it. */
  readonly shareBytes: number
  /** Where the queue is kept, when it is on disk. */
  readonly disk?: {
    readonly store: QueueStore
    /** True when the store is not the one that keeps the checkpoints. */
    readonly alwaysDurable: boolean
  }
}

/** For a request that is on its way when the exporter is stopped; what does not arrive is still on disk. */
const LAST_ATTEMPT_MS = 5000
const CLOSED: Outcome = { kind: 'failed', error: new Error('the exporter is closed') }

export function createChain(options: ChainOptions): Chain {
  return options.disk === undefined ? memoryChain(options) : diskChain(options, options.disk)
}

function memoryChain({ delivery, settings, pressure, signal, hooks, shareBytes }: ChainOptions): Chain {
  const { sending_queue: queue } = settings
  const maxBytes = queue.overflow === 'block' ? undefined : (queue.max_bytes ?? Math.floor(shareBytes / 2))
  const bound = maxBytes === undefined ? {} : { maxBytes: maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes }
  const sender = new Sender({ delivery, settings: queue, pressure, signal, lose: hooks.lose, ...bound })
  let closing: Promise<void> | undefined
  return {
    start: async () => {},
    emptied: async () => {},
    push(batch) {
      if (closing === undefined) sender.push(batch)
      else batch.ack.settle(CLOSED)
    },
    get stats() {
      const { waiting, records, bytes, inFlight } = sender
      return { batches: waiting, records, bytes, oldestAt: 0, inFlight }
    },
    close() {
      closing ??= sender.close({ leave: false })
      return closing
    },
  }
}

function diskChain(options: ChainOptions, disk: NonNullable<ChainOptions['disk']>): Chain {
  const { delivery, settings, signal, hooks, shareBytes } = options
  const { sending_queue: queue } = settings
  // Enough for every consumer, and for the next requests to be at hand; no more than a source may have on its way.
  const { num_consumers, batch } = queue
  const window = new Budget(Math.min((num_consumers + 2) * batch.max_bytes, Math.max(2 * batch.max_bytes, shareBytes)))
  const last = new AbortController()
  const sender = new Sender({
    delivery,
    // What waits here was let in by the window; the bounds of the queue are those of the disk.
    settings: { ...queue, overflow: 'block' },
    pressure: anyPressure([window]),
    signal: AbortSignal.any([signal, last.signal]),
    lose: hooks.lose,
  })
  const line = new DiskQueue({
    store: disk.store,
    settings: queue,
    alwaysDurable: disk.alwaysDurable,
    window,
    out: (batch) => sender.push(batch),
    hooks: { lose: hooks.lose, health: hooks.queueHealth, reject: hooks.reject },
  })
  const close = async (): Promise<void> => {
    line.stopReading()
    delivery.leave()
    const limit = setTimeout(() => last.abort(new Error('the exporter is being stopped')), LAST_ATTEMPT_MS)
    await sender.close({ leave: true })
    clearTimeout(limit)
    await line.finish()
  }
  let closing: Promise<void> | undefined
  return {
    start: () => line.start(),
    emptied: () => line.emptied(signal),
    push(batch) {
      if (closing === undefined) line.push(batch)
      else batch.ack.settle(CLOSED)
    },
    get stats() {
      return { ...line.stats, inFlight: sender.inFlight }
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}
