/**
 * The storage thread: owns the database, and commits together whatever arrived while it was busy.
 * Requests are answered in the order in which they were made.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type Database, openDatabase, RefusedError } from './database.ts'
import type { Opened, Reply, Request, WorkerOptions } from './protocol.ts'

type Write = Request & { op: 'write' }

const port = parentPort
const queue: Request[] = []

function serve(db: Database, requests: readonly Request[]): void {
  const replies: Reply[] = []
  let writes: Write[] = []
  const flush = (): void => {
    const errors = commit(db, writes)
    for (const { id } of writes) {
      const error = errors.get(id)
      replies.push(error === undefined ? { id } : { id, error })
    }
    writes = []
  }
  for (const request of requests) {
    if (request.op === 'write') {
      writes.push(request)
      continue
    }
    flush() // A read sees the writes before it and none after it.
    replies.push(answer(db, request))
  }
  flush()
  port?.postMessage(replies)
  if (requests.at(-1)?.op === 'close') port?.close()
}

/** Commits all, or, where the group cannot be committed, each for itself. Returns what went wrong, by request. */
function commit(db: Database, writes: readonly Write[]): Map<number, string> {
  const errors = new Map<number, string>()
  try {
    if (writes.length > 0) transact(db, writes)
  } catch (error) {
    if (writes.length === 1) errors.set((writes[0] as Write).id, (error as Error).message)
    else for (const write of writes) for (const [id, message] of commit(db, [write])) errors.set(id, message)
  }
  return errors
}

function transact(db: Database, writes: readonly Write[]): void {
  const durable = writes.some((write) => write.durable)
  db.transact(durable, () => {
    for (const { space, changes } of writes) for (const [key, value] of changes) db.put(space, key, value)
  })
}

function answer(db: Database, request: Exclude<Request, Write>): Reply {
  const { id } = request
  try {
    if (request.op === 'get') return { id, value: db.get(request.space, request.key) }
    if (request.op === 'entries') return { id, value: db.entries(request.space, request.prefix) }
    db.close()
    return { id }
  } catch (error) {
    return { id, error: (error as Error).message }
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
