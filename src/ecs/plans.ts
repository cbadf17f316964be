/** What is done with an attribute, looked up by its name: the tables, compiled. */
import { boundedCache } from '../records/bounded-cache.ts'
import { quote } from '../records/json-text.ts'
import type { AnyValue } from '../records/record.ts'
import { AUDIT_TABLE } from './audit-table.ts'
import type { DocumentBuilder } from './builder.ts'
import { fieldNumber } from './fields.ts'
import { cleanKey, freeFormText, opaqueText } from './free-form.ts'
import { ECS_TABLE } from './table.ts'
import { type Target, type Targets, targetsOf } from './types.ts'
import { ENCODERS, type Encode, someAddresses } from './values.ts'

/** Fields that take the same text of a value. */
interface Fill {
  readonly fields: readonly number[]
  readonly encode: Encode
}

/**
 * The fields that an attribute fills; `map` and `entry` where it is one key of a free-form map. The first field of the
 * first fill is the attribute's own, which it sets; the others it fills where nothing else has.
 */
interface Plan {
  readonly fills: readonly Fill[]
  readonly isSimple: boolean
  readonly map: number
  /** `"key":`, ready. */
  readonly entry: string
}

const NOWHERE = -1

export class Plans {
  readonly #known = new Map<string, Plan>()
  readonly #prefixes: (readonly [prefix: string, map: number])[] = []
  readonly #others: (name: string) => Plan
  readonly #rest: number
  readonly #unindexed: number

  /** Later tables win. What is in none of them goes to the map `rest`, and to `unindexed` what that may not hold. */
  constructor(
    tables: readonly Readonly<Record<string, Targets>>[],
    rest: string,
    unindexed: string,
    /** Attributes that somebody else puts into the document. */
    elsewhere: readonly string[] = [],
  ) {
    this.#rest = fieldNumber(rest)
    this.#unindexed = fieldNumber(unindexed)
    for (const [name, targets] of Object.entries(Object.assign({}, ...tables) as Record<string, Targets>)) {
      const all = targetsOf(targets)
      if (name.endsWith('*')) this.#prefixes.push([name.slice(0, -1), fieldNumber((all[0] as Target).field)])
      else {
        const fills = fillsOf(all)
        this.#known.set(name, { fills, isSimple: all.length === 1, map: this.#rest, entry: entryOf(name) })
      }
    }
    for (const name of elsewhere) this.#known.set(name, { fills: [], isSimple: true, map: NOWHERE, entry: '' })
    // Names that an event supplies are many: they are remembered for a while only.
    this.#others = boundedCache(2048, (name) => this.#makeOther(name))
  }

  #makeOther(name: string): Plan {
    for (const [prefix, map] of this.#prefixes) {
      if (name.startsWith(prefix)) return { fills: [], isSimple: true, map, entry: entryOf(name.slice(prefix.length)) }
    }
    return { fills: [], isSimple: true, map: this.#rest, entry: entryOf(name) }
  }

  /** Puts one attribute where it belongs. A value that does not fit its field goes to the map of the rest. */
  put(name: string, value: AnyValue, into: DocumentBuilder): void {
    const plan = this.#known.get(name) ?? this.#others(name)
    const own = plan.fills[0]
    const text = own?.encode(value)
    if (own === undefined || text === undefined) this.#putFreeForm(plan, name, value, into)
    else {
      into.set(own.fields[0] as number, text)
      if (!plan.isSimple) putOthers(plan.fills, text, value, into)
    }
  }

  #putFreeForm({ map, entry }: Plan, name: string, value: AnyValue, into: DocumentBuilder): void {
    if (value === undefined || value === null || map === NOWHERE) return
    const text = freeFormText(value, name)
    if (text === undefined) into.add(this.#unindexed, entryOf(name) + opaqueText(value))
    // The resource may have set the same key: two equal keys would spoil the document.
    else if (map !== this.#rest && into.mayHold(map, entry)) into.add(this.#rest, `${entryOf(name)}${text}`)
    else into.add(map, entry + text)
  }
}

function putOthers(fills: readonly Fill[], own: string, value: AnyValue, into: DocumentBuilder): void {
  for (let i = 0; i < fills.length; i++) {
    const { fields, encode } = fills[i] as Fill
    const text = i === 0 ? own : encode(value)
    if (text === undefined) continue
    for (let j = i === 0 ? 1 : 0; j < fields.length; j++) into.fill(fields[j] as number, text)
  }
}

function entryOf(name: string): string {
  return `${quote(cleanKey(name))}:`
}

function fillsOf(targets: readonly Target[]): Fill[] {
  const encodeOf = ({ type }: Target): Encode => (type === 'ip' && targets.length > 1 ? someAddresses : ENCODERS[type])
  const byEncoder = Map.groupBy(targets, encodeOf)
  return [...byEncoder].map(([encode, group]) => ({ encode, fields: group.map(({ field }) => fieldNumber(field)) }))
}

export const RECORD_PLANS = new Plans([ECS_TABLE], 'weir.attributes', 'weir.unindexed')
export const AUDIT_PLANS = new Plans([ECS_TABLE, AUDIT_TABLE], 'weir.attributes', 'weir.unindexed', [
  'k8s.audit.request_object',
  'k8s.audit.response_object',
])
export const RESOURCE_PLANS = new Plans([ECS_TABLE], 'weir.resource', 'weir.unindexed_resource')
