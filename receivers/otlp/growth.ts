/**
 * One place for bodies that turn out larger than the room that was taken for them: how far a chunked or packed body
 * goes is known only at its end. One at a time may grow, up to the largest body allowed; the others wait, unread.
 */
import type { Room } from '../../src/flow/intake.ts'

export interface GrowingBody {
  /** Waits for the place where needed; undefined when nothing is to wait for. */
  to(bytes: number): Promise<void> | undefined
  /** Frees the place. */
  end(): void
}

export class Growth {
  #isTaken = false
  readonly #queue: (() => void)[] = []

  of(room: Room, signal: AbortSignal): GrowingBody {
    let holds = false
    let isOver = false
    const take = async (bytes: number): Promise<void> => {
      await this.#take(signal)
      if (isOver) {
        this.#free()
        return
      }
      holds = true
      room.resize(bytes)
    }
    return {
      to(bytes) {
        if (!holds) return take(bytes)
        room.resize(bytes)
        return undefined
      },
      end: () => {
        isOver = true
        if (holds) this.#free()
        holds = false
      },
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!this.#isTaken) {
      this.#isTaken = true
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abandon = (): void => {
      const position = this.#queue.indexOf(resolve)
      if (position >= 0) this.#queue.splice(position, 1)
      reject(signal.reason)
    }
    this.#queue.push(resolve)
    signal.addEventListener('abort', abandon, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abandon)
    }
  }

  #free(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#isTaken = false
    else next()
  }
}
