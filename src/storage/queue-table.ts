/**
 * The table of queues: one row a batch. Bodies are compressed here, on the storage thread, so that an outage of a
 * destination takes a tenth of the disk, and the main thread no time.
 */
import type { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Dropped, QueueStats, StoredBatch } from './queue-store.ts'

export interface QueueTable {
  /** Returns the bytes that the batch takes. */
  append(queue: string, batch: { id: number; records: number; body: Uint8Array }): number
  next(queue: string, after: number, maxBytes: number): StoredBatch[]
  remove(queue: string, ids: readonly number[]): void
  drop(queue: string, after: number, bytes: number): Dropped
  expire(queue: string, after: number, before: number): Dropped
  stats(): QueueStats[]
  /** Gives pages that are free back to the file system, a bounded number at once. */
  shrink(): void
}

export function createQueueTable(db: DatabaseSync): void {
  // One tree for all: rows are found and kept in the order of the queue, the body last, so that sums do not read it.
  db.exec(`CREATE TABLE IF NOT EXISTS queues (queue TEXT, id INTEGER, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (queue, id)) STRICT, WITHOUT ROWID`)
}

/** What a row takes besides its body, roughly. */
const ROW_BYTES = 48
/** Free pages (of 4 KiB) that are kept for what comes next: 16 MiB. */
const KEPT_PAGES = 4096
const SHRINK_PAGES = 2048
const ZSTD_FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** No batch is that large: more is damage, or somebody's bomb in the file. */
const MAX_BODY = { maxOutputLength: 512 * 2 ** 20 }

interface Row {
  readonly id: number
  readonly records: number
  readonly bytes: number
  readonly stored_at: number
  readonly body: Uint8Array
}

export function queueTable(db: DatabaseSync): QueueTable {
  const insert = db.prepare('INSERT INTO queues VALUES (?, ?, ?, ?, ?, ?)')
  const from = db.prepare(
    'SELECT id, records, bytes, stored_at, body FROM queues WHERE queue = ? AND id > ? ORDER BY id',
  )
  const heads = db.prepare('SELECT id, records, bytes FROM queues WHERE queue = ? AND id > ? ORDER BY id')
  const older = db.prepare('SELECT id, records, bytes FROM queues WHERE queue = ? AND id > ? AND stored_at < ?')
  const remove = db.prepare('DELETE FROM queues WHERE queue = ? AND id = ?')
  const stats = db.prepare(`SELECT queue, max(id) AS lastId, count(*) AS batches, sum(records) AS records,
    sum(bytes) AS bytes, min(stored_at) AS oldestAt FROM queues GROUP BY queue`)
  const free = db.prepare('PRAGMA freelist_count')

  const removeRows = (queue: string, rows: readonly Row[]): Dropped => {
    for (const { id } of rows) remove.run(queue, id)
    return {
      batches: rows.length,
      records: rows.reduce((total, row) => total + row.records, 0),
      bytes: rows.reduce((total, row) => total + row.bytes, 0),
    }
  }
  return {
    append(queue, { id, records, body }) {
      const packed = zstdCompressSync(body, ZSTD_FAST)
      const bytes = packed.length + ROW_BYTES
      insert.run(queue, id, records, bytes, Date.now(), packed)
      return bytes
    },
    next(queue, after, maxBytes) {
      const found: StoredBatch[] = []
      let size = 0
      for (const row of from.iterate(queue, after)) {
        const { id, records, bytes, stored_at: storedAt, body } = row as unknown as Row
        const unpacked = unpack(body)
        found.push({ id, records, bytes, storedAt, body: unpacked })
        size += unpacked.length
        if (size >= maxBytes) break
      }
      return found
    },
    remove(queue, ids) {
      for (const id of ids) remove.run(queue, id)
    },
    drop(queue, after, bytes) {
      const rows: Row[] = []
      let freed = 0
      for (const row of heads.iterate(queue, after)) {
        if (freed >= bytes) break
        rows.push(row as unknown as Row)
        freed += (row as unknown as Row).bytes
      }
      return removeRows(queue, rows)
    },
    expire: (queue, after, before) => removeRows(queue, older.all(queue, after, before) as unknown as Row[]),
    stats: () => stats.all() as unknown as QueueStats[],
    shrink() {
      const { freelist_count: pages } = free.get() as { freelist_count: number }
      if (pages > KEPT_PAGES) db.exec(`PRAGMA incremental_vacuum(${SHRINK_PAGES})`)
    },
  }
}

/** What cannot be unpacked is handed on as it is: whoever decodes it says that it is damaged. */
function unpack(body: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(body, MAX_BODY)
  } catch {
    return body
  }
}
