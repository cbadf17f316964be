/**
 * A queue on disk: a batch is acknowledged once the disk has it, and removed once its destination has it.
 *
 * While the destination keeps up, records go on from memory as soon as they are stored, and are never read back. When
 * the window of what is in memory is full, what comes is left on disk, and read in its order when there is room:
 *
 *   push ─▶ append ─▶ acknowledged ─▶ window full? ── no ──────────────▶ sender ─▶ remove
 *                                          └── yes ─▶ (disk) ─▶ read ─────▲
 *
 * A crash leaves on disk what was not removed; it is sent again after the next start.
 */

import type { DeadLetter, Health } from '../component.ts'
import { createAck, type Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import type { Budget } from '../flow/budget.ts'
import type { LogRecord } from '../records/record.ts'
import type { QueueStore } from '../storage/queue-store.ts'
import { DiskDoor } from './disk-door.ts'
import type { Lose } from './sender.ts'
import type { QueueSettings } from './settings.ts'
import { fromStored } from './stored-form.ts'

export interface DiskQueueOptions {
  readonly store: QueueStore
  readonly settings: QueueSettings
  /** True when the store is not the one that keeps the checkpoints: both would not roll back together. */
  readonly alwaysDurable: boolean
  /** Room for what was taken from the disk and has not settled. */
  readonly window: Budget
  /** Where batches go on. */
  readonly out: (batch: Batch) => void
  readonly hooks: DiskQueueHooks
}

export interface DiskQueueHooks {
  readonly lose: Lose
  /** The queue's own health: the destination's is another matter. */
  health(status: Health, reason?: string): void
  reject(letters: readonly DeadLetter[]): Promise<void>
}

/** Read at once from the disk, about: a request's worth. */
const READ_BYTES = 2 ** 20
const REMOVE_EVERY_MS = 20
const EXPIRE_EVERY_MS = 5000
const MAX_RAW = 64 * 1024

export class DiskQueue {
  readonly #options: DiskQueueOptions
  readonly #door: DiskDoor
  readonly #stopReading = new AbortController()
  /** Batches in the window, by id: when they were stored. */
  readonly #open = new Map<number, number>()
  /** The last id that went on, the last that was read into memory, the last that is committed. */
  #cursor = 0
  #readTo = 0
  #committed = 0
  #isBehind = false
  #done: number[] = []
  #removing: Promise<void> | undefined
  #expiry: NodeJS.Timeout | undefined
  #changed = Promise.withResolvers<void>()

  constructor(options: DiskQueueOptions) {
    this.#options = options
    const { store, settings, alwaysDurable, hooks } = options
    this.#door = new DiskDoor({
      store,
      settings,
      alwaysDurable,
      hooks,
      readTo: () => this.#readTo,
      stored: (id, batch, bytes) => this.#stored(id, batch.records, bytes, batch.bytes),
    })
  }

  /** Finds what an earlier run has left, and begins to send it. */
  async start(): Promise<void> {
    const { settings, store } = this.#options
    const left = await store.stats()
    this.#committed = left.lastId
    this.#door.start(left)
    if (left.batches > 0) this.#fallBehind()
    if (settings.max_age > 0) {
      this.#expiry = setInterval(() => void this.#expire(), Math.min(EXPIRE_EVERY_MS, settings.max_age))
    }
  }

  get stats() {
    const { batches, records, bytes } = this.#door
    const [oldestAt = 0] = this.#open.values()
    return { batches, records, bytes, oldestAt }
  }

  push(batch: Batch): void {
    this.#door.push(batch)
  }

  /** Resolves when everything was stored and has left. */
  async emptied(signal: AbortSignal): Promise<void> {
    await this.#door.settled()
    while (!signal.aborted && (this.#isBehind || this.#open.size > 0)) await this.#change(signal)
  }

  /** Takes nothing more in, and reads nothing more. What could not be stored settles `failed`. */
  async closeDoor(): Promise<void> {
    this.#stopReading.abort(new Error('the queue is being closed'))
    clearInterval(this.#expiry)
    await this.#door.close()
  }

  /** After everything in the window has settled: removes what is done. */
  async finish(): Promise<void> {
    clearInterval(this.#expiry)
    this.#stopReading.abort(new Error('the queue is being closed'))
    await this.#removing
    if (this.#done.length > 0) await this.#options.store.remove(this.#done.splice(0)).catch(() => {})
  }

  #stored(id: number, records: readonly LogRecord[], bytes: number, room: number): void {
    this.#committed = id
    if (!this.#isBehind && this.#options.window.tryReserve(room)) this.#handOn(id, records, bytes, room, Date.now())
    else this.#fallBehind()
  }

  #handOn(id: number, records: readonly LogRecord[], bytes: number, room: number, storedAt: number): void {
    this.#cursor = id
    this.#readTo = Math.max(this.#readTo, id)
    this.#open.set(id, storedAt)
    const ack = createAck((outcome) => this.#settled(id, records.length, bytes, room, outcome))
    this.#options.out({ records, ack, bytes: room })
  }

  #settled(id: number, records: number, bytes: number, room: number, { kind }: Outcome): void {
    this.#open.delete(id)
    this.#options.window.release(room)
    // `failed` means that the exporter is being stopped: it stays on disk.
    if (kind !== 'failed') this.#remove(id, records, bytes)
    this.#tellChange()
  }

  #remove(id: number, records: number, bytes: number): void {
    this.#done.push(id)
    this.#door.left(1, records, bytes)
    this.#removing ??= this.#removeSoon()
  }

  async #removeSoon(): Promise<void> {
    for (let waitMs = REMOVE_EVERY_MS; this.#done.length > 0; ) {
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      const ids = this.#done
      this.#done = []
      try {
        await this.#options.store.remove(ids)
        waitMs = REMOVE_EVERY_MS
      } catch {
        // A full disk. What was delivered and is not removed would come twice after a crash, and is never lost.
        this.#done = [...ids, ...this.#done]
        if (this.#stopReading.signal.aborted) break
        waitMs = Math.min(5000, waitMs * 2)
      }
    }
    this.#removing = undefined
  }

  #fallBehind(): void {
    if (this.#isBehind) return
    this.#isBehind = true
    void this.#catchUp(this.#stopReading.signal)
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    for (let waitMs = 100; this.#cursor < this.#committed && !signal.aborted; ) {
      const committed = this.#committed
      try {
        await this.#readOn(committed, signal)
        waitMs = 100
      } catch (error) {
        if (signal.aborted) return
        this.#options.hooks.health('recoverable', `the queue on disk cannot be read: ${(error as Error).message}`)
        await new Promise((resolve) => setTimeout(resolve, waitMs))
        waitMs = Math.min(5000, waitMs * 2)
      }
    }
    if (signal.aborted) return
    this.#isBehind = false
    this.#tellChange()
  }

  async #readOn(committed: number, signal: AbortSignal): Promise<void> {
    const { store, window, settings } = this.#options
    const batches = await store.next(this.#cursor, READ_BYTES)
    // What was dropped or has expired meanwhile is not there.
    if (batches.length === 0) this.#cursor = Math.max(this.#cursor, committed)
    else this.#readTo = (batches.at(-1) as { id: number }).id
    for (const { id, records: count, bytes, storedAt, body } of batches) {
      const isExpired = settings.max_age > 0 && Date.now() - storedAt > settings.max_age
      const records = isExpired ? undefined : await this.#decode(id, count, body)
      if (records === undefined) {
        if (isExpired) this.#options.hooks.lose(count, 'queue_expired')
        this.#cursor = id
        this.#remove(id, count, bytes)
        continue
      }
      await window.reserve(body.length, signal)
      this.#handOn(id, records, bytes, body.length, storedAt)
    }
  }

  async #decode(id: number, count: number, body: Uint8Array): Promise<LogRecord[] | undefined> {
    try {
      return fromStored(body)
    } catch (error) {
      const raw = Buffer.from(body.subarray(0, MAX_RAW)).toString('base64')
      const why = `${count} records in the queue on disk cannot be read: ${(error as Error).message}`
      const letter = { reason: 'damaged', error: why, raw, source: `batch ${id} of the queue, base64` }
      await this.#options.hooks.reject(
        Array.from({ length: count }, (_, i) => (i === 0 ? letter : { ...letter, raw: '' })),
      )
      return undefined
    }
  }

  async #expire(): Promise<void> {
    const { store, settings, hooks } = this.#options
    try {
      const gone = await store.expire(this.#readTo, Date.now() - settings.max_age)
      if (gone.batches === 0) return
      hooks.lose(gone.records, 'queue_expired')
      this.#door.left(gone.batches, gone.records, gone.bytes)
    } catch {
      // The disk refuses; what has expired is found when it is read.
    }
  }

  #tellChange(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  async #change(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>()
    const onAbort = (): void => aborted.resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await Promise.race([this.#changed.promise, aborted.promise])
    signal.removeEventListener('abort', onAbort)
  }
}
