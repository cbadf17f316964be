/**
 * A configuration as a tree in which every value knows where it was written.
 *
 * Trees are made by `parse.ts`, joined by `merge.ts` and expanded by `expand.ts`; none of them changes a node it
 * was given.
 */
import type { Position, Raw } from './config.ts'

interface Base {
  readonly at: Position
  /** The expansion that this value came out of, e.g. `${env:PORT}`; absent for what stands in the file itself. */
  readonly via?: string | undefined
  /**
   * What a value that is solely one `${…}` read before it was taken for YAML. A string field gets this text, so
   * that `0123` stays `0123`.
   */
  readonly text?: string | undefined
  /** True when errors may not show the value: it came from a file or from a variable that sounds secret. */
  readonly hidden?: boolean | undefined
}

export interface Entry {
  /** Where the key stands. */
  readonly at: Position
  readonly value: Node
}

export interface MapNode extends Base {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Entry>
}
export interface ListNode extends Base {
  readonly kind: 'list'
  readonly items: readonly Node[]
}
export interface ScalarNode extends Base {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
}
/** A value with an error that is already reported: nothing further is said about it. */
export interface BrokenNode extends Base {
  readonly kind: 'broken'
}
export type Node = MapNode | ListNode | ScalarNode | BrokenNode

/** A path into a tree: keys and indices, as zod gives them. */
export type Path = readonly (string | number)[]

export function isNull(node: Node | undefined): boolean {
  return node?.kind === 'scalar' && node.value === null
}

export function emptyMap({ at, via }: Node): MapNode {
  return { kind: 'map', at, via, entries: new Map() }
}

/** The values alone. Keys never reach a prototype: maps become objects without one. */
export function toRaw(node: Node): Raw {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'broken') return null
  if (node.kind === 'list') return node.items.map(toRaw)
  const result: Record<string, Raw> = Object.create(null)
  for (const [key, { value }] of node.entries) result[key] = toRaw(value)
  return result
}

/** Every scalar with its path. */
export function* leaves(node: Node, path: Path = []): Generator<readonly [Path, ScalarNode]> {
  if (node.kind === 'scalar') yield [path, node]
  if (node.kind === 'map') for (const [key, { value }] of node.entries) yield* leaves(value, [...path, key])
  if (node.kind === 'list') for (const [index, item] of node.items.entries()) yield* leaves(item, [...path, index])
}

function child(node: Node, key: string | number): Node | undefined {
  if (node.kind === 'map') return node.entries.get(String(key))?.value
  return node.kind === 'list' && typeof key === 'number' ? node.items[key] : undefined
}

export interface Found {
  /** The node at the path, or undefined where the path ends earlier. */
  readonly node: Node | undefined
  /** The deepest node on the way that exists. */
  readonly nearest: Node
  /** True when an error about this place is already reported. */
  readonly broken: boolean
  /** Where the key of the deepest entry stands, or the node itself. */
  readonly keyAt: Position
}

/** Follows a path as far as it goes. */
export function find(root: Node, path: Path): Found {
  let nearest = root
  let keyAt = root.at
  for (const key of path) {
    const next = child(nearest, key)
    if (next === undefined) return { node: undefined, nearest, broken: nearest.kind === 'broken', keyAt }
    keyAt = nearest.kind === 'map' ? (nearest.entries.get(String(key))?.at ?? next.at) : next.at
    nearest = next
  }
  return { node: nearest, nearest, broken: nearest.kind === 'broken', keyAt }
}

/** The same tree with another node at the path; `undefined` removes the entry. Paths that do not exist change nothing. */
export function replaced(root: Node, path: Path, node: Node | undefined): Node {
  const [key, ...rest] = path
  if (key === undefined) return node ?? root
  const current = child(root, key)
  if (current === undefined) return root
  const next = rest.length === 0 ? node : replaced(current, rest, node)
  if (root.kind === 'map') return { ...root, entries: withEntry(root.entries, String(key), next) }
  if (root.kind !== 'list') return root
  return { ...root, items: root.items.flatMap((item, index) => (index === key ? (next ?? []) : item)) }
}

function withEntry(entries: MapNode['entries'], key: string, value: Node | undefined): MapNode['entries'] {
  const result = new Map(entries)
  const entry = entries.get(key)
  if (value === undefined || entry === undefined) result.delete(key)
  else result.set(key, { ...entry, value })
  return result
}
