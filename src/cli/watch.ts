/** Notices when a file of the configuration changes. */
import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'

const SETTLE_MS = 200

export interface FileWatch {
  /** Watches these files from now on. */
  set(files: readonly string[]): void
  close(): void
}

/**
 * Calls `changed` once after the content of a file has changed and come to rest. Directories are watched, not files:
 * editors replace files, and a mounted ConfigMap swaps a link beside them. Whatever else happens in those directories
 * changes nothing. `onError` hears of a directory that cannot be watched.
 */
export function watchFiles(
  files: readonly string[],
  changed: () => void,
  onError: (error: unknown) => void,
): FileWatch {
  let watched = files
  let known = contentOf(watched)
  let seen = known
  let watchers: FSWatcher[] = []
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    timer = undefined
    const before = seen
    seen = contentOf(watched)
    if (seen === known) return
    if (seen !== before) {
      notice() // Somebody may still be writing.
      return
    }
    known = seen
    changed()
  }
  const notice = (): void => {
    timer ??= setTimeout(look, SETTLE_MS)
  }
  const close = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (const watcher of watchers) watcher.close()
    watchers = []
  }
  const open = (): void => {
    for (const directory of new Set(watched.map((file) => dirname(file)))) {
      try {
        watchers.push(watch(directory, { persistent: false }, notice).on('error', onError))
      } catch (error) {
        onError(error)
      }
    }
  }
  open()
  return {
    set(next) {
      if (next.join('\n') === watched.join('\n')) return
      close()
      watched = next
      open()
      known = contentOf(watched)
      seen = known
    },
    close,
  }
}

function contentOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(`\n${file}\n`)
    try {
      hash.update(readFileSync(file))
    } catch {
      hash.update('missing')
    }
  }
  return hash.digest('hex')
}
