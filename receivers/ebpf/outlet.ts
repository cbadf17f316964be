/**
 * Between the rings, which cannot wait, and the pipelines, which may have no room: a bounded backlog. Beyond its bound
 * records are shed, those that matter least first, and each is counted by its name.
 */
import type { Context } from '../../src/component.ts'
import type { Intake, Receipt } from '../../src/flow/intake.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { SEVERITY } from '../../src/records/severity.ts'

const BATCH = 1000
/** Between two batches that are not full: what comes one by one goes on at once, what comes in streams goes in fewer. */
const AGE_MS = 20
/** What a record takes beside what it was in the kernel, about. */
const OVERHEAD = 256

/** The share of the backlog that records may fill, by how much they matter. */
const SHARE = { common: 0.5, important: 0.75, precious: 1 } as const
type Rank = keyof typeof SHARE

const IMPORTANT = new Set(['process.exec', 'process.exec_failed', 'process.exit', 'process.fork', 'process.signal'])
const COMMON = /^(?:file|network|dns|tls|http|capability|io_uring)\./

function rankOf({ eventName, severityNumber }: LogRecord): Rank {
  if (severityNumber >= SEVERITY.warn) return 'precious'
  if (IMPORTANT.has(eventName)) return 'important'
  return COMMON.test(eventName) ? 'common' : 'precious'
}

export interface OutletOptions {
  readonly context: Pick<Context, 'log' | 'lost' | 'gauge'>
  /** In bytes. */
  readonly limit: number
  /** Counts what was shed: all of one name. */
  readonly shed: (eventName: string, records: readonly LogRecord[]) => void
}

export class Outlet {
  readonly #options: OutletOptions
  #queue: LogRecord[] = []
  #bytes = 0
  #intake: Intake | undefined
  #pump: Promise<void> | undefined
  #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined
  #lastAt = 0

  constructor(options: OutletOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** `signal` ends the waiting for room. */
  open(intake: Intake, signal: AbortSignal): void {
    this.#intake = intake
    this.#signal = signal
    this.#start()
  }

  /** Takes the records over; `bytes` is what they were in the kernel, all together. */
  offer(records: LogRecord[], bytes: number): void {
    const each = bytes / records.length + OVERHEAD
    if (this.#bytes + each * records.length <= this.#options.limit * SHARE.common) {
      if (this.#queue.length === 0) this.#queue = records
      else for (const record of records) this.#queue.push(record)
      this.#bytes += each * records.length
    } else this.#choose(records, each)
    this.#start()
  }

  /** Resolves when everything was admitted; what found no room until `signal` aborted is counted as shed. */
  async close(): Promise<void> {
    this.#send()
    await this.#pump
    if (this.#queue.length === 0) return
    this.#count(this.#queue)
    this.#queue = []
    this.#bytes = 0
  }

  #choose(records: readonly LogRecord[], each: number): void {
    const { limit } = this.#options
    const shed: LogRecord[] = []
    for (const record of records) {
      if (this.#bytes + each > limit * SHARE[rankOf(record)]) shed.push(record)
      else {
        this.#queue.push(record)
        this.#bytes += each
      }
    }
    if (shed.length > 0) this.#count(shed)
  }

  #count(shed: readonly LogRecord[]): void {
    this.#intake?.refused(shed.length)
    for (const [name, group] of Map.groupBy(shed, ({ eventName }) => eventName)) this.#options.shed(name, group)
  }

  #start(): void {
    if (this.#pump !== undefined || this.#queue.length === 0) return
    const wait = this.#lastAt + AGE_MS - performance.now()
    if (wait <= 0 || this.#queue.length >= BATCH) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), wait)
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pump !== undefined || this.#intake === undefined || this.#queue.length === 0) return
    this.#pump = this.#run(this.#intake, this.#signal as AbortSignal).finally(() => {
      this.#pump = undefined
      this.#lastAt = performance.now()
    })
  }

  async #run(intake: Intake, signal: AbortSignal): Promise<void> {
    while (this.#queue.length > 0) {
      const share = (count: number): number => Math.ceil((this.#bytes * count) / this.#queue.length)
      // Room for as many as there are now: more may have come when there is room, which then wait for the next turn.
      const count = Math.min(BATCH, this.#queue.length)
      const room = await intake.reserve(share(count), signal).catch(() => undefined)
      if (room === undefined) return
      const taken = share(count)
      const records = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count)
      this.#queue = records === this.#queue ? [] : this.#queue.slice(count)
      this.#bytes = this.#queue.length === 0 ? 0 : this.#bytes - taken
      room.resize(taken)
      this.#settle(room.admit(records), records.length)
    }
  }

  /** A failure would be made good by sending again, which nobody can here. */
  #settle({ outcome }: Receipt, count: number): void {
    void outcome.then((result) => {
      if (result.kind === 'failed') this.#options.context.lost(count, 'failed', result.error)
    })
  }
}
