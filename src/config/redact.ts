/** Hides in a value what its schema says is secret, in whatever form of a union it may be. */
import { alternatives, type Bare, type Schema, under } from './schema-walk.ts'
import { REDACTED, redactUrls } from './show.ts'

export function redacted(schema: Schema, value: unknown): unknown {
  return redact(value, [{ schema, meta: {} }])
}

function redact(value: unknown, places: readonly Bare[]): unknown {
  if (value === null || value === undefined) return value
  const forms = places.flatMap(({ schema, meta }) => alternatives(schema, meta))
  if (forms.some(({ meta }) => meta.secret === true)) return REDACTED
  if (typeof value === 'string') return redactUrls(value)
  if (typeof value !== 'object') return value
  const below = (key: string | number): Bare[] => forms.flatMap((form) => under(form, key))
  if (Array.isArray(value)) return value.map((item, index) => redact(item, below(index)))
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) result[key] = redact(item, below(key))
  return result
}
