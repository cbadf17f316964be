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

export interface Checkpoints {
  /** The tails of earlier runs, and whether there was one. */
  load(): Promise<{ readonly tails: Tail[]; readonly isFirstStart: boolean }>
  /** Saves soon, together with others. */
  changed(tail: Tail): void
  forget(tail: Tail): void
  /** Saves what has changed, now. Rejects when it cannot be. */
  save(): Promise<void>
  /** From now on every change is saved at once: nobody will call `save` any more. */
  detach(): void
}

export function createCheckpoints(options: CheckpointOptions): Checkpoints {
  const { store } = options
  const dirty = new Map<string, Tail | undefined>()
  let timer: NodeJS.Timeout | undefined
  let saving: Promise<void> = Promise.resolve()
  let isDetached = false

  const saveNow = async (): Promise<void> => {
    if (dirty.size === 0) return
    const batch = new Map(dirty)
    dirty.clear()
    const changes = new Map<string, string | undefined>()
    for (const [id, tail] of batch) changes.set(PREFIX + id, tail && JSON.stringify(toSaved(tail)))
    try {
      await store.apply(changes)
    } catch (error) {
      for (const [id, tail] of batch) if (!dirty.has(id)) dirty.set(id, tail)
      throw error
    }
  }
  // One save at a time: an older position must not overwrite a newer one.
  const save = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const next = saving.then(saveNow)
    saving = next.catch(() => {})
    return next
  }
  const schedule = (): void => {
    // Nobody waits any more: what arrives late is saved at once, or read again after the next start.
    if (isDetached) void save().catch(() => {})
    else timer ??= setTimeout(() => void save().catch(retry), SAVE_EVERY_MS)
  }
  const retry = (error: unknown): void => {
    options.onError(error)
    schedule()
  }
  return {
    async load() {
      const tails: Tail[] = []
      for (const [key, value] of await store.entries(PREFIX)) {
        const tail = fromSaved(key.slice(PREFIX.length), value)
        if (tail !== undefined) tails.push(tail)
        else await store.delete(key)
      }
      const isFirstStart = (await store.get(STARTED)) === undefined && tails.length === 0
      if (isFirstStart) await store.set(STARTED, new Date().toISOString())
      return { tails, isFirstStart }
    },
    changed(tail) {
      dirty.set(tail.id, tail)
      schedule()
    },
    forget(tail) {
      dirty.set(tail.id, undefined)
      schedule()
    },
    save,
    detach() {
      isDetached = true
    },
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
