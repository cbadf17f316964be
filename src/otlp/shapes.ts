/**
 * Makes maps out of keys and values. Records of one kind have the same keys in the same order, and a copy of a map
 * with these keys is made three times as fast as a map that grows key by key, which the engine turns into a hash
 * table besides: reading that costs thrice as much, and copying it fifty times.
 *
 * The keys may be anyone's: a map is kept only once its keys were seen twice in a row at their place of the table,
 * and the next keys that fall on the place take it over.
 */
import type { AnyValue, Attributes } from '../records/record.ts'

const PLACES = 512
/** The engine keeps larger maps as hash tables whatever is done. */
const MAX_KEYS = 100

interface Shape {
  readonly keys: readonly string[]
  /** A map with these keys, from the second time on. */
  template: Attributes | undefined
}

export class Shapes {
  readonly #shapes: (Shape | undefined)[] = new Array<Shape | undefined>(PLACES).fill(undefined)

  /** A map of the first `count` keys and values. The last of equal keys wins; none may be `__proto__`. */
  make(keys: readonly string[], values: readonly AnyValue[], count: number): Attributes {
    const template = count === 0 || count > MAX_KEYS ? undefined : this.#templateOf(keys, count)
    const map: Attributes = template === undefined ? {} : { ...template }
    for (let i = 0; i < count; i++) map[keys[i] as string] = values[i]
    return map
  }

  #templateOf(keys: readonly string[], count: number): Attributes | undefined {
    let hash = count
    for (let i = 0; i < count; i++) {
      const key = keys[i] as string
      hash = Math.imul(hash, 31) + key.length + key.charCodeAt(key.length >> 1)
    }
    const place = (hash ^ (hash >>> 13)) & (PLACES - 1)
    const shape = this.#shapes[place]
    if (shape === undefined || !isSame(shape.keys, keys, count)) {
      this.#shapes[place] = { keys: keys.slice(0, count), template: undefined }
      return undefined
    }
    shape.template ??= templateOf(shape.keys)
    return shape.template
  }
}

function isSame(known: readonly string[], keys: readonly string[], count: number): boolean {
  if (known.length !== count) return false
  for (let i = 0; i < count; i++) if (known[i] !== keys[i]) return false
  return true
}

/** The parser of JSON makes maps that stay quick however many keys they have. */
function templateOf(keys: readonly string[]): Attributes {
  return JSON.parse(`{${keys.map((key) => `${JSON.stringify(key)}:null`).join(',')}}`) as Attributes
}
