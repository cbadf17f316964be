/** What the main thread and the storage thread say to each other. */
import type { Dropped, QueueStats } from './queue-store.ts'

/** Where the file is, and how to name it in an error. */
export interface WorkerOptions {
  readonly stateDir: string
  readonly file: string
}

/** Changes, which are committed together with whatever else arrived meanwhile. */
export type Write =
  | {
      readonly op: 'write'
      readonly space: string
      /** An undefined value deletes the key. */
      readonly changes: readonly (readonly [string, string | undefined])[]
      readonly durable: boolean
    }
  | {
      readonly op: 'append'
      readonly queue: string
      readonly id: number
      readonly records: number
      readonly body: Uint8Array
      readonly durable: boolean
    }
  | { readonly op: 'remove'; readonly queue: string; readonly ids: readonly number[] }
  /** Removes the oldest batches behind `after` until `bytes` are free, or those that were stored before `before`. */
  | { readonly op: 'drop'; readonly queue: string; readonly after: number; readonly bytes: number }
  | { readonly op: 'expire'; readonly queue: string; readonly after: number; readonly before: number }

export type Read =
  | { readonly op: 'get'; readonly space: string; readonly key: string }
  | { readonly op: 'entries'; readonly space: string; readonly prefix: string }
  | { readonly op: 'next'; readonly queue: string; readonly after: number; readonly maxBytes: number }
  | { readonly op: 'queues' }
  | { readonly op: 'close' }

export type Ask = Write | Read

export type Request = { readonly id: number; readonly ask: Ask }

export interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** What each kind of request is answered with. */
export interface Answers {
  get: string | undefined
  /** Pairs in key order. */
  entries: [string, string][]
  write: undefined
  /** Bytes that the batch takes in the file. */
  append: number
  remove: undefined
  drop: Dropped
  expire: Dropped
  next: { id: number; records: number; bytes: number; storedAt: number; body: Uint8Array }[]
  queues: QueueStats[]
  close: undefined
}

/** The first thing the thread says: the file is open (after what had to be done about it), or cannot be. */
export type Opened = { readonly warnings: readonly string[] } | { readonly refused: string }
