import { type Observable, Subject } from 'rxjs'

interface Waiter {
  readonly amount: number
  readonly admit: () => void
}

/**
 * The pipeline's only flow control: work enters when there is room for it and
 * makes room again when its ack settles. The unit is bytes.
 *
 * RxJS operators may queue without bound; they never do, because everything they
 * can hold was admitted here first. Waiters are served strictly in order, so one
 * large batch cannot be starved by many small ones.
 */
export class Budget {
  readonly limit: number
  #used = 0
  readonly #waiters: Waiter[] = []
  readonly #starved = new Subject<void>()

  constructor(limit: number) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  get isStarved(): boolean {
    return this.#waiters.length > 0
  }

  /** Emits when a caller starts waiting: whoever is holding work for a fuller batch must let it go. */
  get starved$(): Observable<void> {
    return this.#starved
  }

  /** Takes `amount` now, or returns false. For sources that must shed rather than wait. */
  tryReserve(amount: number): boolean {
    if (this.isStarved || !this.#fits(amount)) return false
    this.#used += amount
    return true
  }

  /** Takes `amount`, waiting its turn. Rejects with the signal's reason when aborted. */
  async reserve(amount: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.tryReserve(amount)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { amount, admit: resolve }
    const abandon = (): void => {
      const position = this.#waiters.indexOf(waiter)
      if (position < 0) return // Admitted in the same turn: the caller owns the room and will give it back.
      this.#waiters.splice(position, 1)
      reject(signal.reason)
      this.#admitWaiting()
    }
    this.#waiters.push(waiter)
    signal.addEventListener('abort', abandon, { once: true })
    this.#starved.next()
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abandon)
    }
  }

  release(amount: number): void {
    this.#used -= amount
    this.#admitWaiting()
  }

  /** Exchanges `held` for `actual` without waiting: may take more than there is, which later callers then wait for. */
  resize(held: number, actual: number): void {
    this.#used += actual - held
    if (actual < held) this.#admitWaiting()
  }

  #admitWaiting(): void {
    for (let next = this.#waiters[0]; next && this.#fits(next.amount); next = this.#waiters[0]) {
      this.#waiters.shift()
      this.#used += next.amount
      next.admit()
    }
  }

  // A batch larger than the whole budget is admitted alone: refusing it would block its source for ever.
  #fits(amount: number): boolean {
    return this.#used === 0 || this.#used + amount <= this.limit
  }
}
