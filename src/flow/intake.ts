import { type Observable, Subject } from 'rxjs'
import type { LogRecord } from '../records/record.ts'
import { createAck, type Outcome } from './ack.ts'
import type { Batch } from './batch.ts'
import type { Budget } from './budget.ts'

/** Proof of admission. `outcome` never rejects: failure is a value here. */
export interface Receipt {
  readonly outcome: Promise<Outcome>
}

/** What the host wants to know of a door: everything that went through it and everything it turned away. */
export interface IntakeObserver {
  accepted(records: number, bytes: number): void
  refused(records: number): void
  settled(records: number, outcome: Outcome): void
}

const NOBODY: IntakeObserver = { accepted: () => {}, refused: () => {}, settled: () => {} }

/**
 * A receiver's door into the pipeline. Two questions, two awaits:
 * `admit` resolves when there was room; `receipt.outcome` resolves when the journey ended.
 *
 * The records belong to the pipeline from the moment they are admitted: it may change their
 * attributes, so a receiver that wants to send them again must make them again.
 */
export class Intake {
  readonly #budget: Budget
  readonly #observer: IntakeObserver
  readonly #batches = new Subject<Batch>()
  readonly #open = new Set<Promise<Outcome>>()

  constructor(budget: Budget, observer: IntakeObserver = NOBODY) {
    this.#budget = budget
    this.#observer = observer
  }

  get batches$(): Observable<Batch> {
    return this.#batches
  }

  /** Batches that were admitted and have not settled. */
  get open(): number {
    return this.#open.size
  }

  /**
   * Waits for room for `bytes` (the size of the records in memory, roughly: their length on the wire),
   * then sends them on. Rejects with the signal's reason when aborted while waiting.
   */
  async admit(records: readonly LogRecord[], bytes: number, signal: AbortSignal): Promise<Receipt> {
    try {
      await this.#budget.reserve(bytes, signal)
    } catch (reason) {
      this.#observer.refused(records.length)
      throw reason
    }
    return this.#send(records, bytes)
  }

  /** For sources that cannot be paused, such as a kernel ring buffer: full means undefined. */
  tryAdmit(records: readonly LogRecord[], bytes: number): Receipt | undefined {
    if (this.#budget.tryReserve(bytes)) return this.#send(records, bytes)
    this.#observer.refused(records.length)
    return undefined
  }

  /** Resolves when nothing admitted is still on its way. */
  async drained(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  /** Nothing will be admitted any more: lets batching operators flush what they hold. */
  close(): void {
    this.#batches.complete()
  }

  #send(records: readonly LogRecord[], bytes: number): Receipt {
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
    const ack = createAck((result) => {
      this.#open.delete(outcome)
      this.#budget.release(bytes)
      this.#observer.settled(records.length, result)
      resolve(result)
    })
    this.#open.add(outcome)
    this.#observer.accepted(records.length, bytes)
    this.#batches.next({ records, ack, bytes })
    return { outcome }
  }
}
