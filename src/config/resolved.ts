/** A configuration with its defaults, in the form users write: durations stay `5s`, secrets are `[REDACTED]`. */
import { z } from 'zod'
import type { Config } from './config.ts'
import { SECTION_NAMES } from './ids.ts'
import { formatByteSize, formatDuration } from './readable.ts'
import { redacted } from './redact.ts'
import { definitionOf, type Meta, metaOf, type Schema } from './schema-walk.ts'
import { serviceSchema } from './service.ts'
import { formatRegex } from './values.ts'

export interface ResolveOptions {
  /** True hides secrets, and passwords in URLs. */
  readonly redact: boolean
}

/** Plain maps and lists, ready to be written as YAML or JSON. Every `$` is escaped where it would expand again. */
export function resolvedConfig(config: Config, options: ResolveOptions): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const section of SECTION_NAMES) {
    const components = [...config[section].values()]
    if (components.length === 0) continue
    result[section] = record(components.map(({ id, definition, raw }) => [id, filled(definition.config, raw, options)]))
  }
  const ids = (references: readonly { readonly id: string }[]): string[] => references.map(({ id }) => id)
  const pipelines = [...config.pipelines.values()].map(
    ({ id, receivers, processors, exporters }): [string, unknown] => [
      id,
      { receivers: ids(receivers), processors: ids(processors), exporters: ids(exporters) },
    ],
  )
  const { extensions, ...service } = filled(serviceSchema, config.service.raw, options) as Record<string, unknown>
  result['service'] = { extensions: ids(config.service.extensions), pipelines: record(pipelines), ...service }
  return result
}

/** What `raw` means under a schema, defaults included, still in the form of the input. */
export function filled(schema: Schema, raw: unknown, { redact }: ResolveOptions): unknown {
  const value = fill(schema, raw, { meta: {}, isDefault: false })
  return redact ? redacted(schema, value) : value
}

interface Filling {
  readonly meta: Meta
  /** True for what comes from a schema: numbers in it are milliseconds and bytes. */
  readonly isDefault: boolean
}

function fill(schema: Schema, raw: unknown, outer: Filling): unknown {
  const filling = { ...outer, meta: { ...metaOf(schema), ...outer.meta } }
  const def = definitionOf(schema)
  if (def.getter !== undefined) return fill(def.getter(), raw, filling)
  if (def.innerType !== undefined) return fillWrapped(def, def.innerType, raw, filling)
  if (raw === undefined || raw === null) return raw
  if (def.in !== undefined && def.out !== undefined) {
    return fill(definitionOf(def.in).type === 'transform' ? def.out : def.in, raw, filling)
  }
  return def.options === undefined ? fillContents(def, raw, filling) : fillUnion(def.options, raw, filling)
}

function fillUnion(options: readonly Schema[], raw: unknown, filling: Filling): unknown {
  const chosen = options.find((option) => z.core.safeParse(option as z.ZodType, raw).success)
  return chosen === undefined ? leaf(raw, filling) : fill(chosen, raw, filling)
}

type Def = ReturnType<typeof definitionOf>

function fillWrapped(def: Def, inner: Schema, raw: unknown, filling: Filling): unknown {
  if (raw !== undefined || def.defaultValue === undefined) return fill(inner, raw, filling)
  // A default is in the form of the output, a prefault in that of the input.
  return fill(inner, def.defaultValue, { ...filling, isDefault: def.type === 'default' })
}

function fillContents(def: Def, raw: unknown, outer: Filling): unknown {
  const filling = { ...outer, meta: {} }
  if (def.left !== undefined && def.right !== undefined) {
    const parts = [def.left, def.right].map((part) => fill(part, raw, filling))
    return parts.every(isMap) ? Object.assign({}, ...parts) : parts[0]
  }
  if (Array.isArray(raw)) {
    return raw.map((item, index) => {
      const schema = def.element ?? def.items?.[index] ?? def.rest ?? undefined
      return schema === undefined ? leaf(item, filling) : fill(schema, item, filling)
    })
  }
  if (!isMap(raw)) return leaf(raw, outer)
  const keys = [...new Set([...Object.keys(def.shape ?? {}), ...Object.keys(raw)])]
  const entries = keys.map((key): [string, unknown] => {
    const named = def.shape !== undefined && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined
    const schema = named ?? def.valueType ?? def.catchall
    const value = Object.hasOwn(raw, key) ? raw[key] : undefined
    return [key, schema === undefined ? leaf(value, filling) : fill(schema, value, filling)]
  })
  return record(entries.filter(([, value]) => value !== undefined))
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp)
}

/** A key named `__proto__` is a key like any other. */
function record(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) result[key] = value
  return result
}

function leaf(value: unknown, { meta, isDefault }: Filling): unknown {
  if (typeof value === 'number' && isDefault && meta.format === 'duration') return formatDuration(value)
  if (typeof value === 'number' && isDefault && meta.format === 'byte-size') return formatByteSize(value)
  if (value instanceof RegExp) return formatRegex(value)
  if (typeof value === 'string') return escaped(value)
  if (Array.isArray(value)) return value.map((item) => leaf(item, { meta: {}, isDefault }))
  if (!isMap(value)) return value
  return record(Object.entries(value).map(([key, item]) => [key, leaf(item, { meta: {}, isDefault })]))
}

function escaped(text: string): string {
  return text.replaceAll(/\$(?=[${])/g, '$$$$')
}
