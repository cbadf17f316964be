/**
 * How batches get into a queue on disk: the bounds, what happens when they are reached, and what happens when the disk
 * itself refuses. A batch that is not stored keeps its acknowledgement, and so the room that its source has.
 */
import type { DeadLetter, Health } from '../component.ts'
import { DELIVERED, type Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import type { LogRecord } from '../records/record.ts'
import type { QueueStats, QueueStore } from '../storage/queue-store.ts'
import type { Lose } from './sender.ts'
import type { QueueSettings } from './settings.ts'
import { toStored } from './stored-form.ts'

export interface DiskDoorOptions {
  readonly store: QueueStore
  readonly settings: QueueSettings
  readonly alwaysDurable: boolean
  readonly hooks: {
    readonly lose: Lose
    health(status: Health, reason?: string): void
    reject(letters: readonly DeadLetter[]): Promise<void>
  }
  /** The last id that is in memory: what is behind it may be dropped. */
  readonly readTo: () => number
  /** Hears of every batch that is stored, in the order of their ids. `bytes` are those in the file. */
  readonly stored: (id: number, batch: Batch, bytes: number) => void
}

const GIB = 2 ** 30
const CLOSED: Outcome = { kind: 'failed', error: new Error('the exporter is closed') }
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5000

export class DiskDoor {
  readonly #options: DiskDoorOptions
  readonly #maxBytes: number
  /** Batches that wait for room, or for the disk, in their order. */
  #line: Batch[] = []
  readonly #appending = new Set<Promise<void>>()
  #retry: NodeJS.Timeout | undefined
  #waitMs = FIRST_WAIT_MS
  #isRefused = false
  /** Of the line, how many stand at its head because the disk has refused them. */
  #refusals = 0
  #isClosed = false
  #lastId = 0
  batches = 0
  records = 0
  bytes = 0

  constructor(options: DiskDoorOptions) {
    this.#options = options
    const { max_bytes = GIB } = options.settings
    this.#maxBytes = max_bytes === 0 ? Number.POSITIVE_INFINITY : max_bytes
  }

  start({ lastId, batches, records, bytes }: QueueStats): void {
    this.#lastId = lastId
    this.batches = batches
    this.records = records
    this.bytes = bytes
  }

  push(batch: Batch): void {
    if (this.#isClosed) batch.ack.settle(CLOSED)
    else if (this.#line.length > 0) this.#line.push(batch)
    else this.#admit(batch)
  }

  /** Batches have left the file. */
  left(batches: number, records: number, bytes: number): void {
    this.batches -= batches
    this.records -= records
    this.bytes -= bytes
    if (!this.#isRefused) this.#drain()
  }

  /** Resolves when nothing waits to be stored. */
  async settled(): Promise<void> {
    while (!this.#isClosed && (this.#line.length > 0 || this.#appending.size > 0)) {
      await Promise.race([...this.#appending, new Promise((resolve) => setTimeout(resolve, 50))])
    }
  }

  /** What is not stored settles `failed`. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    for (const { ack } of this.#line.splice(0)) ack.settle(CLOSED)
    await Promise.all(this.#appending)
  }

  #drain(): void {
    while (this.#line.length > 0 && !this.#isOver(this.#line[0] as Batch)) this.#append(this.#line.shift() as Batch)
  }

  #admit(batch: Batch): void {
    const { settings, hooks } = this.#options
    if (this.#isRefused) this.#line.push(batch)
    else if (!this.#isOver(batch)) this.#append(batch)
    else if (settings.overflow === 'block') this.#line.push(batch)
    else if (settings.overflow === 'drop_oldest') this.#track(this.#dropOldest(batch))
    else {
      hooks.lose(batch.records.length, 'queue_full')
      batch.ack.settle(DELIVERED)
    }
  }

  /** A batch alone is never too much. */
  #isOver(batch: Batch): boolean {
    if (this.batches === 0) return false
    const { queue_size = Number.POSITIVE_INFINITY, sizer } = this.#options.settings
    const sizes = {
      requests: this.batches + 1,
      items: this.records + batch.records.length,
      bytes: this.bytes + batch.bytes,
    }
    return sizes[sizer] > queue_size || sizes.bytes > this.#maxBytes
  }

  /** Makes room at the far end. Where all that is stored is on its way already, the new batch is what gives way. */
  async #dropOldest(batch: Batch): Promise<void> {
    const { store, hooks, readTo } = this.#options
    try {
      while (this.#isOver(batch)) {
        const gone = await store.drop(readTo(), Math.max(1, batch.bytes))
        if (gone.batches === 0) break
        this.batches -= gone.batches
        this.records -= gone.records
        this.bytes -= gone.bytes
        hooks.lose(gone.records, 'queue_full')
      }
    } catch (error) {
      this.#refused(batch, error as Error)
      return
    }
    if (!this.#isOver(batch)) {
      this.#append(batch)
      return
    }
    hooks.lose(batch.records.length, 'queue_full')
    batch.ack.settle(DELIVERED)
  }

  #append(batch: Batch): void {
    let body: Uint8Array
    try {
      body = toStored(batch.records)
    } catch (error) {
      this.#track(this.#rejectUnencodable(batch, error as Error))
      return
    }
    this.#track(this.#write(batch, body))
  }

  async #write(batch: Batch, body: Uint8Array): Promise<void> {
    const { store, alwaysDurable, hooks, stored } = this.#options
    const id = ++this.#lastId
    const records = batch.records.length
    // Counted with its length in memory until the file says what it takes.
    this.batches += 1
    this.records += records
    this.bytes += batch.bytes
    try {
      const bytes = await store.append({ id, records, body }, { durable: batch.ack.isFinal || alwaysDurable })
      this.bytes += bytes - batch.bytes
      this.#waitMs = FIRST_WAIT_MS
      if (this.#isRefused) {
        this.#isRefused = false
        this.#refusals = 0
        hooks.health('ok')
      }
      batch.ack.settle(DELIVERED)
      stored(id, batch, bytes)
      this.#drain()
    } catch (error) {
      this.batches -= 1
      this.records -= records
      this.bytes -= batch.bytes
      this.#refused(batch, error as Error)
    }
  }

  /** The batch waits at the head of the line, and its source with it, until the disk takes it. */
  #refused(batch: Batch, error: Error): void {
    if (this.#isClosed) {
      batch.ack.settle(CLOSED)
      return
    }
    // Refusals come in the order of the batches.
    this.#line.splice(this.#refusals, 0, batch)
    this.#refusals += 1
    this.#isRefused = true
    this.#options.hooks.health(
      'recoverable',
      `the queue on disk cannot be written: ${error.message}; its sources wait until it can`,
    )
    if (this.#retry !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      const first = this.#line.shift()
      this.#refusals = Math.max(0, this.#refusals - 1)
      if (first !== undefined) this.#append(first)
    }, this.#waitMs)
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2)
  }

  // Which record it is takes no time that matters: this never happens to what our own receivers make.
  async #rejectUnencodable({ records, ack }: Batch, error: Error): Promise<void> {
    const [bad, good] = partition(records)
    try {
      await this.#options.hooks.reject(bad.map((record) => ({ reason: 'unencodable', error: error.message, record })))
    } catch (failure) {
      ack.settle({ kind: 'failed', error: failure as Error })
      return
    }
    if (good.length === 0) ack.settle({ kind: 'rejected', error })
    else this.#append({ records: good, ack, bytes: 0 })
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#appending.delete(tracked))
    this.#appending.add(tracked)
  }
}

function partition(records: readonly LogRecord[]): [LogRecord[], LogRecord[]] {
  const bad: LogRecord[] = []
  const good: LogRecord[] = []
  for (const record of records) {
    try {
      toStored([record])
      good.push(record)
    } catch {
      bad.push(record)
    }
  }
  return [bad, good]
}
