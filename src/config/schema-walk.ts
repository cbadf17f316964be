/**
 * Looks into zod schemas: what stands at a path, what a person would call it, which parts are secret.
 *
 * Only the side that users write matters: of a transformed schema it is the input.
 */
import { z } from 'zod'

export type Schema = z.core.$ZodType

/** What `.meta()` may say about a value. */
export interface Meta {
  readonly secret?: boolean
  readonly format?: string
  readonly description?: string
  /** The string is the id of something that must be configured. */
  readonly reference?: 'extension' | 'pipeline'
}

interface Def {
  readonly type: string
  readonly shape?: Record<string, Schema>
  readonly catchall?: Schema
  readonly element?: Schema
  readonly keyType?: Schema
  readonly valueType?: Schema
  readonly items?: readonly Schema[]
  readonly rest?: Schema | null
  readonly options?: readonly Schema[]
  readonly innerType?: Schema
  readonly in?: Schema
  readonly out?: Schema
  readonly left?: Schema
  readonly right?: Schema
  readonly getter?: () => Schema
  readonly defaultValue?: unknown
  readonly entries?: Record<string, string | number>
  readonly values?: readonly unknown[]
}

export function definitionOf(schema: Schema): Def {
  return schema._zod.def as unknown as Def
}

export function metaOf(schema: Schema): Meta {
  return (z.globalRegistry.get(schema) ?? {}) as Meta
}

/** A schema without its wrappers (optional, default, pipe, …), with what they say about it. */
export interface Bare {
  readonly schema: Schema
  readonly meta: Meta
}

/** Strips wrappers; unions stay. */
export function bare(schema: Schema, meta: Meta = {}): Bare[] {
  const all = { ...metaOf(schema), ...meta }
  const def = definitionOf(schema)
  if (def.getter !== undefined) return bare(def.getter(), all)
  if (def.innerType !== undefined && def.type !== 'promise') return bare(def.innerType, all)
  if (def.in !== undefined && def.out !== undefined) {
    // z.preprocess puts a function first: the schema behind it says most about what is expected.
    return bare(definitionOf(def.in).type === 'transform' ? def.out : def.in, all)
  }
  if (def.left !== undefined && def.right !== undefined) return [...bare(def.left, all), ...bare(def.right, all)]
  return [{ schema, meta: all }]
}

/** Strips wrappers and opens unions: every form that a value may have. */
export function alternatives(schema: Schema, meta: Meta = {}): Bare[] {
  return bare(schema, meta).flatMap((one) => {
    const { options } = definitionOf(one.schema)
    return options === undefined ? [one] : options.flatMap((option) => alternatives(option, one.meta))
  })
}

/** What may stand under a key or at an index; keeps `secret` of what is around it. */
export function under({ schema, meta }: Bare, key: string | number): Bare[] {
  const def = definitionOf(schema)
  const next = childOf(def, key)
  if (next === undefined || definitionOf(next).type === 'never') return []
  const inherited: Meta = meta.secret === true ? { secret: true } : {}
  return [{ schema: next, meta: inherited }]
}

function childOf(def: Def, key: string | number): Schema | undefined {
  if (def.type === 'object') return Object.hasOwn(def.shape ?? {}, key) ? def.shape?.[key] : def.catchall
  if (def.type === 'record' || def.type === 'map') return def.valueType
  if (def.type === 'tuple') return def.items?.[Number(key)] ?? def.rest ?? undefined
  return def.element
}

/** The schemas at a path, wrappers and all. */
export function schemasAt(root: Schema, path: readonly (string | number)[]): Bare[] {
  let here: Bare[] = [{ schema: root, meta: {} }]
  for (const key of path) {
    here = here.flatMap(({ schema, meta }) => alternatives(schema, meta)).flatMap((one) => under(one, key))
  }
  return here
}

/** True when the value at the path, or anything around it, is a secret in any of its forms. */
export function isSecretAt(root: Schema, path: readonly (string | number)[]): boolean {
  return schemasAt(root, path)
    .flatMap(({ schema, meta }) => alternatives(schema, meta))
    .some(({ meta }) => meta.secret === true)
}

/** Keys that an object schema names. */
export function keysAt(root: Schema, path: readonly (string | number)[]): string[] {
  const forms = schemasAt(root, path).flatMap(({ schema, meta }) => alternatives(schema, meta))
  return [...new Set(forms.flatMap(({ schema }) => Object.keys(definitionOf(schema).shape ?? {})))]
}
