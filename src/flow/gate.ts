/**
 * A door that may be held shut: while it is, nothing new is taken in, so that a process that is short of
 * memory can get rid of what it has. Unlike a full budget it says nothing about the bytes of one caller.
 */
import { type Observable, Subject } from 'rxjs'

export interface Gate {
  readonly isOpen: boolean
  /** Resolves when the gate is open; rejects with the signal's reason when aborted while waiting. */
  whenOpen(signal: AbortSignal): Promise<void>
}

export const ALWAYS_OPEN: Gate = { isOpen: true, whenOpen: async () => {} }

/** A gate with a handle. */
export class Door implements Gate {
  #isOpen = true
  readonly #opened = new Subject<void>()

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Emits when the door opens again. */
  get opened$(): Observable<void> {
    return this.#opened
  }

  shut(): void {
    this.#isOpen = false
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#opened.next()
  }

  async whenOpen(signal: AbortSignal): Promise<void> {
    while (!this.#isOpen) {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const abandon = (): void => reject(signal.reason)
      const subscription = this.#opened.subscribe(resolve)
      signal.addEventListener('abort', abandon, { once: true })
      try {
        await promise
      } finally {
        subscription.unsubscribe()
        signal.removeEventListener('abort', abandon)
      }
    }
  }
}

/** Open when all are. */
export function allOpen(gates: readonly Gate[]): Gate {
  if (gates.length === 0) return ALWAYS_OPEN
  return {
    get isOpen() {
      return gates.every((gate) => gate.isOpen)
    },
    async whenOpen(signal) {
      // One may shut while another is waited for.
      for (let shut = gates.find(isShut); shut !== undefined; shut = gates.find(isShut)) await shut.whenOpen(signal)
    },
  }
}

function isShut(gate: Gate): boolean {
  return !gate.isOpen
}
