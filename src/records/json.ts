/**
 * The JSON form of a record, the same wherever one is written as a line: one object with `time`,
 * `observedTime` (RFC 3339, nanoseconds), `severity`, `severityNumber`, `eventName`, `body`,
 * `attributes` and `resource` (flat maps of dotted keys) and `scope`.
 */
import type { LogRecord, Resource, Scope } from './record.ts'
import { hrTimeToRfc3339 } from './time.ts'

// Interned objects are written many times: their text is made once and dropped with them.
const resourceText = new WeakMap<Resource, string>()
const scopeText = new WeakMap<Scope, string>()

/** One line, without its newline. Never throws: values that JSON lacks are written as text or null. */
export function recordToJson(record: LogRecord): string {
  return (
    `{"time":"${hrTimeToRfc3339(record.hrTime)}","observedTime":"${hrTimeToRfc3339(record.hrTimeObserved)}"` +
    `,"severity":${JSON.stringify(record.severityText)},"severityNumber":${record.severityNumber}` +
    `,"eventName":${JSON.stringify(record.eventName)},"body":${stringify(record.body)}` +
    `,"attributes":${stringify(record.attributes)},"resource":${textOfResource(record.resource)}` +
    `,"scope":${textOfScope(record.instrumentationScope)}}`
  )
}

function textOfResource(resource: Resource): string {
  const known = resourceText.get(resource)
  if (known !== undefined) return known
  const text = stringify(resource.attributes)
  resourceText.set(resource, text)
  return text
}

function textOfScope(scope: Scope): string {
  const known = scopeText.get(scope)
  if (known !== undefined) return known
  const text = stringify(
    scope.version === undefined ? { name: scope.name } : { name: scope.name, version: scope.version },
  )
  scopeText.set(scope, text)
  return text
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch {
    return stringifyOdd(value)
  }
}

// Big integers and cycles never come from our own receivers, but may from another's processor.
function stringifyOdd(value: unknown): string {
  const above = new WeakSet<object>()
  const replace = (_key: string, inner: unknown): unknown => {
    if (typeof inner === 'bigint') return String(inner)
    if (typeof inner !== 'object' || inner === null) return inner
    if (above.has(inner)) return '[repeated]'
    above.add(inner)
    return inner
  }
  return JSON.stringify(value, replace) ?? 'null'
}
