/**
 * The way past the disk, for a destination that keeps up: batches are handed on at once, and stored only when they have
 * not arrived within a moment. Most never are, which spares the disk and most of what a queue on disk costs.
 */
import { createAck, DELIVERED, type Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import type { Budget } from '../flow/budget.ts'

export interface FastLaneOptions {
  readonly window: Budget
  readonly out: (batch: Batch) => void
  /** Stores a batch that is late. */
  readonly store: (late: Late) => void
  /** A batch has settled. */
  readonly changed: () => void
}

/** How long a source waits for a destination before it is answered by the disk. */
const PATIENCE_MS = 100
/** The same for a client that waits for its answer, and sends nothing more meanwhile. */
const PATIENCE_FINAL_MS = 20

export class FastLane {
  readonly #options: FastLaneOptions
  /** Batches that were handed on and are neither delivered nor stored. */
  readonly unstored = { batches: 0, records: 0, bytes: 0 }

  constructor(options: FastLaneOptions) {
    this.#options = options
  }

  /** False when the window is full: the batch belongs on the disk. */
  take(batch: Batch): boolean {
    const { window, out, store, changed } = this.#options
    if (!window.tryReserve(batch.bytes)) return false
    const late = new Late(batch, this.unstored)
    const timer = setTimeout(store, batch.ack.isFinal ? PATIENCE_FINAL_MS : PATIENCE_MS, late)
    const ack = createAck((outcome) => {
      clearTimeout(timer)
      window.release(batch.bytes)
      // `failed` means that the exporter is being stopped: the disk takes it, so that its source need not send it again.
      if (late.settle(outcome) === 'must be stored') store(late)
      changed()
    })
    out({ records: batch.records, bytes: batch.bytes, ack })
    return true
  }
}

/** A batch that was handed on before it was stored: on its way to its destination, and perhaps to the disk. */
export class Late {
  readonly batch: Batch
  readonly #count: FastLane['unstored']
  #outcome: Outcome | undefined
  #hear: ((outcome: Outcome) => void) | undefined
  #isCounted = true
  #isAnswered = false
  #isStoring = false

  constructor(batch: Batch, count: FastLane['unstored']) {
    this.batch = batch
    this.#count = count
    count.batches += 1
    count.records += batch.records.length
    count.bytes += batch.bytes
  }

  /** True when there is nothing left to store. */
  get isDone(): boolean {
    return this.#outcome !== undefined && this.#outcome.kind !== 'failed'
  }

  /** It stands in the line for the disk. */
  storing(): void {
    this.#isStoring = true
  }

  /** The disk will never have it: its source is answered by its destination alone. */
  unstorable(): void {
    this.#isStoring = false
    if (this.#outcome !== undefined) this.answer(this.#outcome)
  }

  /** The disk has it: its source is answered. `settled` hears what becomes of it, at once if that is known. */
  stored(settled: (outcome: Outcome) => void): void {
    this.#uncount()
    this.answer(DELIVERED)
    if (this.#outcome === undefined) this.#hear = settled
    else settled(this.#outcome)
  }

  /** Its journey has ended. */
  settle(outcome: Outcome): 'must be stored' | 'is settled' {
    this.#outcome = outcome
    if (this.#hear !== undefined) this.#hear(outcome)
    else if (outcome.kind !== 'failed') {
      this.#uncount()
      this.answer(outcome)
    } else if (!this.#isStoring) return 'must be stored'
    return 'is settled'
  }

  /** Answers its source, unless that was done before. */
  answer(outcome: Outcome): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#uncount()
    this.batch.ack.settle(outcome)
  }

  #uncount(): void {
    if (!this.#isCounted) return
    this.#isCounted = false
    this.#count.batches -= 1
    this.#count.records -= this.batch.records.length
    this.#count.bytes -= this.batch.bytes
  }
}
