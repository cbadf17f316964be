/** Puts other forms of a value in its place where the schema wants them: text for what `${…}` brought, defaults for nothing. */
import type { z } from 'zod'
import { emptyMap, find, isNull, type Node, type Path, replaced } from './node.ts'

type Issue = z.core.$ZodIssue

/** The tree as the issues would rather have it; the same one where nothing can be done about them. */
export function substituted(root: Node, issues: readonly Issue[]): Node {
  let node = root
  // Each substitution copies the map it is in; nobody writes a thousand at once.
  for (const { path, types } of [...wanted(issues)].slice(0, 1000)) node = substitute(node, path, types)
  return node
}

function substitute(root: Node, path: Path, types: ReadonlySet<string>): Node {
  const found = find(root, path).node
  if (found === undefined) return root
  if (types.has('string') && found.text !== undefined) {
    const { at, via, hidden, text: value } = found
    return replaced(root, path, { kind: 'scalar', at, via, hidden, value })
  }
  if (!isNull(found) || path.length === 0) return root
  // A section without a value is there, with its defaults; a key without one is as good as not there.
  if (types.has('object') && types.size === 1) return replaced(root, path, emptyMap(found))
  return find(root, path.slice(0, -1)).node?.kind === 'map' ? replaced(root, path, undefined) : root
}

interface Wanted {
  readonly path: Path
  /** The types that would be welcome there. */
  readonly types: Set<string>
}

function wanted(issues: readonly Issue[]): Iterable<Wanted> {
  const places = new Map<string, Wanted>()
  for (const [path, type] of welcome(issues, [])) {
    const key = JSON.stringify(path)
    const place = places.get(key) ?? { path, types: new Set() }
    places.set(key, place)
    place.types.add(type)
  }
  return places.values()
}

function* welcome(issues: readonly Issue[], base: Path): Generator<readonly [Path, string]> {
  for (const issue of issues) {
    const path = [...base, ...(issue.path as Path)]
    for (const type of typesOf(issue)) yield [path, type]
    if (issue.code === 'invalid_union') yield* welcome(issue.errors.flat(), path)
  }
}

function typesOf(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [issue.expected === 'record' ? 'object' : issue.expected]
  return issue.code === 'invalid_value' ? issue.values.map((value) => typeof value) : []
}
