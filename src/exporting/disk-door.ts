/**
 * How batches get into a queue on disk: the bounds, what happens when they are reached, and what happens when the disk
 * itself refuses. A batch that is not stored keeps its acknowledgement, and so the room that its source has.
 */
import type { DeadLetter, Health } from '../component.ts'
import { DELIVERED, type Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import type { LogRecord } from '../records/record.ts'
import type { QueueStats, QueueStore } from '../storage/queue-store.ts'
import type { Late } from './fast-lane.ts'
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
  /** What counts for the bounds besides what is stored. */
  readonly unstored: { readonly batches: number; readonly records: number; readonly bytes: number }
  /** What is behind this id, and nothing else, may be dropped. */
  readonly droppableAfter: () => number
  /** Hears of every batch that is stored, in the order of their ids. `bytes` are those in the file. */
  readonly stored: (id: number, bytes: number, late: Late | undefined) => void
}

/** What stands in the line: a batch that came here first, or one that is on its way already, which no bound turns away. */
interface Entry {
  readonly batch: Batch
  readonly late?: Late
}

const GIB = 2 ** 30
const CLOSED: Outcome = { kind: 'failed', error: new Error('the exporter is closed') }
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5000

export class DiskDoor {
  readonly #options: DiskDoorOptions
  readonly #maxBytes: number
  /** Those that wait for room, or for the disk, in their order. */
  readonly #line: Entry[] = []
  readonly #appending = new Set<Promise<void>>()
  #retry: NodeJS.Timeout | undefined
  #waitMs = FIRST_WAIT_MS
  #isRefused = false
  /** Of the line, how many stand at its head because the disk has refused them. */
  #refusals = 0
  #isClosed = false
  #lastId = 0
  /** Batches on their way to the disk that are not on their way to the destination as well. */
  #direct = 0
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

