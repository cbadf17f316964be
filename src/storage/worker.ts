/**
 * The storage thread: owns the database, and commits together whatever arrived while it was busy.
 * Requests are answered in the order in which they were made.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type Database, openDatabase, RefusedError } from './database.ts'
import type { Opened, Read, Reply, Request, WorkerOptions, Write } from './protocol.ts'

interface Change {
  readonly id: number
  readonly ask: Write
}

const port = parentPort
const queue: Request[] = []
/** How often pages that queues have given back are returned to the file system. */
const SHRINK_EVERY_MS = 500
let shrunkAt = 0

function serve(db: Database, requests: readonly Request[]): void {
  const replies: Reply[] = []
  const transfers: ArrayBuffer[] = []
  let changes: Change[] = []
  const flush = (): void => {
    replies.push(...commit(db, changes))
    changes = []
  }
  for (const { id, ask } of requests) {
    if (isWrite(ask)) {
      changes.push({ id, ask })
      continue
    }
    flush() // A read sees the writes before it and none after it.
    replies.push(answer(db, id, ask, transfers))
  }
  flush()
  port?.postMessage(replies, transfers)
  if (requests.at(-1)?.ask.op === 'close') port?.close()
  else shrink(db)
}

function isWrite(ask: Write | Read): ask is Write {
  const { op } = ask
  return op === 'write' || op === 'append' || op === 'remove' || op === 'drop' || op === 'expire'
}

/** Commits all, or, where the group cannot be committed, each for itself. */
function commit(db: Database, changes: readonly Change[]): Reply[] {
  if (changes.length === 0) return []
  const replies: Reply[] = []
  try {
    const durable = changes.some(({ ask }) => 'durable' in ask && ask.durable)
    db.transact(durable, () => {
      for (const { id, ask } of changes) replies.push({ id, value: change(db, ask) })
    })
    return replies
  } catch (error) {
    if (changes.length === 1) return [{ id: (changes[0] as Change).id, error: (error as Error).message }]
    return changes.flatMap((one) => commit(db, [one]))
  }
}

function change(db: Database, ask: Write): unknown {
  switch (ask.op) {
    case 'write':
      for (const [key, value] of ask.changes) db.put(ask.space, key, value)
      return undefined
    case 'append':
      return db.queues.append(ask.queue, ask)
    case 'remove':
      return db.queues.remove(ask.queue, ask.ids)
    case 'drop':
      return db.queues.drop(ask.queue, ask.after, ask.bytes)
    case 'expire':
      return db.queues.expire(ask.queue, ask.after, ask.before)
  }
}

function answer(db: Database, id: number, ask: Read, transfers: ArrayBuffer[]): Reply {
  try {
    return { id, value: read(db, ask, transfers) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

function read(db: Database, ask: Read, transfers: ArrayBuffer[]): unknown {
  switch (ask.op) {
    case 'get':
      return db.get(ask.space, ask.key)
    case 'entries':
      return db.entries(ask.space, ask.prefix)
    case 'queues':
      return db.queues.stats()
    case 'next': {
      const batches = db.queues.next(ask.queue, ask.after, ask.maxBytes)
      for (const { body } of batches)
        if (body.byteLength === body.buffer.byteLength) transfers.push(body.buffer as ArrayBuffer)
      return batches
    }
    case 'close':
      return db.close()
  }
}

function shrink(db: Database): void {
  if (Date.now() - shrunkAt < SHRINK_EVERY_MS) return
  shrunkAt = Date.now()
  try {
    db.queues.shrink()
  } catch {
    // A full disk, for instance: the pages stay free in the file, and are tried again.
  }
}

function run(): void {
  const { stateDir, file } = workerData as WorkerOptions
  const warnings: string[] = []
  let db: Database
  try {
    db = openDatabase(stateDir, file, (message) => void warnings.push(message))
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    port?.postMessage({ refused: error.message } satisfies Opened)
    return
  }
  port?.on('message', (requests: readonly Request[]) => {
    // Everything that waits in the port is heard before the immediate runs: one commit for all of it.
    if (queue.length === 0) setImmediate(() => serve(db, queue.splice(0)))
    queue.push(...requests)
  })
  port?.postMessage({ warnings } satisfies Opened)
}

run()
