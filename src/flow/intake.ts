import { type Observable, Subject } from 'rxjs'
import type { LogRecord } from '../records/record.ts'
import { createAck, type Outcome } from './ack.ts'
import type { Batch } from './batch.ts'
import type { Budget } from './budget.ts'
import { ALWAYS_OPEN, type Gate } from './gate.ts'

/** Proof of admission. `outcome` never rejects: failure is a value here. */
export interface Receipt {
  readonly outcome: Promise<Outcome>
}

/** Room that was taken before the records exist. Must be used, or given back. */
export interface Room {
  /** Corrects the size once it is known, without waiting: what was too little is made good by those who come later. */
  resize(bytes: number): void
  /** Sends the records on; the room is free again when their journey has ended. */
  admit(records: readonly LogRecord[]): Receipt
  /** Gives the room back unused. Does nothing after `admit`, or a second time. */
  release(): void
}

/** What the host wants to know of a door: everything that went through it and everything it turned away. */
export interface IntakeObserver {
  accepted(records: number, bytes: number): void
  refused(records: number): void
  settled(records: number, outcome: Outcome): void
}

const NOBODY: IntakeObserver = { accepted: () => {}, refused: () => {}, settled: () => {} }

export interface IntakeOptions {
  readonly observer?: IntakeObserver
  /** Shut while the process is short of memory. */
  readonly gate?: Gate
  /** True when the source can't take back what it does on an answer (see `Ack.isFinal`). */
  readonly isFinal?: boolean
}

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
  readonly #gate: Gate
  readonly #isFinal: boolean
  readonly #batches = new Subject<Batch>()
  readonly #open = new Set<Promise<Outcome>>()

  constructor(budget: Budget, { observer = NOBODY, gate = ALWAYS_OPEN, isFinal = false }: IntakeOptions = {}) {
    this.#budget = budget
    this.#observer = observer
    this.#gate = gate
    this.#isFinal = isFinal
  }

  get batches$(): Observable<Batch> {
    return this.#batches
  }

  /** Batches that were admitted and have not settled. */
  get open(): number {
    return this.#open.size
  }

  /** False while memory is short: a server refuses then, before it reads a body, and a reader reads no further. */
  get isOpen(): boolean {
    return this.#gate.isOpen
  }

  /**
   * Waits for room for `bytes` (the size of the records in memory, roughly: their length on the wire),
   * then sends them on. Rejects with the signal's reason when aborted while waiting.
   */
  async admit(records: readonly LogRecord[], bytes: number, signal: AbortSignal): Promise<Receipt> {
    try {
      await this.#take(bytes, signal)
    } catch (reason) {
      this.#observer.refused(records.length)
      throw reason
    }
    return this.#send(records, bytes)
  }

  /** For sources that cannot be paused, such as a kernel ring buffer: full means undefined. */
  tryAdmit(records: readonly LogRecord[], bytes: number): Receipt | undefined {
    if (this.#gate.isOpen && this.#budget.tryReserve(bytes)) return this.#send(records, bytes)
    this.#observer.refused(records.length)
    return undefined
  }

  /**
   * Waits for room before there are records: for servers, which must not read a body that they have no room for.
   * Rejects with the signal's reason when aborted while waiting; the caller counts what it refuses then.
   */
  async reserve(bytes: number, signal: AbortSignal): Promise<Room> {
    await this.#take(bytes, signal)
    let held = bytes
    let isOver = false
    return {
      resize: (actual) => {
        if (isOver) return
        this.#budget.resize(held, actual)
        held = actual
      },
      admit: (records) => {
        if (isOver) throw new Error('room was used twice')
        isOver = true
        return this.#send(records, held)
      },
      release: () => {
        if (isOver) return
        isOver = true
        this.#budget.release(held)
      },
    }
  }

  /** Counts records that a receiver turned away itself, because it was given no room in time. */
  refused(records: number): void {
    this.#observer.refused(records)
  }

  /** Resolves when nothing admitted is still on its way. */
  async drained(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  /** Nothing will be admitted any more: lets batching operators flush what they hold. */
  close(): void {
    this.#batches.complete()
  }

  async #take(bytes: number, signal: AbortSignal): Promise<void> {
    if (!this.#gate.isOpen) await this.#gate.whenOpen(signal)
    await this.#budget.reserve(bytes, signal)
  }

  #send(records: readonly LogRecord[], bytes: number): Receipt {
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
    const ack = createAck((result) => {
      this.#open.delete(outcome)
      this.#budget.release(bytes)
      this.#observer.settled(records.length, result)
      resolve(result)
    }, this.#isFinal)
    this.#open.add(outcome)
    this.#observer.accepted(records.length, bytes)
    this.#batches.next({ records, ack, bytes })
    return { outcome }
  }
}
