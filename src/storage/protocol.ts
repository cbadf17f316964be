/** What the main thread and the storage thread say to each other. */

/** Where the file is, and how to name it in an error. */
export interface WorkerOptions {
  readonly stateDir: string
  readonly file: string
}

export type Request = { readonly id: number } & (
  | { readonly op: 'get'; readonly space: string; readonly key: string }
  | { readonly op: 'entries'; readonly space: string; readonly prefix: string }
  | {
      readonly op: 'write'
      readonly space: string
      /** An undefined value deletes the key. */
      readonly changes: readonly (readonly [string, string | undefined])[]
      readonly durable: boolean
    }
  | { readonly op: 'close' }
)

export interface Reply {
  readonly id: number
  /** Of `get`: the value; of `entries`: pairs in key order. */
  readonly value?: unknown
  readonly error?: string
}

/** The first thing the thread says: the file is open (after what had to be done about it), or cannot be. */
export type Opened = { readonly warnings: readonly string[] } | { readonly refused: string }
