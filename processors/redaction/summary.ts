/** The Collector's attributes about what was done: counts, and with `debug` the names. */
import type { Attributes } from '../../src/records/record.ts'

const KINDS = ['redacted', 'masked', 'allowed', 'ignored'] as const
export type Deed = (typeof KINDS)[number]

/** Names in one attribute; nested values may be as many as a request likes. */
const MAX_NAMES = 100

/** Remembers what was done with one map or body. */
export class Tally {
  readonly #counts = { redacted: 0, masked: 0, allowed: 0, ignored: 0 }
  readonly #names = { redacted: [] as string[], masked: [] as string[], allowed: [] as string[] }
  isEmpty = true

  add(deed: Deed, name: string | undefined): void {
    this.isEmpty = false
    this.#counts[deed] += 1
    if (name !== undefined && deed !== 'ignored' && this.#names[deed].length < MAX_NAMES) this.#names[deed].push(name)
  }

  /** Writes the summary below `prefix` (`redaction`, `redaction.body`), adds to one that is there, and forgets. */
  flush(into: Attributes, prefix: string): void {
    for (const deed of KINDS) {
      const count = this.#counts[deed]
      if (count === 0) continue
      const there = into[`${prefix}.${deed}.count`]
      into[`${prefix}.${deed}.count`] = count + (typeof there === 'number' ? there : 0)
      if (deed !== 'ignored' && this.#names[deed].length > 0) {
        const key = `${prefix}.${deed}.keys`
        const earlier = into[key]
        const names = typeof earlier === 'string' && earlier !== '' ? earlier.split(',', MAX_NAMES) : []
        into[key] = [...names, ...this.#names[deed]].sort().join(',')
      }
    }
    this.clear()
  }

  clear(): void {
    if (this.isEmpty) return
    this.isEmpty = true
    for (const deed of KINDS) this.#counts[deed] = 0
    for (const names of Object.values(this.#names)) names.length = 0
  }
}
