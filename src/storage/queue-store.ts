/** Queues in the store: batches in the order in which they came, as bytes that the store does not look into. */

export interface StoredBatch {
  /** Given by the owner of the queue, growing. */
  readonly id: number
  readonly records: number
  /** Bytes in the file. */
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly storedAt: number
  readonly body: Uint8Array
}

export interface QueueStats {
  readonly queue: string
  /** The largest id; 0 when the queue is empty. */
  readonly lastId: number
  readonly batches: number
  readonly records: number
  readonly bytes: number
  /** When the oldest batch was stored, in milliseconds since the epoch; 0 when there is none. */
  readonly oldestAt: number
}

/** What was removed undelivered. */
export interface Dropped {
  readonly batches: number
  readonly records: number
  readonly bytes: number
}

/** One queue. It has one owner at a time. */
export interface QueueStore {
  /**
   * Resolves with the bytes taken in the file once the batch is committed; with `durable` once the disk has it.
   * The body's buffer is handed over: it is empty afterwards. Rejects when the disk refuses; nothing is stored then.
   */
  append(batch: { id: number; records: number; body: Uint8Array }, options: { durable: boolean }): Promise<number>
  /** The first batches whose id is larger than `after`: one at least, and no more once they exceed `maxBytes`. */
  next(after: number, maxBytes: number): Promise<StoredBatch[]>
  remove(ids: readonly number[]): Promise<void>
  /** Removes the oldest batches behind `after` until `bytes` are free. */
  drop(after: number, bytes: number): Promise<Dropped>
  /** Removes the batches behind `after` that were stored before `before`, in milliseconds since the epoch. */
  expire(after: number, before: number): Promise<Dropped>
  stats(): Promise<QueueStats>
}

export const EMPTY: Omit<QueueStats, 'queue'> = { lastId: 0, batches: 0, records: 0, bytes: 0, oldestAt: 0 }
