/** The embedded store: what the main thread sees of the storage thread. */
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Answers, Ask, Opened, Reply, Request } from './protocol.ts'
import { EMPTY, type QueueStore } from './queue-store.ts'
import type { Store, StoreOwner, WriteOptions } from './store.ts'

/** The only place that names the thread's file: a bundler puts its own here. */
const WORKER = new URL('./worker.ts', import.meta.url)

export interface OpenOptions {
  /** Hears, in whole sentences, what had to be done to open the store (a damaged file moved aside). */
  readonly warn?: (message: string) => void
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

type Asking = <A extends Ask>(ask: A) => Promise<Answers[A['op']]>

/** Opens (and creates) the store of a state directory. Rejects with one sentence when it cannot be had. */
export async function openStore(stateDir: string, options: OpenOptions = {}): Promise<StoreOwner> {
  const directory = resolve(stateDir)
  const thread = await startThread(directory, options.warn ?? (() => {}))
  let closing: Promise<void> | undefined
  const ask: Asking = (request) => {
    if (closing !== undefined) return Promise.reject(new Error(`The store in ${directory} is closed.`))
    return thread.ask(request)
  }
  return {
    namespace: (name) => namespace(name, ask),
    queue: (name) => queue(name, ask),
    queues: () => ask({ op: 'queues' }),
    close() {
      closing ??= thread.close()
      return closing
    },
  }
}

function namespace(space: string, ask: Asking): Store {
  const write = async (changes: [string, string | undefined][], options?: WriteOptions): Promise<void> => {
    await ask({ op: 'write', space, changes, durable: options?.durable ?? false })
  }
  return {
    get: (key) => ask({ op: 'get', space, key }),
    set: (key, value, options) => write([[key, value]], options),
    delete: (key, options) => write([[key, undefined]], options),
    entries: async (prefix) => new Map(await ask({ op: 'entries', space, prefix })),
    apply: (changes, options) => write([...changes], options),
  }
}

function queue(name: string, ask: Asking): QueueStore {
  return {
    append: (batch, { durable }) => ask({ op: 'append', queue: name, ...batch, durable }),
    next: (after, maxBytes) => ask({ op: 'next', queue: name, after, maxBytes }),
    remove: (ids) => ask({ op: 'remove', queue: name, ids }),
    drop: (after, bytes) => ask({ op: 'drop', queue: name, after, bytes }),
    expire: (after, before) => ask({ op: 'expire', queue: name, after, before }),
    async stats() {
      const all = await ask({ op: 'queues' })
      return all.find((one) => one.queue === name) ?? { queue: name, ...EMPTY }
    },
  }
}

interface Thread {
  readonly ask: Asking
  close(): Promise<void>
}

async function startThread(stateDir: string, warn: (message: string) => void): Promise<Thread> {
  const worker = new Worker(WORKER, {
    name: 'storage',
    workerData: { stateDir, file: join(stateDir, 'weir.db') },
    // Values are bounded by those who write them; this bounds what waits for a commit.
    resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 },
  })
  const waiting = new Map<number, Waiting>()
  const fate = Promise.withResolvers<never>()
  fate.promise.catch(() => {})
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    fate.reject(ended)
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  worker.once('error', (error) => end(new Error(`The storage thread failed: ${(error as Error).message}`)))
  worker.once('exit', () => end(new Error('The storage thread has ended.')))

  const opened = (await Promise.race([
    new Promise((resolve) => worker.once('message', resolve)),
    fate.promise,
  ])) as Opened
  if ('refused' in opened) {
    await worker.terminate()
    throw new Error(opened.refused)
  }
  for (const warning of opened.warnings) warn(warning)

  worker.on('message', (replies: readonly Reply[]) => {
    for (const reply of replies) settle(waiting, reply)
    if (waiting.size === 0) worker.unref() // An idle store does not keep the program alive.
  })
  worker.unref()

  let outbox: Request[] = []
  let lastId = 0
  const send = (): void => {
    const bodies = outbox.flatMap(({ ask }) => (ask.op === 'append' ? [ask.body.buffer as ArrayBuffer] : []))
    worker.postMessage(outbox, bodies)
    outbox = []
  }
  const ask: Asking = (request) => {
    if (ended !== undefined) return Promise.reject(ended)
    lastId += 1
    const id = lastId
    if (outbox.push({ id, ask: request }) === 1) queueMicrotask(send)
    worker.ref()
    return new Promise((resolve, reject) => waiting.set(id, { resolve: resolve as Waiting['resolve'], reject }))
  }
  return {
    ask,
    async close() {
      await ask({ op: 'close' })
      await worker.terminate()
    },
  }
}

function settle(waiting: Map<number, Waiting>, reply: Reply): void {
  const waiter = waiting.get(reply.id)
  waiting.delete(reply.id)
  if (reply.error === undefined) waiter?.resolve(reply.value)
  else waiter?.reject(new Error(`The state could not be saved: ${reply.error}`))
}
