/**
 * One object for each distinct resource and scope of requests, found by its bytes: encoders group by the identity
 * of these objects and keep their encoded form.
 *
 * Senders supply what is in here, so it is a table of its own and bounded in entries and in bytes; the table that
 * all of Weir shares (`records/interning.ts`) never sees it.
 */
import { InternTable } from '../records/interning.ts'
import type { Resource, Scope } from '../records/record.ts'

/** A longer description is made anew each time. */
const MAX_KEY = 8192

export class Identities {
  readonly #resources: InternTable<Resource>
  readonly #scopes: InternTable<Scope>

  constructor(cap = 1000) {
    this.#resources = new InternTable(cap)
    this.#scopes = new InternTable(cap)
  }

  get evictions(): number {
    return this.#resources.evictions + this.#scopes.evictions
  }

  resource(key: string, make: () => Resource): Resource {
    return key.length > MAX_KEY ? make() : this.#resources.get(key, make)
  }

  scope(key: string, make: () => Scope): Scope {
    return key.length > MAX_KEY ? make() : this.#scopes.get(key, make)
  }
}
