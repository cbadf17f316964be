/**
 * Walks values. Nothing is changed in place, because copies of a record share what is nested in it: whoever has
 * nothing to change gets its own value back.
 */
import type { AnyValue, Attributes } from '../../src/records/record.ts'
import type { Masks } from '../../src/redaction/mask.ts'
import type { Scanner } from '../../src/redaction/scan.ts'
import type { Blocked } from './blocked.ts'
import type { RedactionConfig } from './config.ts'
import type { KeyRule } from './keys.ts'
import type { Tally } from './summary.ts'

/** Deeper than any record of ours. What lies below is replaced as a whole. */
const MAX_DEPTH = 64
const TOO_DEEP = '[REDACTED:too_deep]'
const REMOVED = Symbol('removed')

export interface WalkerOptions {
  readonly config: RedactionConfig
  readonly scanner: Scanner
  readonly blocked: Blocked
  readonly masks: Masks
  readonly rules: (key: string) => KeyRule
  found(rule: string): void
}

/** Where a value is. */
interface Place {
  readonly tally: Tally
  readonly depth: number
  /** Names from the outside in, joined by dots; empty unless the summary lists names. */
  readonly path: string
  /** How deep `allowed_keys` holds: for the attributes themselves, or for every map in a body. */
  readonly listedDepth: number
}

export interface Walker {
  /** A map of attributes: the same object when nothing in it had to change. */
  attributes(map: Attributes, tally: Tally): Attributes
  body(value: AnyValue, tally: Tally): AnyValue
}

export function createWalker(options: WalkerOptions): Walker {
  const walk = new Walk(options)
  return {
    attributes: (map, tally) => walk.map(map, { tally, depth: 0, path: '', listedDepth: 0 }),
    body: (value, tally) => walk.value(value, { tally, depth: 0, path: '', listedDepth: MAX_DEPTH }),
  }
}

class Walk {
  readonly #options: WalkerOptions
  readonly #rules: WalkerOptions['rules']
  readonly #scanner: Scanner
  readonly #isFree: boolean
  readonly #listsNames: boolean

  constructor(options: WalkerOptions) {
    this.#options = options
    this.#rules = options.rules
    this.#scanner = options.scanner
    this.#isFree = options.config.blocked_values.length === 0 && options.config.allowed_values.length === 0
    this.#listsNames = options.config.summary === 'debug'
  }

  map(map: Attributes, place: Place): Attributes {
    let copy: Attributes | undefined
    for (const key in map) {
      const rule = this.#rules(key)
      const value = map[key]
      const next = this.#isCertain(rule, value) ? value : this.#member(value, rule, place)
      if (copy === undefined) {
        if (next === value && rule.name === key) continue
        copy = copyBefore(map, key)
      }
      if (next !== REMOVED) put(copy, rule.name, next)
    }
    return copy ?? map
  }

  /** The common case: a short text under an ordinary name. */
  #isCertain(rule: KeyRule, value: AnyValue): boolean {
    return rule.isPlain && this.#isFree && typeof value === 'string' && !this.#scanner.isSuspicious(value)
  }

  #member(value: AnyValue, rule: KeyRule, place: Place): AnyValue | typeof REMOVED {
    if (rule.isIgnored) {
      place.tally.add('ignored', undefined)
      return value
    }
    const inner = this.#below(place, rule.name)
    if (rule.isRemoved && place.depth <= place.listedDepth) {
      place.tally.add('redacted', this.#named(inner))
      this.#options.found('allowed_keys')
      return REMOVED
    }
    if (rule.isBlocked) return this.#block(value, inner)
    if (rule.isSecret) return this.#secret(value, inner)
    return this.value(value, inner)
  }

  value(value: AnyValue, place: Place): AnyValue {
    if (typeof value === 'string') return this.#text(value, place)
    if (typeof value === 'object' && value !== null) {
      if (place.depth > MAX_DEPTH) return this.#masked(TOO_DEEP, 'too_deep', place)
      if (Array.isArray(value)) return this.#list(value, place)
      return value instanceof Uint8Array ? this.#bytes(value, place) : this.map(value as Attributes, place)
    }
    if (!this.#options.config.redact_all_types || value === undefined || value === null) return value
    const text = String(value)
    const clean = this.#text(text, place)
    return clean === text ? value : clean
  }

  #text(text: string, place: Place): string {
    const clean = this.#scanner.detect(text)
    if (this.#isFree) return this.#noted(text, clean, place)
    if (this.#options.blocked.isAllowed(text)) {
      place.tally.add('allowed', this.#named(place))
      return this.#noted(text, clean, place)
    }
    return this.#noted(text, this.#options.blocked.block(clean), place)
  }

  #noted(text: string, clean: string, place: Place): string {
    if (clean !== text) place.tally.add('masked', this.#named(place))
    return clean
  }

  #list(list: readonly AnyValue[], place: Place): AnyValue {
    let copy: AnyValue[] | undefined
    for (let i = 0; i < list.length; i++) {
      const item = list[i]
      const next = this.value(item, this.#below(place, `[${i}]`))
      if (next === item) continue
      copy ??= [...list]
      copy[i] = next
    }
    return copy ?? (list as AnyValue)
  }

  #bytes(bytes: Uint8Array, place: Place): AnyValue {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const clean = this.#text(text, place)
    return clean === text ? bytes : clean
  }

  /** A value under a blocked name goes whole, whatever it is. */
  #block(value: AnyValue, place: Place): AnyValue {
    if (typeof value === 'string' && this.#options.blocked.isAllowed(value)) return this.#text(value, place)
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
    return this.#masked(this.#options.masks.mask(text), 'blocked_key_patterns', place)
  }

  /** A credential by its name: texts and numbers go whole; a map under such a name has names of its own. */
  #secret(value: AnyValue, place: Place): AnyValue {
    if (Array.isArray(value)) return value.map((item, i) => this.#secret(item, this.#below(place, `[${i}]`)))
    const isHidden = (typeof value === 'string' && value !== '') || typeof value === 'number'
    if (!isHidden) return this.value(value, place)
    const text = String(value)
    if (isMarked(text) || this.#options.blocked.isAllowed(text)) return value
    return this.#masked(this.#options.masks.mark('password', text), 'password', place)
  }

  #masked(mask: string, rule: string, place: Place): string {
    this.#options.found(rule)
    place.tally.add('masked', this.#named(place))
    return mask
  }

  #below({ tally, depth, path, listedDepth }: Place, name: string): Place {
    const below = this.#listsNames ? (path === '' ? name : `${path}.${name}`) : ''
    return { tally, depth: depth + 1, path: below, listedDepth }
  }

  #named({ path }: Place): string | undefined {
    return this.#listsNames ? path || 'body' : undefined
  }
}

/** Masked before, by us or by another redaction on the way. */
function isMarked(text: string): boolean {
  return /^(?:\*{4}|\[REDACTED(?::[\w:]+)?\])$/.test(text)
}

function copyBefore(map: Attributes, end: string): Attributes {
  const copy: Attributes = {}
  for (const key in map) {
    if (key === end) break
    put(copy, key, map[key])
  }
  return copy
}

/** Two names may become one by redaction, and a name that JSON had may be `__proto__`. */
function put(map: Attributes, name: string, value: AnyValue): void {
  let free = name
  for (let i = 2; Object.hasOwn(map, free); i++) free = `${name}.${i}`
  if (free === '__proto__')
    Object.defineProperty(map, free, { value, enumerable: true, writable: true, configurable: true })
  else map[free] = value
}