  /** Stores a batch, or does what the bounds demand. */
  push(batch: Batch): void {
    if (this.#isClosed) batch.ack.settle(CLOSED)
    else if (this.#line.length > 0 || this.#isRefused) this.#line.push({ batch })
    else this.#admit(batch)
  }

  /** Stores a batch that is on its way already. */
  pushLate(late: Late): void {
    late.storing()
    const entry = { batch: late.batch, late }
    if (this.#isClosed) late.answer(CLOSED)
    else if (this.#isRefused) this.#line.push(entry)
    else this.#append(entry)
  }

  /** Batches have left the file, or need not get into it any more. */
  left(batches: number, records: number, bytes: number): void {
    this.batches -= batches
    this.records -= records
    this.bytes -= bytes
    if (!this.#isRefused) this.#drain()
  }

  /** True when nothing that came before waits, or is being stored: what comes now may go another way. */
  get isIdle(): boolean {
    return this.#line.length === 0 && this.#direct === 0
  }

  /** True when `batch` would be one too many. A batch alone never is. */
  isOver(batch: Batch): boolean {
    const { settings, unstored } = this.#options
    const batches = this.batches + unstored.batches
    if (batches === 0) return false
    const { queue_size = Number.POSITIVE_INFINITY, sizer } = settings
    const sizes = {
      requests: batches + 1,
      items: this.records + unstored.records + batch.records.length,
      bytes: this.bytes + unstored.bytes + batch.bytes,
    }
    return sizes[sizer] > queue_size || sizes.bytes > this.#maxBytes
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
    for (const entry of this.#line.splice(0)) settle(entry, CLOSED)
    await Promise.all(this.#appending)
  }

  #drain(): void {
    for (let head = this.#line[0]; head !== undefined; head = this.#line[0]) {
      if (head.late === undefined && this.isOver(head.batch)) return
      this.#line.shift()
      this.#append(head)
    }
  }

  #admit(batch: Batch): void {
    const { settings, hooks } = this.#options
    if (!this.isOver(batch)) this.#append({ batch })
    else if (settings.overflow === 'block') this.#line.push({ batch })
    else if (settings.overflow === 'drop_oldest') this.#track(this.#dropOldest(batch))
    else {
      hooks.lose(batch.records.length, 'queue_full')
      batch.ack.settle(DELIVERED)
    }
  }

  /** Makes room at the far end. Where all that is stored is on its way already, the new batch is what gives way. */
  async #dropOldest(batch: Batch): Promise<void> {
    const { store, hooks, droppableAfter } = this.#options
    try {
      while (this.isOver(batch)) {
        // One at a time: what comes takes less on disk than its length says.
        const gone = await store.drop(droppableAfter(), 1)
        if (gone.batches === 0) break
        this.batches -= gone.batches
        this.records -= gone.records
        this.bytes -= gone.bytes
        hooks.lose(gone.records, 'queue_full')
      }
    } catch (error) {
      this.#refused({ batch }, error as Error)
      return
    }
    if (!this.isOver(batch)) {
      this.#append({ batch })
      return
    }
    hooks.lose(batch.records.length, 'queue_full')
    batch.ack.settle(DELIVERED)
  }

  #append(entry: Entry): void {
    if (entry.late?.isDone) return // Its destination was faster.
    try {
      this.#track(this.#write(entry, toStored(entry.batch.records)))
    } catch (error) {
      this.#track(this.#rejectUnencodable(entry, error as Error))
    }
  }

  async #write(entry: Entry, body: Uint8Array): Promise<void> {
    const { store, alwaysDurable, hooks, stored } = this.#options
    const { batch, late } = entry
    const id = ++this.#lastId
    const records = batch.records.length
    // Counted with its length in memory until the file says what it takes.
    this.batches += 1
    this.records += records
    this.bytes += batch.bytes
    if (late === undefined) this.#direct += 1
    let bytes: number
    try {
      bytes = await store.append({ id, records, body }, { durable: batch.ack.isFinal || alwaysDurable })
    } catch (error) {
      if (late === undefined) this.#direct -= 1
      this.batches -= 1
      this.records -= records
      this.bytes -= batch.bytes
      this.#refused(entry, error as Error)
      return
    }
    if (late === undefined) this.#direct -= 1
    this.bytes += bytes - batch.bytes
    this.#waitMs = FIRST_WAIT_MS
    if (this.#isRefused) {
      this.#isRefused = false
      this.#refusals = 0
      hooks.health('ok')
    }
    stored(id, bytes, late)
    if (late === undefined) batch.ack.settle(DELIVERED)
    this.#drain()
  }

  /** The batch waits at the head of the line, and its source with it, until the disk takes it. */
  #refused(entry: Entry, error: Error): void {
    if (this.#isClosed) {
      settle(entry, CLOSED)
      return
    }
    // Refusals come in the order of the batches.
    this.#line.splice(this.#refusals, 0, entry)
    this.#refusals += 1
    this.#isRefused = true
    this.#options.hooks.health(
      'recoverable',
      `the queue on disk cannot be written: ${error.message}; its sources wait until it can`,
    )
    this.#retry ??= setTimeout(() => this.#tryAgain(), this.#waitMs)
  }

  #tryAgain(): void {
    this.#retry = undefined
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2)
    // What has arrived without the disk need not wait for it.
    const first = this.#line.findIndex(({ late }) => !late?.isDone)
    const [entry] = this.#line.splice(0, first < 0 ? this.#line.length : first + 1).slice(-1)
    this.#refusals = Math.max(0, this.#refusals - 1)
    if (entry !== undefined && !entry.late?.isDone) this.#append(entry)
    else {
      this.#isRefused = false
      this.#refusals = 0
      this.#options.hooks.health('ok')
    }
  }

  // Which record it is takes no time that matters: this never happens to what our own receivers make.
  async #rejectUnencodable({ batch, late }: Entry, error: Error): Promise<void> {
    if (late !== undefined) {
      late.unstorable()
      return
    }
    const [bad, good] = partition(batch.records)
    try {
      await this.#options.hooks.reject(bad.map((record) => ({ reason: 'unencodable', error: error.message, record })))
    } catch (failure) {
      batch.ack.settle({ kind: 'failed', error: failure as Error })
      return
    }
    if (good.length === 0) batch.ack.settle({ kind: 'rejected', error })
    else this.#append({ batch: { records: good, ack: batch.ack, bytes: batch.bytes } })
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#appending.delete(tracked))
    this.#appending.add(tracked)
  }
}

function settle({ batch, late }: Entry, outcome: Outcome): void {
  if (late === undefined) batch.ack.settle(outcome)
  else late.answer(outcome)
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
