/** Records grouped the way OTLP nests them: by resource, then by scope, each by object identity. */
import type { LogRecord, Resource, Scope } from '../records/record.ts'

export interface ResourceGroup {
  readonly resource: Resource
  readonly scopes: readonly { readonly scope: Scope; readonly records: readonly LogRecord[] }[]
}

export function groupRecords(records: readonly LogRecord[]): ResourceGroup[] {
  const first = records[0]
  if (first === undefined) return []
  if (areAlike(records, first)) {
    return [{ resource: first.resource, scopes: [{ scope: first.instrumentationScope, records }] }]
  }
  const byResource = Map.groupBy(records, (record) => record.resource)
  return [...byResource].map(([resource, group]) => ({
    resource,
    scopes: [...Map.groupBy(group, (record) => record.instrumentationScope)].map(([scope, list]) => ({
      scope,
      records: list,
    })),
  }))
}

// The usual case: one source, one resource.
function areAlike(records: readonly LogRecord[], first: LogRecord): boolean {
  for (const { resource, instrumentationScope } of records) {
    if (resource !== first.resource || instrumentationScope !== first.instrumentationScope) return false
  }
  return true
}
