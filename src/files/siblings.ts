/** Looks beside a file for what a rotator made of it, where the patterns do not reach. */
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { FoundFile } from './identify.ts'
import { inodeOf } from './identity.ts'
import { areGenerations } from './names.ts'

const MAX_ENTRIES = 10_000
/** File times come from a clock that ticks every few milliseconds. */
const CLOCK_SLACK_MS = 50

export interface Siblings {
  /** The file with this inode in the directory of `path`, whatever it is called now. */
  byInode(path: string, inode: string): FoundFile | undefined
  /** Other generations of the file at `path` that came into being after `since`, the oldest first. */
  bornSince(path: string, since: number): FoundFile[]
  /** The same of those that were written to or renamed after `since`: a copy may have taken long to make. */
  changedSince(path: string, since: number): FoundFile[]
}

/** Each directory is read once. */
export function createSiblings(): Siblings {
  const listings = new Map<string, FoundFile[]>()
  const list = (path: string): FoundFile[] => {
    const directory = dirname(path)
    const known = listings.get(directory) ?? read(directory)
    listings.set(directory, known)
    return known
  }
  const generations = (path: string, since: number, timeOf: (file: FoundFile) => number): FoundFile[] =>
    list(path)
      .filter((file) => areGenerations(path, file.path) && timeOf(file) >= since - CLOCK_SLACK_MS)
      .sort(olderFirst)
  return {
    byInode: (path, inode) => list(path).find((file) => file.inode === inode),
    bornSince: (path, since) => generations(path, since, bornAt),
    changedSince: (path, since) => generations(path, since, ({ stat }) => Number(stat.ctimeMs)),
  }
}

function olderFirst(a: FoundFile, b: FoundFile): number {
  const older = bornAt(a) - bornAt(b)
  if (older !== 0) return older
  // Born within one tick of the clock. Numbers count back in time (app.log.2 is older than app.log.1), dates forward.
  const numbers = [a, b].map(({ path }) => Number(/[.-](\d{1,4})(?:\.gz)?$/.exec(path)?.[1] ?? Number.NaN))
  const difference = (numbers[1] as number) - (numbers[0] as number)
  return Number.isNaN(difference) ? a.path.localeCompare(b.path) : difference
}

// Where the file system keeps no birth time, a file that was not written since is no younger either.
function bornAt({ stat }: FoundFile): number {
  return Number(stat.birthtimeMs > 0n ? stat.birthtimeMs : stat.mtimeMs)
}

function read(directory: string): FoundFile[] {
  const found: FoundFile[] = []
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }).slice(0, MAX_ENTRIES)) {
      if (!entry.isFile()) continue
      const path = join(directory, entry.name)
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
      if (stat !== undefined) found.push({ path, stat, inode: inodeOf(stat) })
    }
  } catch {
    // Not there, or not ours to read: nothing can be found in it.
  }
  return found
}
