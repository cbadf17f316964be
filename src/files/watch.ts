/** Wakes a follower earlier than its next poll, where the kernel tells of changes. Polling alone would be right too. */
import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'

const MAX_DIRECTORIES = 256
/** Lines that come together are read together: an event is acted upon after this time. */
const GATHER_MS = 50
/** Beyond this rate, events cost more than they are worth: the directory is polled for a while. */
const MAX_EVENTS_PER_SECOND = 500
const PAUSE_MS = 10_000

export interface WatchEvents {
  /** Files that were written to, by path. */
  changed(paths: ReadonlySet<string>): void
  /** Names came or went. */
  renamed(): void
}

export interface DirectoryWatch {
  /** Watches these directories and no others. */
  set(directories: Iterable<string>): void
  close(): void
}

interface Watched {
  readonly watcher: FSWatcher | undefined
  windowStart: number
  events: number
  pausedUntil: number
}

export function watchDirectories(events: WatchEvents): DirectoryWatch {
  const watched = new Map<string, Watched>()
  let paths = new Set<string>()
  let isRenamed = false
  let timer: NodeJS.Timeout | undefined

  const fire = (): void => {
    timer = undefined
    const changed = paths
    paths = new Set()
    if (isRenamed) events.renamed()
    else events.changed(changed)
    isRenamed = false
  }
  const isTooMany = (entry: Watched, now: number): boolean => {
    if (now - entry.windowStart > 1000) {
      entry.windowStart = now
      entry.events = 0
    }
    entry.events += 1
    return entry.events > MAX_EVENTS_PER_SECOND
  }
  const start = (directory: string): Watched => {
    const onEvent = (kind: string, name: string | null): void => {
      const now = Date.now()
      if (isTooMany(entry, now)) {
        entry.watcher?.close()
        entry.pausedUntil = now + PAUSE_MS
      }
      if (kind === 'rename' || name === null) isRenamed = true
      else paths.add(join(directory, name))
      timer ??= setTimeout(fire, GATHER_MS)
    }
    const entry: Watched = { watcher: tryWatch(directory, onEvent), windowStart: 0, events: 0, pausedUntil: 0 }
    return entry
  }
  return {
    set(directories) {
      const wanted = new Set([...directories].slice(0, MAX_DIRECTORIES))
      const now = Date.now()
      for (const [directory, entry] of watched) {
        const isOver = entry.pausedUntil > 0 && now > entry.pausedUntil
        if (wanted.has(directory) && !isOver) continue
        entry.watcher?.close()
        watched.delete(directory)
      }
      for (const directory of wanted) if (!watched.has(directory)) watched.set(directory, start(directory))
    },
    close() {
      clearTimeout(timer)
      for (const { watcher } of watched.values()) watcher?.close()
      watched.clear()
    },
  }
}

function tryWatch(directory: string, onEvent: (kind: string, name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, onEvent)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined // No inotify, or no watches left: polling does it.
  }
}
