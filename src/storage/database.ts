/** The one SQLite file of a state directory: opening it, checking it, and the statements that are run on it. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createQueueTable, type QueueTable, queueTable } from './queue-table.ts'

/** `WEIR` in ASCII, in the header of our files: tells a database of ours from anybody else's. */
const APPLICATION_ID = 0x57454952
/** 1 had no queues. */
const SCHEMA_VERSION = 2
const SQLITE_BUSY = 5
const LOCK_WAIT_MS = 2000
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** Opening failed for a reason that only a person can mend; the message is one sentence for them. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

class DamagedError extends Error {
  override readonly name = 'DamagedError'
}

export interface Database {
  get(space: string, key: string): string | undefined
  entries(space: string, prefix: string): [string, string][]
  put(space: string, key: string, value: string | undefined): void
  readonly queues: QueueTable
  /** Runs `work` in a transaction; with `durable` the commit is on the disk, not only with the kernel. */
  transact(durable: boolean, work: () => void): void
  close(): void
}

/** Opens the file and takes its lock. A damaged or foreign file is moved aside, which `warn` hears about. */
export function openDatabase(stateDir: string, file: string, warn: (message: string) => void): Database {
  prepareFile(stateDir, file)
  try {
    return open(stateDir, file)
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error
    const aside = `${file}.corrupt-${new Date().toISOString().replaceAll(':', '')}`
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
    }
    warn(
      `The state in ${file} could not be used (${error.message}); it was moved to ${aside} and Weir starts without ` +
        'checkpoints and baselines: sources begin as configured for a first start.',
    )
    prepareFile(stateDir, file)
    return open(stateDir, file)
  }
}

function prepareFile(stateDir: string, file: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
  } catch (error) {
    throw new RefusedError(
      `The state directory ${stateDir} cannot be written (${(error as NodeJS.ErrnoException).code}); ` +
        'choose another with --state-dir or WEIR_STATE_DIR.',
    )
  }
}

function open(stateDir: string, file: string): Database {
  // A command may hold the file for a moment; whoever runs with it holds it for good.
  const db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS })
  try {
    // Exclusive mode keeps the lock until the file is closed, and the WAL index in memory instead of a third file.
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    // What a queue has given back is returned to the file system. Counts for a new file only.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('BEGIN EXCLUSIVE; COMMIT')
    check(db, stateDir)
    db.exec(`PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 8388608;
      PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};
      CREATE TABLE IF NOT EXISTS entries (space TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (space, key)) STRICT`)
    createQueueTable(db)
    return statements(db)
  } catch (error) {
    db.close()
    throw explain(error, stateDir)
  }
}

function check(db: DatabaseSync, stateDir: string): void {
  const { application_id: application } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  const { count } = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }
  if (count > 0 && application !== APPLICATION_ID) throw new DamagedError('it belongs to another program')
  const { quick_check: finding } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
  if (finding !== 'ok') throw new DamagedError(finding)
  if (version > SCHEMA_VERSION) {
    throw new RefusedError(
      `The state directory ${stateDir} was written by a newer version of Weir; ` +
        'run that version, or choose another directory with --state-dir or WEIR_STATE_DIR.',
    )
  }
}

function explain(error: unknown, stateDir: string): unknown {
  const { errcode, message } = error as { errcode?: number; message: string }
  if (errcode === undefined) return error
  const primary = errcode & 0xff
  if (primary === SQLITE_BUSY) {
    return new RefusedError(
      `The state directory ${stateDir} is in use by another process; stop that one, or choose another directory with ` +
        '--state-dir or WEIR_STATE_DIR.',
    )
  }
  if (primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB) return new DamagedError(message)
  return new RefusedError(`The state directory ${stateDir} cannot be used (${message}).`)
}

function statements(db: DatabaseSync): Database {
  const get = db.prepare('SELECT value FROM entries WHERE space = ? AND key = ?')
  const from = db.prepare('SELECT key, value FROM entries WHERE space = ? AND key >= ? ORDER BY key')
  const put = db.prepare('INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = db.prepare('DELETE FROM entries WHERE space = ? AND key = ?')
  return {
    queues: queueTable(db),
    get: (space, key) => (get.get(space, key) as { value: string } | undefined)?.value,
    entries(space, prefix) {
      const found: [string, string][] = []
      for (const row of from.iterate(space, prefix)) {
        const { key, value } = row as { key: string; value: string }
        if (!key.startsWith(prefix)) break // Keys are in order: what has the prefix comes first.
        found.push([key, value])
      }
      return found
    },
    put(space, key, value) {
      if (value === undefined) remove.run(space, key)
      else put.run(space, key, value)
    },
    transact(durable, work) {
      if (durable) db.exec('PRAGMA synchronous = FULL')
      try {
        db.exec('BEGIN IMMEDIATE')
        work()
        db.exec('COMMIT')
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      } finally {
        if (durable) db.exec('PRAGMA synchronous = NORMAL')
      }
    },
    close() {
      db.close() // The last connection folds the WAL into the file and removes it.
    },
  }
}
