/** Notices when a file of the configuration changes. */
import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'

const SETTLE_MS = 300

/**
 * Calls `changed` once after a burst of changes around the files. Directories are watched, not files:
 * editors replace files, and a mounted ConfigMap swaps a link beside them. Returns the end of it.
 */
export function watchFiles(files: readonly string[], changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const notice = (): void => {
    clearTimeout(timer)
    timer = setTimeout(changed, SETTLE_MS)
  }
  const watchers: FSWatcher[] = [...new Set(files.map((file) => dirname(file)))].map((directory) =>
    watch(directory, { persistent: false }, notice).on('error', () => {}),
  )
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
