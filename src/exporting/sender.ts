/**
 * Gathers batches into requests and sends them, a bounded number at once. What waits stands in a line in memory.
 *
 * Nobody is made to wait here: where `overflow` blocks, what can wait is bounded by the room that was taken for it
 * before it came (the budget of the sources, or the window of a queue on disk). Where it drops, the line is kept short,
 * and what falls out of it is acknowledged, and counted as lost.
 */
import { Subject } from 'rxjs'
import { DELIVERED, type Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import { coalesce, type Pressure } from '../flow/coalesce.ts'
import type { Delivery } from './deliver.ts'
import type { QueueSettings } from './settings.ts'

/** What falls out of a queue: counted by the host. */
export type Lose = (records: number, reason: 'queue_full' | 'queue_expired') => void

export interface SenderOptions {
  readonly delivery: Delivery
  readonly settings: QueueSettings
  readonly pressure: Pressure
  /** Ends every attempt and every wait. */
  readonly signal: AbortSignal
  /** Where `overflow` drops: most bytes that may wait or be on their way. */
  readonly maxBytes?: number
  readonly lose: Lose
}

interface Waiting {
  readonly batch: Batch
  readonly since: number
}

const LEFT: Outcome = { kind: 'failed', error: new Error('the exporter was stopped') }

export class Sender {
  readonly #options: SenderOptions
  readonly #entry = new Subject<Batch>()
  readonly #line: Waiting[] = []
  readonly #idle = Promise.withResolvers<void>()
  #isLeaving = false
  #isComplete = false
  #inFlight = 0
  /** Bytes and records that wait, and bytes on their way. */
  #bytes = 0
  #records = 0
  #bytesInFlight = 0

  constructor(options: SenderOptions) {
    this.#options = options
    const { settings, pressure, maxBytes } = options
    const { min_size, max_size, max_bytes, flush_timeout } = settings.batch
    const whole = coalesce({
      minRecords: min_size,
      maxRecords: max_size,
      // Where little may be held, one request must not be all of it.
      maxBytes: maxBytes === undefined ? max_bytes : Math.min(max_bytes, Math.floor(maxBytes / 4)),
      waitMs: flush_timeout,
      pressure,
    })
    this.#entry.pipe(whole).subscribe({
      next: (batch) => this.#take(batch),
      complete: () => {
        this.#isComplete = true
        this.#check()
      },
    })
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#line.length
  }

  /** Requests on their way. */
  get inFlight(): number {
    return this.#inFlight
  }

  get records(): number {
    return this.#records
  }

  get bytes(): number {
    return this.#bytes
  }

  push(batch: Batch): void {
    this.#entry.next(batch)
  }

  /**
   * Sends what is held and resolves when everything has settled. With `leave` only what is on its way is waited for:
   * the rest settles `failed`, for whoever has it on disk.
   */
  close({ leave }: { leave: boolean }): Promise<void> {
    this.#isLeaving = leave
    this.#entry.complete()
    if (leave) for (const { batch } of this.#line.splice(0)) this.#forget(batch, LEFT)
    this.#check()
    return this.#idle.promise
  }

  #take(batch: Batch): void {
    if (this.#isLeaving) {
      batch.ack.settle(LEFT)
      return
    }
    if (this.#options.maxBytes !== undefined && !this.#makeRoom(batch)) {
      this.#options.lose(batch.records.length, 'queue_full')
      batch.ack.settle(DELIVERED)
      return
    }
    this.#bytes += batch.bytes
    this.#records += batch.records.length
    this.#line.push({ batch, since: Date.now() })
    this.#pump()
  }

  #makeRoom(batch: Batch): boolean {
    if (this.#options.settings.overflow === 'drop_oldest') {
      while (this.#line.length > 0 && this.#isOver(batch))
        this.#drop((this.#line.shift() as Waiting).batch, 'queue_full')
    }
    return !this.#isOver(batch)
  }

  /** True when there would be too much with `more` added. One request alone is never too much. */
  #isOver(more: Batch): boolean {
    const { settings, maxBytes = Number.POSITIVE_INFINITY } = this.#options
    const { queue_size = Number.POSITIVE_INFINITY, sizer } = settings
    if (this.#line.length + this.#inFlight === 0) return false
    const sizes = {
      requests: this.#line.length + 1,
      items: this.#records + more.records.length,
      bytes: this.#bytes + more.bytes,
    }
    return sizes[sizer] > queue_size || this.#bytesInFlight + sizes.bytes > maxBytes
  }

  #drop(batch: Batch, reason: 'queue_full' | 'queue_expired'): void {
    this.#options.lose(batch.records.length, reason)
    this.#forget(batch, DELIVERED)
  }

  #forget(batch: Batch, outcome: Outcome): void {
    this.#bytes -= batch.bytes
    this.#records -= batch.records.length
    batch.ack.settle(outcome)
  }

  #pump(): void {
    const { settings, maxBytes } = this.#options
    const { num_consumers, max_age } = settings
    while (this.#inFlight < num_consumers) {
      const next = this.#line.shift()
      if (next === undefined) return
      const isExpired = maxBytes !== undefined && max_age > 0 && Date.now() - next.since > max_age
      if (isExpired) this.#drop(next.batch, 'queue_expired')
      else void this.#send(next.batch)
    }
  }

  async #send({ records, bytes, ack }: Batch): Promise<void> {
    const { delivery, signal } = this.#options
    this.#inFlight += 1
    this.#bytes -= bytes
    this.#records -= records.length
    this.#bytesInFlight += bytes
    const outcome = await delivery.deliver(records, signal).catch(failed)
    this.#inFlight -= 1
    this.#bytesInFlight -= bytes
    ack.settle(outcome)
    this.#pump()
    this.#check()
  }

  #check(): void {
    if (this.#isComplete && this.#inFlight === 0 && this.#line.length === 0) this.#idle.resolve()
  }
}

// Only a dead-letter file that could not be written until the end makes a delivery throw.
function failed(error: Error): Outcome {
  return { kind: 'failed', error }
}
