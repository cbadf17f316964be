/** Finds files by the patterns that the Collector knows (doublestar): `*`, `?`, `[a-z]`, `{a,b}`, `**`, `\` to escape. */
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { basename, join, resolve, sep } from 'node:path'

/** One step of a path: a name, a pattern for names, or `**`, any number of directories. */
type Step = { readonly name: string } | { readonly pattern: RegExp } | '**'

interface Listing {
  readonly mtimeNs: bigint
  readonly readAt: number
  readonly entries: readonly Dirent[]
}

export interface Finder {
  /** The paths (of files, and of links to them) that match now; none twice. */
  find(): Set<string>
  /** True when the path is what `include` asks for and `exclude` does not leave out. */
  matches(path: string): boolean
  /** Include patterns that matched nothing the last time. */
  readonly unmatched: readonly string[]
  /** The directories that were listed or named the last time. */
  readonly directories: ReadonlySet<string>
}

const MAX_BRACES = 1000
const MAX_DEPTH = 64
/** A listing is trusted only when the directory had not changed for this long before: file times are coarse. */
const SETTLED_MS = 100
const RELIST_MS = 10_000

/** An `exclude` without a slash applies to names in any directory. */
export function createFinder(include: readonly string[], exclude: readonly string[]): Finder {
  const patterns = include.map((pattern) => ({ pattern, alternatives: expandBraces(pattern).map(toSteps) }))
  const included = include.map(toMatcher)
  const excluded = exclude.map((pattern) => (pattern.includes('/') ? toMatcher(pattern) : toNameMatcher(pattern)))
  const isExcluded = (path: string): boolean => excluded.some((matches) => matches(path))
  const listings = new Map<string, Listing>()
  const directories = new Set<string>()
  let unmatched: string[] = []

  const list = (directory: string): readonly Dirent[] => {
    directories.add(directory)
    const known = listings.get(directory)
    try {
      const { mtimeNs } = statSync(directory, { bigint: true })
      const now = Date.now()
      if (known?.mtimeNs === mtimeNs && isTrusted(known, now)) return known.entries
      const entries = readdirSync(directory, { withFileTypes: true })
      listings.set(directory, { mtimeNs, readAt: now, entries })
      return entries
    } catch {
      listings.delete(directory) // Not there, or not ours to read: whatever it holds does not match.
      return []
    }
  }
  return {
    get unmatched() {
      return unmatched
    },
    directories,
    matches: (path) => included.some((matches) => matches(path)) && !isExcluded(path),
    find() {
      directories.clear()
      unmatched = []
      const all = new Set<string>()
      for (const { pattern, alternatives } of patterns) {
        const found = new Set<string>()
        for (const steps of alternatives) walk('/', steps, 0, list, found, MAX_DEPTH)
        if (found.size === 0) unmatched.push(pattern)
        for (const path of found) if (!isExcluded(path)) all.add(path)
      }
      for (const directory of listings.keys()) if (!directories.has(directory)) listings.delete(directory)
      return all
    },
  }
}

function isTrusted(listing: Listing, now: number): boolean {
  const changedAt = Number(listing.mtimeNs / 1_000_000n)
  return listing.readAt - changedAt > SETTLED_MS && now - listing.readAt < RELIST_MS
}

function walk(
  directory: string,
  steps: readonly Step[],
  at: number,
  list: (directory: string) => readonly Dirent[],
  found: Set<string>,
  depth: number,
): void {
  const step = steps[at] as Step
  const isLast = at === steps.length - 1
  const enter = (name: string, next: number): void => walk(join(directory, name), steps, next, list, found, depth - 1)
  if (depth === 0) return
  if (step === '**') {
    if (!isLast) walk(directory, steps, at + 1, list, found, depth)
    for (const entry of list(directory)) {
      if (entry.isDirectory())
        enter(entry.name, at) // Not through links: they may lead in circles.
      else if (isLast) found.add(join(directory, entry.name))
    }
    return
  }
  if ('name' in step) {
    if (!isLast) return enter(step.name, at + 1)
    const path = join(directory, step.name)
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) found.add(path)
    return
  }
  for (const entry of list(directory)) {
    if (!step.pattern.test(entry.name)) continue
    if (isLast && !entry.isDirectory()) found.add(join(directory, entry.name))
    if (!isLast && !entry.isFile()) enter(entry.name, at + 1)
  }
}

function toSteps(pattern: string): Step[] {
  return segments(pattern).map((segment): Step => {
    if (segment === '**') return '**'
    if (!/[*?[\]\\]/.test(segment)) return { name: segment }
    return { pattern: new RegExp(`^${segmentSource(segment)}$`, 'su') }
  })
}

function segments(pattern: string): string[] {
  return resolve(pattern).split(sep).filter(Boolean)
}

function toMatcher(pattern: string): (path: string) => boolean {
  const sources = expandBraces(pattern).map((alternative) => {
    const steps = segments(alternative)
    return steps
      .map((segment, i) => {
        if (segment === '**') return i === steps.length - 1 ? '/.*' : '(?:/[^/]+)*'
        return `/${segmentSource(segment)}`
      })
      .join('')
  })
  const expression = new RegExp(`^(?:${sources.join('|')})$`, 'su')
  return (path) => expression.test(path)
}

function toNameMatcher(pattern: string): (path: string) => boolean {
  const expression = new RegExp(`^(?:${expandBraces(pattern).map(segmentSource).join('|')})$`, 'su')
  return (path) => expression.test(basename(path))
}

function segmentSource(segment: string): string {
  return segment.replace(/\\(.)|\[([!^]?)(\]?[^\]]*)\]|\*+|[\s\S]/gu, (token, escaped, negation, set) => {
    if (escaped !== undefined) return RegExp.escape(escaped)
    if (set !== undefined) return `[${negation ? '^' : ''}${set.replace(/[[\]\\^&~]/g, '\\$&')}]`
    if (token.startsWith('*')) return '[^/]*'
    return token === '?' ? '[^/]' : RegExp.escape(token)
  })
}

/** `a{b,c{d,e}}` -> `ab`, `acd`, `ace`. Throws when it comes to more than a thousand. */
export function expandBraces(pattern: string): string[] {
  const open = pattern.search(/(?<!\\)\{/)
  if (open < 0) return [pattern]
  const parts: string[] = []
  let depth = 0
  let start = open + 1
  for (let at = open; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '\\') at += 1
    else if (char === '{') depth += 1
    else if (char === ',' && depth === 1) start = parts.push(pattern.slice(start, at)) && at + 1
    else if (char === '}') depth -= 1
    if (depth > 0) continue
    parts.push(pattern.slice(start, at))
    const expanded = parts.flatMap((part) => expandBraces(pattern.slice(0, open) + part + pattern.slice(at + 1)))
    if (expanded.length > MAX_BRACES)
      throw new Error(`The pattern ${pattern} has more than ${MAX_BRACES} alternatives.`)
    return expanded
  }
  throw new Error(`The pattern ${pattern} has an opening brace without a closing one.`)
}
