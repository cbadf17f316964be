/**
 * One object for each distinct resource and scope.
 *
 * Serialisers group records by the identity of these objects, and one shared object a workload
 * instead of one a record is a fifth of the cost. The table is bounded: past the cap the oldest
 * entry is forgotten (and counted), which costs a little sharing and never correctness.
 */
import type { Attributes, Resource, Scope } from './record.ts'

/** The OpenTelemetry `Resource` interface over a frozen map, without loading the SDK. */
class InternedResource {
  readonly attributes: Readonly<Attributes>
  declare readonly schemaUrl?: string
  constructor(attributes: Attributes, schemaUrl?: string) {
    this.attributes = Object.freeze({ ...attributes })
    if (schemaUrl) this.schemaUrl = schemaUrl
  }
  merge(other: Resource | null): Resource {
    return internResource({ ...this.attributes, ...other?.attributes })
  }
  getRawAttributes(): [string, never][] {
    return Object.entries(this.attributes) as [string, never][]
  }
}

/** A bounded, insertion-ordered table of shared objects. */
export class InternTable<T> {
  readonly #cap: number
  readonly #entries = new Map<string, T>()
  evictions = 0

  constructor(cap: number) {
    this.#cap = cap
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string, create: () => T): T {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    if (this.#entries.size >= this.#cap) {
      this.#entries.delete(this.#entries.keys().next().value as string)
      this.evictions += 1
    }
    const created = create()
    this.#entries.set(key, created)
    return created
  }
}

/** A resource that nobody shares: for values that a request supplied, and for tables of one's own. */
export function newResource(attributes: Attributes): Resource {
  return new InternedResource(attributes) as unknown as Resource
}

export const resources: InternTable<Resource> = new InternTable(10_000)
export const scopes: InternTable<Scope> = new InternTable(1_000)

/** The one resource with these attributes. Never feed it values that a request or a log line supplies. */
export function internResource(attributes: Attributes): Resource {
  const key = JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
  return resources.get(key, () => newResource(attributes))
}

/** A resource of its own, in no table: for values that a request supplies. */
export function foreignResource(attributes: Attributes, schemaUrl?: string): Resource {
  return new InternedResource(attributes, schemaUrl) as unknown as Resource
}

export function internScope(name: string, version?: string): Scope {
  return scopes.get(`${name}\n${version ?? ''}`, () => Object.freeze(version ? { name, version } : { name }))
}

export const EMPTY_RESOURCE: Resource = internResource({})
