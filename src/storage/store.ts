import { EMPTY, type QueueStats, type QueueStore, type StoredBatch } from './queue-store.ts'

/**
 * Durable key-value state. Each component sees a namespace of its own.
 *
 * Keys and values are text; values are usually JSON. Reads see every write that was called before them.
 * A promise that a write returns resolves when the write is committed (group commit: many writes share one).
 */
export interface Store {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, options?: WriteOptions): Promise<void>
  delete(key: string, options?: WriteOptions): Promise<void>
  /** Every entry whose key starts with `prefix`, in key order. */
  entries(prefix: string): Promise<ReadonlyMap<string, string>>
  /** Several writes in one transaction; undefined deletes. */
  apply(changes: ReadonlyMap<string, string | undefined>, options?: WriteOptions): Promise<void>
}

export interface WriteOptions {
  /**
   * A committed write survives the death of the process; a durable one a power cut as well (it costs an fsync).
   * For what must be safe before an answer that can't be taken back.
   */
  readonly durable?: boolean
}

/** The embedded store of a state directory, which owns the file and lends namespaces and queues. */
export interface StoreOwner {
  /** A view of the store in which no other name's keys are visible. */
  namespace(name: string): Store
  queue(name: string): QueueStore
  /** Every queue that holds something. */
  queues(): Promise<readonly QueueStats[]>
  /** Commits what is pending and closes the file. Safe to call twice. */
  close(): Promise<void>
}

/** Forgets everything when the program ends: for tests, `validate` and sources without a position. */
export function memoryStore(): StoreOwner {
  const spaces = new Map<string, Map<string, string>>()
  const namespace = (name: string): Store => {
    const map = spaces.get(name) ?? new Map<string, string>()
    spaces.set(name, map)
    return {
      get: async (key) => map.get(key),
      set: async (key, value) => void map.set(key, value),
      delete: async (key) => void map.delete(key),
      entries: async (prefix) =>
        new Map([...map].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))),
      apply: async (changes) => {
        for (const [key, value] of changes) {
          if (value === undefined) map.delete(key)
          else map.set(key, value)
        }
      },
    }
  }
  const queues = new Map<string, StoredBatch[]>()
  return {
    namespace,
    queue: (name) => memoryQueue(name, queues),
    queues: async () => [...queues.keys()].map((name) => statsOf(name, queues.get(name) ?? [])),
    close: async () => {},
  }
}

function statsOf(queue: string, held: readonly StoredBatch[]): QueueStats {
  const sum = (of: (batch: StoredBatch) => number): number => held.reduce((total, batch) => total + of(batch), 0)
  const first = held[0]
  if (first === undefined) return { queue, ...EMPTY }
  return {
    queue,
    lastId: held.at(-1)?.id ?? 0,
    batches: held.length,
    records: sum(({ records }) => records),
    bytes: sum(({ bytes }) => bytes),
    oldestAt: first.storedAt,
  }
}

function memoryQueue(name: string, queues: Map<string, StoredBatch[]>): QueueStore {
  const held = queues.get(name) ?? []
  queues.set(name, held)
  const take = (isWanted: (batch: StoredBatch) => boolean) => {
    const gone = held.filter(isWanted)
    for (const batch of gone) held.splice(held.indexOf(batch), 1)
    const { batches, records, bytes } = statsOf(name, gone)
    return { batches, records, bytes }
  }
  return {
    append: async ({ id, records, body }) => {
      held.push({ id, records, body, bytes: body.length, storedAt: Date.now() })
      return body.length
    },
    next: async (after) => held.filter(({ id }) => id > after).slice(0, 1),
    remove: async (ids) => void take(({ id }) => ids.includes(id)),
    drop: async (after, bytes) => {
      let freed = 0
      return take((batch) => {
        if (batch.id <= after || freed >= bytes) return false
        freed += batch.bytes
        return true
      })
    },
    expire: async (after, before) => take(({ id, storedAt }) => id > after && storedAt < before),
    stats: async () => statsOf(name, held),
  }
}
