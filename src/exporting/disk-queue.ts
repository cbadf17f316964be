/**
 * A queue on disk: a batch is acknowledged once the disk has it, or its destination, whichever comes first.
 *
 * While the destination keeps up, records go on from memory, and only what it has not taken within a moment is stored.
 * When the window of what is in memory is full, what comes is left on disk, and read in its order when there is room:
 *
 *   push ─▶ window full? ── no ──▶ sender ──▶ delivered in time ─▶ acknowledged
 *              │                     ▲  └───▶ late ─▶ append ─▶ acknowledged ─▶ delivered ─▶ remove
 *              └─ yes ─▶ append ─▶ acknowledged
 *                           └─(disk)─▶ read
 *
 * A crash leaves on disk what was not removed; it is sent again after the next start. What was not stored was not
 * acknowledged either: its source has it.
 */
import type { DeadLetter, Health } from '../component.ts'
import { createAck, type Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import type { Budget } from '../flow/budget.ts'
import type { LogRecord } from '../records/record.ts'
import type { QueueStore } from '../storage/queue-store.ts'
import { DiskDoor } from './disk-door.ts'
import { FastLane, type Late } from './fast-lane.ts'
import { Removals } from './removals.ts'
import type { Lose } from './sender.ts'
import type { QueueSettings } from './settings.ts'
import { fromStored } from './stored-form.ts'

export interface DiskQueueOptions {
  readonly store: QueueStore
  readonly settings: QueueSettings
  /** True when the store is not the one that keeps the checkpoints: both would not roll back together. */
  readonly alwaysDurable: boolean
  /** Room for what was handed on and has not settled. */
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
const EXPIRE_EVERY_MS = 5000
const MAX_RAW = 64 * 1024

export class DiskQueue {
  readonly #options: DiskQueueOptions
  readonly #door: DiskDoor
  readonly #lane: FastLane
  readonly #removals: Removals
  readonly #stopReading = new AbortController()
  /** Stored batches that were handed on, by id: when they were stored. */
  readonly #open = new Map<number, number>()
  /** The last id that was handed on in the order of the disk, the last that was read, the last that is committed. */
  #cursor = 0
  #readTo = 0
  #committed = 0
  /** The last id of a batch that was handed on before it was stored. */
  #lastLate = 0
  #isBehind = false
  #expiry: NodeJS.Timeout | undefined
  #changed = Promise.withResolvers<void>()

  constructor(options: DiskQueueOptions) {
    this.#options = options
    const { store, settings, alwaysDurable, hooks, window, out } = options
    this.#removals = new Removals(store)
    this.#lane = new FastLane({
      window,
      out,
      store: (late) => this.#door.pushLate(late),
      changed: () => {
        this.#door.left(0, 0, 0)
        this.#tellChange()
      },
    })
    this.#door = new DiskDoor({
      store,
      settings,
      alwaysDurable,
      hooks,
      unstored: this.#lane.unstored,
      droppableAfter: () => Math.max(this.#readTo, this.#lastLate),
      stored: (id, bytes, late) => this.#stored(id, bytes, late),
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
    const { unstored } = this.#lane
    return { batches: batches + unstored.batches, records: records + unstored.records, bytes, oldestAt }
  }

  push(batch: Batch): void {
    // What came before and lies on disk goes first.
    const isFree = !this.#isBehind && this.#door.isIdle && !this.#door.isOver(batch)
    if (!isFree || !this.#lane.take(batch)) this.#door.push(batch)
  }

  /** Resolves when everything was stored and has left. */
  async emptied(signal: AbortSignal): Promise<void> {
    await this.#door.settled()
    while (!signal.aborted && (this.#isBehind || this.#open.size > 0 || this.#lane.unstored.batches > 0)) {
      await this.#change(signal)
    }
  }

  /** Reads nothing more. What is in memory and not stored yet is stored when its last attempt has failed. */
  stopReading(): void {
    this.#stopReading.abort(new Error('the queue is being closed'))
    clearInterval(this.#expiry)
  }

  /** Once everything in the window has settled: what could not be stored settles `failed`, what is done is removed. */
  async finish(): Promise<void> {
    await this.#door.close()
    await this.#removals.close()
  }

  #stored(id: number, bytes: number, late: Late | undefined): void {
    this.#committed = id
    if (late === undefined) {
      this.#fallBehind()
      return
    }
    // Was handed on before it was stored: must not be read, or dropped.
    const { length: records } = late.batch.records
    this.#open.set(id, Date.now())
    this.#removals.hold(id)
    this.#lastLate = id
    if (!this.#isBehind) this.#cursor = this.#readTo = id
    late.stored((outcome) => this.#settled(id, records, bytes, outcome))
  }

  #settled(id: number, records: number, bytes: number, { kind }: Outcome): void {
    this.#open.delete(id)
    // `failed` means that the exporter is being stopped: it stays on disk.
    if (kind !== 'failed') this.#remove(id, records, bytes)
    this.#tellChange()
  }

  #remove(id: number, records: number, bytes: number): void {
    this.#removals.add(id)
    this.#door.left(1, records, bytes)
  }

  #fallBehind(): void {
    if (this.#isBehind) return
    this.#isBehind = true
    void this.#catchUp(this.#stopReading.signal)
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    for (let waitMs = 100; this.#cursor < this.#committed && !signal.aborted; ) {
      try {
        await this.#readOn(this.#committed, signal)
        if (waitMs > 100) this.#options.hooks.health('ok')
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
    const { store, window, out } = this.#options
    const batches = await store.next(this.#cursor, READ_BYTES)
    // What was dropped or has expired meanwhile is not there.
    if (batches.length === 0) this.#cursor = Math.max(this.#cursor, committed)
    else this.#readTo = (batches.at(-1) as { id: number }).id
    for (const { id, records: count, bytes, storedAt, body } of batches) {
      if (!this.#removals.isHeld(id)) {
        const records = await this.#revive(id, count, bytes, storedAt, body)
        if (records !== undefined) {
          await window.reserve(body.length, signal)
          this.#open.set(id, storedAt)
          const ack = createAck((outcome) => {
            window.release(body.length)
            this.#settled(id, count, bytes, outcome)
          })
          out({ records, ack, bytes: body.length })
        }
      }
      this.#cursor = id
    }
  }

  /** The records of a stored batch; undefined where they have expired, or are damaged, and are removed. */
  async #revive(
    id: number,
    count: number,
    bytes: number,
    storedAt: number,
    body: Uint8Array,
  ): Promise<LogRecord[] | undefined> {
    const { settings, hooks } = this.#options
    if (settings.max_age > 0 && Date.now() - storedAt > settings.max_age) {
      hooks.lose(count, 'queue_expired')
    } else {
      try {
        return fromStored(body)
      } catch (error) {
        await hooks.reject(damaged(id, count, body, error as Error))
      }
    }
    this.#remove(id, count, bytes)
    return undefined
  }

  async #expire(): Promise<void> {
    const { store, settings, hooks } = this.#options
    try {
      const gone = await store.expire(Math.max(this.#readTo, this.#lastLate), Date.now() - settings.max_age)
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

function damaged(id: number, count: number, body: Uint8Array, { message }: Error): DeadLetter[] {
  const raw = Buffer.from(body.subarray(0, MAX_RAW)).toString('base64')
  const error = `${count} records in the queue on disk cannot be read: ${message}`
  const letter = { reason: 'damaged', error, source: `batch ${id} of the queue, base64` }
  return Array.from({ length: count }, (_, i) => (i === 0 ? { ...letter, raw } : letter))
}
