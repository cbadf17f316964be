/** Removes what was delivered from the disk, many at once, for as long as it takes. */
import type { QueueStore } from '../storage/queue-store.ts'

const EVERY_MS = 20
const LONGEST_WAIT_MS = 5000

export class Removals {
  readonly #store: QueueStore
  /** Ids on disk that must not be read: what they hold is in memory, or delivered. */
  readonly #held = new Set<number>()
  #done: number[] = []
  #working: Promise<void> | undefined
  #isClosed = false

  constructor(store: QueueStore) {
    this.#store = store
  }

  hold(id: number): void {
    this.#held.add(id)
  }

  isHeld(id: number): boolean {
    return this.#held.has(id)
  }

  add(id: number): void {
    this.#held.add(id)
    this.#done.push(id)
    this.#working ??= this.#work()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#working
    if (this.#done.length > 0) await this.#store.remove(this.#done.splice(0)).catch(() => {})
  }

  async #work(): Promise<void> {
    for (let waitMs = EVERY_MS; this.#done.length > 0; ) {
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      const ids = this.#done
      this.#done = []
      try {
        await this.#store.remove(ids)
        for (const id of ids) this.#held.delete(id)
        waitMs = EVERY_MS
      } catch {
        // A full disk. What was delivered and is not removed would come twice after a crash, and is never lost.
        this.#done = [...ids, ...this.#done]
        if (this.#isClosed) break
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
      }
    }
    this.#working = undefined
  }
}
