/** What survives a restart: for every file, what it is and how far it is acknowledged. */
import type { Store } from '../storage/store.ts'
import type { Position, Print } from './identity.ts'
import { Tail } from './tail.ts'

/** The value of `file/<id>`, as JSON. */
interface Saved {
  readonly path: string
  readonly inode: string
  readonly generation: number
  readonly print: Print
  readonly at: Position
  /** How long the file was known to be. */
  readonly size: number
  /** When its name was last seen to match, in milliseconds since the Unix epoch. */
  readonly seen: number
  /** When the content was found to be gone. */
  readonly gone?: number
  /** The version of the compressed file whose damage was reported. */
  readonly damaged?: string
}

const PREFIX = 'file/'
/** Written once: tells "first start ever" from "no file matched so far". */
const STARTED = 'started'
const SAVE_EVERY_MS = 200
const MAX_GONE = 4096
const GONE_DAYS = 7

export interface CheckpointOptions {
  readonly store: Store
  readonly onError: (error: unknown) => void
}

export class Checkpoints {
  readonly #store: Store
  readonly #onError: CheckpointOptions['onError']
  readonly #dirty = new Map<string, Tail | undefined>()
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  #isDetached = false

  constructor({ store, onError }: CheckpointOptions) {
    this.#store = store
    this.#onError = onError
  }

  /** The tails of earlier runs, and whether there was one. */
  async load(): Promise<{ readonly tails: Tail[]; readonly isFirstStart: boolean }> {
    const tails: Tail[] = []
    for (const [key, value] of await this.#store.entries(PREFIX)) {
      const tail = fromSaved(key.slice(PREFIX.length), value)
      if (tail !== undefined) tails.push(tail)
      else await this.#store.delete(key)
    }
    const isFirstStart = tails.length === 0 && (await this.#store.get(STARTED)) === undefined
    if (isFirstStart) await this.#store.set(STARTED, new Date().toISOString())
    return { tails, isFirstStart }
  }

  /** Saves soon, together with others. */
  readonly changed = (tail: Tail): void => {
    this.#dirty.set(tail.id, tail)
    this.#schedule()
  }

  forget(tail: Tail): void {
    this.#dirty.set(tail.id, undefined)
    this.#schedule()
  }

  /** Saves what has changed, now. Rejects when it cannot be. One save at a time: no older position wins. */
  save(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const next = this.#saving.then(() => this.#saveNow())
    this.#saving = next.catch(() => {})
    return next
  }

  /** Nobody waits any more: what arrives late is saved at once, or read again after the next start. */
  detach(): void {
    this.#isDetached = true
  }

  async #saveNow(): Promise<void> {
    if (this.#dirty.size === 0) return
    const batch = new Map(this.#dirty)
    this.#dirty.clear()
    const changes = new Map<string, string | undefined>()
    for (const [id, tail] of batch) changes.set(PREFIX + id, tail && JSON.stringify(toSaved(tail)))
    try {
      await this.#store.apply(changes)
    } catch (error) {
      for (const [id, tail] of batch) if (!this.#dirty.has(id)) this.#dirty.set(id, tail)
      throw error
    }
  }

  #schedule(): void {
    if (this.#isDetached) void this.save().catch(() => {})
    else this.#timer ??= setTimeout(() => void this.save().catch((error) => this.#retry(error)), SAVE_EVERY_MS)
  }

  #retry(error: unknown): void {
    this.#onError(error)
    this.#schedule()
  }
}

/** Of tails whose content is gone, those that are too old or too many to keep in mind. */
export function expired(tails: Iterable<Tail>, now: number): Tail[] {
  const gone = [...tails].filter((tail) => tail.goneAt !== undefined)
  gone.sort((a, b) => (b.goneAt as number) - (a.goneAt as number))
  const oldest = now - GONE_DAYS * 86_400_000
  return gone.filter((tail, i) => i >= MAX_GONE || (tail.goneAt as number) < oldest)
}

function toSaved(tail: Tail): Saved {
  return {
    path: tail.path,
    inode: tail.lastInode,
    generation: tail.generation,
    print: tail.print,
    at: tail.progress.acked,
    size: Number.isFinite(tail.size) ? tail.size : 0,
    seen: tail.seenAt,
    ...(tail.goneAt === undefined ? {} : { gone: tail.goneAt }),
    ...(tail.damagedAs === undefined ? {} : { damaged: tail.damagedAs }),
  }
}

function fromSaved(id: string, text: string): Tail | undefined {
  try {
    const saved = JSON.parse(text) as Saved
    const { path, inode, generation, print } = saved
    if (![saved.at.offset, saved.at.markBytes, saved.at.markCrc, print.length].every(Number.isSafeInteger))
      return undefined
    const tail = new Tail({ id, path, inode, generation, print, position: saved.at })
    tail.isRestored = true
    tail.seenAt = saved.seen
    tail.size = saved.size
    tail.damagedAs = saved.damaged
    if (saved.gone !== undefined) {
      tail.goneAt = saved.gone
      tail.isLossCounted = true
    }
    tail.inode = undefined // Until the file was found and compared.
    return tail
  } catch {
    return undefined // Not ours, or of another version: the file is read as a new one.
  }
}
