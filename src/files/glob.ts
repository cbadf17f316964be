/** Finds the files that patterns name. */
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expandBraces, type Step, toMatcher, toNameMatcher, toSteps } from './pattern.ts'

export interface Finder {
  /** The paths (of files, and of links to them) that match now; none twice. */
  find(): Set<string>
  /** Include patterns that matched nothing the last time. */
  readonly unmatched: readonly string[]
  /** The directories that were listed or named the last time. */
  readonly directories: ReadonlySet<string>
}

/** An `exclude` without a slash applies to names in any directory. */
export function createFinder(include: readonly string[], exclude: readonly string[]): Finder {
  const patterns = include.map((pattern) => ({ pattern, alternatives: expandBraces(pattern).map(toSteps) }))
  const excluded = exclude.map((pattern) => (pattern.includes('/') ? toMatcher(pattern) : toNameMatcher(pattern)))
  const directories = new Directories()
  const isWanted = (path: string): boolean => !excluded.some((matches) => matches(path))
  let unmatched: string[] = []
  return {
    get unmatched() {
      return unmatched
    },
    directories: directories.asked,
    find() {
      directories.begin()
      unmatched = []
      const all = new Set<string>()
      for (const { pattern, alternatives } of patterns) {
        const found = walk(alternatives, directories)
        if (found.size === 0) unmatched.push(pattern)
        for (const path of found) if (isWanted(path)) all.add(path)
      }
      directories.end()
      return all
    },
  }
}

const MAX_DEPTH = 64
/** A listing is trusted only when the directory had not changed for this long before: file times are coarse. */
const SETTLED_MS = 100
const RELIST_MS = 10_000

interface Listing {
  readonly mtimeNs: bigint
  readonly readAt: number
  readonly entries: readonly Dirent[]
}

/** Lists directories, those that have not changed from memory. */
class Directories {
  readonly asked = new Set<string>()
  readonly #listings = new Map<string, Listing>()

  begin(): void {
    this.asked.clear()
  }

  list(directory: string): readonly Dirent[] {
    this.asked.add(directory)
    const known = this.#listings.get(directory)
    try {
      const { mtimeNs } = statSync(directory, { bigint: true })
      const now = Date.now()
      if (known?.mtimeNs === mtimeNs && isTrusted(known, now)) return known.entries
      const entries = readdirSync(directory, { withFileTypes: true })
      this.#listings.set(directory, { mtimeNs, readAt: now, entries })
      return entries
    } catch {
      this.#listings.delete(directory) // Not there, or not ours to read: whatever it holds does not match.
      return []
    }
  }

  end(): void {
    for (const directory of this.#listings.keys()) if (!this.asked.has(directory)) this.#listings.delete(directory)
  }
}

function isTrusted(listing: Listing, now: number): boolean {
  const changedAt = Number(listing.mtimeNs / 1_000_000n)
  return listing.readAt - changedAt > SETTLED_MS && now - listing.readAt < RELIST_MS
}

function walk(alternatives: readonly Step[][], directories: Directories): Set<string> {
  const found = new Set<string>()
  for (const steps of alternatives) new Walk(steps, directories, found).from('/', 0, MAX_DEPTH)
  return found
}

class Walk {
  readonly #steps: readonly Step[]
  readonly #directories: Directories
  readonly #found: Set<string>

  constructor(steps: readonly Step[], directories: Directories, found: Set<string>) {
    this.#steps = steps
    this.#directories = directories
    this.#found = found
  }

  from(directory: string, at: number, depth: number): void {
    const step = this.#steps[at]
    if (step === undefined || depth === 0) return
    if (step === '**') this.#anyDepth(directory, at, depth)
    else if ('name' in step) this.#named(directory, step.name, at, depth)
    else this.#matching(directory, step.pattern, at, depth)
  }

  #isLast(at: number): boolean {
    return at === this.#steps.length - 1
  }

  #anyDepth(directory: string, at: number, depth: number): void {
    this.from(directory, at + 1, depth)
    for (const entry of this.#directories.list(directory)) {
      const path = join(directory, entry.name)
      if (entry.isDirectory())
        this.from(path, at, depth - 1) // Not through links: they may lead in circles.
      else if (this.#isLast(at)) this.#found.add(path)
    }
  }

  #named(directory: string, name: string, at: number, depth: number): void {
    const path = join(directory, name)
    if (!this.#isLast(at)) this.from(path, at + 1, depth - 1)
    else if (exists(path)) this.#found.add(path)
  }

  #matching(directory: string, pattern: RegExp, at: number, depth: number): void {
    for (const entry of this.#directories.list(directory)) {
      if (!pattern.test(entry.name)) continue
      const path = join(directory, entry.name)
      if (this.#isLast(at)) this.#found.add(path)
      else if (!entry.isFile()) this.from(path, at + 1, depth - 1)
    }
  }
}

/** True for what is there, and for what cannot be looked at: that is for the one who opens it to say. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}
