/** The tables as the mapping of an index, in the dialect of the server that gets it. */
import { FIELDS } from './fields.ts'
import { MAX_VALUE } from './free-form.ts'
import { type FieldType, KEYWORD_LIMIT, LONG_KEYWORD_LIMIT } from './types.ts'

export interface Server {
  readonly product: 'elasticsearch' | 'opensearch'
  /** `[8, 17]` of `8.17.2`. */
  readonly version: readonly [major: number, minor: number]
}

export type Json = Readonly<Record<string, unknown>>

function isAtLeast({ version: [major, minor] }: Server, wanted: readonly [number, number]): boolean {
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1])
}

const OPAQUE: Json = { type: 'object', enabled: false }

/**
 * A free-form map. OpenSearch has `flat_object` since 2.7, but until 2.14 it stumbled over dots in keys and over long
 * keys; before that such maps are kept there without being searchable.
 */
function freeForm(server: Server): Json {
  if (server.product === 'elasticsearch') return { type: 'flattened', ignore_above: MAX_VALUE }
  return isAtLeast(server, [2, 14]) ? { type: 'flat_object' } : OPAQUE
}

function fullText(server: Server): Json {
  const since = server.product === 'elasticsearch' ? ([7, 14] as const) : ([2, 12] as const)
  return { type: isAtLeast(server, since) ? 'match_only_text' : 'text' }
}

/** OpenSearch's `constant_keyword` wants its value in the mapping, which one template for many streams cannot have. */
function constant({ product }: Server): Json {
  return product === 'elasticsearch' ? { type: 'constant_keyword' } : { type: 'keyword', ignore_above: KEYWORD_LIMIT }
}

export function mappingOf(type: FieldType, server: Server): Json {
  switch (type) {
    case 'keyword':
      return { type, ignore_above: KEYWORD_LIMIT }
    case 'long_keyword':
      return { type: 'keyword', ignore_above: LONG_KEYWORD_LIMIT }
    case 'stored':
      return { type: 'keyword', index: false, doc_values: false }
    case 'text':
      return fullText(server)
    case 'flat':
      return freeForm(server)
    case 'opaque':
      return OPAQUE
    case 'constant':
      return constant(server)
    default:
      return { type }
  }
}

interface Branch {
  properties: Record<string, Json | Branch>
}

/** A mapping of fields by their dotted names. What has no field is kept and returned, and never makes one. */
export function mappings(fields: Readonly<Record<string, Json>>): Json {
  const root: Branch = { properties: {} }
  for (const [name, mapping] of Object.entries(fields)) {
    const path = name.split('.')
    let at = root
    for (const part of path.slice(0, -1)) at = branchOf(at, part)
    at.properties[path.at(-1) as string] = mapping
  }
  return { dynamic: false, ...root }
}

function branchOf(at: Branch, part: string): Branch {
  const known = at.properties[part] as Branch | undefined
  if (known !== undefined) return known
  const made: Branch = { properties: {} }
  at.properties[part] = made
  return made
}

export function ecsMappings(server: Server): Json {
  return mappings(Object.fromEntries(FIELDS.map(({ name, type }) => [name, mappingOf(type, server)])))
}

/** Documents in the shape of the Collector's `otel` mode. */
export function otelMappings(server: Server): Json {
  const of = (type: FieldType): Json => mappingOf(type, server)
  return mappings({
    '@timestamp': { type: 'date_nanos' },
    observed_timestamp: { type: 'date_nanos' },
    'data_stream.type': of('constant'),
    'data_stream.dataset': of('constant'),
    'data_stream.namespace': of('constant'),
    severity_text: of('keyword'),
    severity_number: of('long'),
    event_name: of('keyword'),
    trace_id: of('keyword'),
    span_id: of('keyword'),
    dropped_attributes_count: of('long'),
    'body.text': of('text'),
    'body.structured': of('flat'),
    attributes: of('flat'),
    'resource.attributes': of('flat'),
    'resource.schema_url': of('keyword'),
    'resource.dropped_attributes_count': of('long'),
    'scope.name': of('keyword'),
    'scope.version': of('keyword'),
    unindexed: OPAQUE,
  })
}

/** Weir's own JSON form of a record. */
export function rawMappings(server: Server): Json {
  const of = (type: FieldType): Json => mappingOf(type, server)
  return mappings({
    '@timestamp': of('date'),
    'data_stream.type': of('constant'),
    'data_stream.dataset': of('constant'),
    'data_stream.namespace': of('constant'),
    time: of('date'),
    observedTime: of('date'),
    severity: of('keyword'),
    severityNumber: of('long'),
    eventName: of('keyword'),
    body: of('text'),
    attributes: of('flat'),
    resource: of('flat'),
    'scope.name': of('keyword'),
    'scope.version': of('keyword'),
    unindexed: OPAQUE,
  })
}
