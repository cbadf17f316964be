/**
 * By which name an address was found: what DNS answered lately, by network namespace. A process that connects to an
 * address most likely does so because it had asked for the name.
 */
import type { DnsAnswer, DnsMessage } from './dns.ts'

export interface NamesOptions {
  /** Addresses that are kept at most; the ones that were learned longest ago go first. */
  readonly most?: number
}

interface Known {
  readonly name: string
  readonly until: number
}

const MOST = 16_384
const MOST_OF_ONE_ANSWER = 32
const SECOND_NS = 1e9
/** Programs connect later than an answer allows: they keep addresses themselves. */
const LEAST_SECONDS = 60
const MOST_SECONDS = 3600

export class Names {
  readonly #most: number
  readonly #known = new Map<string, Known>()

  constructor({ most = MOST }: NamesOptions = {}) {
    this.#most = most
  }

  get size(): number {
    return this.#known.size
  }

  /**
   * Keeps the addresses of an answer under the name that was asked, through its aliases. Addresses of other names, which
   * an answer may hold as well, teach nothing: nobody asked for them.
   */
  learn(netns: number, message: DnsMessage, nowNs: number): void {
    if (!message.isResponse || message.rcode !== 'NOERROR' || message.answers.length === 0) return
    const asked = message.questions[0]?.name
    const aliases = asked === undefined ? undefined : aliasesOf(asked, message.answers)
    let left = MOST_OF_ONE_ANSWER
    for (const { name, type, data, ttl } of message.answers) {
      if ((type !== 'A' && type !== 'AAAA') || !isHeard(name, aliases)) continue
      const until = nowNs + Math.min(Math.max(ttl, LEAST_SECONDS), MOST_SECONDS) * SECOND_NS
      this.#keep(`${netns}/${data}`, { name: asked ?? name, until })
      if (--left === 0) return
    }
  }

  lookup(netns: number, address: string, nowNs: number): string | undefined {
    if (this.#known.size === 0) return undefined
    const key = `${netns}/${address}`
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    if (known.until >= nowNs) return known.name
    this.#known.delete(key)
    return undefined
  }

  #keep(key: string, known: Known): void {
    // The order of the map is that of learning.
    if (!this.#known.delete(key) && this.#known.size >= this.#most)
      this.#known.delete(this.#known.keys().next().value as string)
    this.#known.set(key, known)
  }
}

/** Answers of multicast DNS repeat no question; they may only speak of the names that are theirs. */
function isHeard(name: string, aliases: ReadonlySet<string> | undefined): boolean {
  return aliases === undefined ? name.endsWith('.local') : aliases.has(name)
}

/** The name and all that it is an alias of. Servers put aliases in order, but nothing makes them. */
function aliasesOf(name: string, answers: readonly DnsAnswer[]): ReadonlySet<string> {
  const aliases = new Set([name])
  for (let hasGrown = true; hasGrown; ) {
    hasGrown = false
    for (const answer of answers) {
      if (answer.type !== 'CNAME' || !aliases.has(answer.name) || aliases.has(answer.data)) continue
      aliases.add(answer.data)
      hasGrown = true
    }
  }
  return aliases
}
