/** Joins configurations as the Collector does: maps are joined, anything else is replaced by what comes later. */
import type { Problem } from './config.ts'
import { type Entry, isNull, type MapNode, type Node } from './node.ts'

/**
 * `later` over `earlier`. A key that is present with no value replaces an earlier map, which is the Collector's
 * documented trap: it is kept, and pushed to `warnings`.
 */
export function merge(earlier: Node, later: Node, warnings: Problem[], path: readonly string[] = []): Node {
  if (earlier.kind === 'map' && later.kind === 'map') return joined(earlier, later, warnings, path)
  if (earlier.kind === 'map' && earlier.entries.size > 0 && isNull(later)) {
    const { source, line } = earlier.at
    const where = line > 0 ? `${source}:${line}` : source
    const message = `is given without a value and so removes what ${where} configures; write {} to keep it`
    warnings.push({ position: later.at, path, message })
  }
  return later
}

function joined(earlier: MapNode, later: MapNode, warnings: Problem[], path: readonly string[]): MapNode {
  const entries = new Map<string, Entry>(earlier.entries)
  for (const [key, entry] of later.entries) {
    const known = entries.get(key)
    // The key keeps the place where it was first written: that is where a reader looks for it.
    entries.set(
      key,
      known === undefined ? entry : { at: known.at, value: merge(known.value, entry.value, warnings, [...path, key]) },
    )
  }
  return { ...earlier, entries }
}
