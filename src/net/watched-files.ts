/**
 * Small files whose content may be exchanged while the program runs: mounted secrets, certificates.
 *
 * They are compared by inode, size and time of change before they are needed, at most every interval: a mounted
 * Secret is a link that is exchanged, which notifications of the file system do not tell.
 */
import { readFileSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'

/** No certificate bundle and no credential is larger. */
const MAX_BYTES = 4 * 1024 * 1024

export interface WatchedFiles<T> {
  /** What `load` made of the files when they could last be used. */
  readonly value: T
  /**
   * Loads again when a file changed since. With `now` the interval does not count. Resolves to true when there is a
   * new value; never rejects: while the files cannot be used the old value stays, and `onError` hears why.
   */
  refresh(now?: boolean): Promise<boolean>
}

export interface WatchOptions<T> {
  readonly paths: readonly string[]
  /** Reads the files. What it throws at the first time is thrown by `watchFiles`. */
  readonly load: () => T
  /** 0: the files are read once. */
  readonly intervalMs: number
  readonly onError: (error: Error) => void
  readonly now?: () => number
}

export function watchFiles<T>({ paths, load, intervalMs, onError, now = Date.now }: WatchOptions<T>): WatchedFiles<T> {
  // Before the content: what changes in between is seen at the next look.
  let stamp = paths.map((path) => stampOf(statSync(path, { bigint: true, throwIfNoEntry: false }))).join()
  let value = load()
  let lookedAt = now()
  let looking: Promise<boolean> | undefined

  const look = async (): Promise<boolean> => {
    try {
      const stamps = await Promise.all(paths.map(async (path) => stampOf(await stat(path, { bigint: true }))))
      if (stamps.join() === stamp) return false
      value = load()
      // Only now: files that cannot be used, such as a key whose certificate is still to come, are tried again.
      stamp = stamps.join()
      return true
    } catch (error) {
      onError(error as Error)
      return false
    } finally {
      lookedAt = now()
      looking = undefined
    }
  }
  return {
    get value() {
      return value
    },
    async refresh(atOnce = false) {
      if (paths.length === 0) return false
      if (!atOnce && (intervalMs === 0 || now() - lookedAt < intervalMs)) return looking ?? false
      looking ??= look()
      return looking
    },
  }
}

function stampOf(facts: { ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint } | undefined): string {
  return facts === undefined ? '' : `${facts.ino}:${facts.size}:${facts.mtimeNs}:${facts.ctimeNs}`
}

/** The text of a file that should be small. Throws one sentence that names the key and the file. */
export function readSmallFile(key: string, path: string): string {
  try {
    const facts = statSync(path)
    if (!facts.isFile()) throw new Error('it is not a file')
    if (facts.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${key}: cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
}
