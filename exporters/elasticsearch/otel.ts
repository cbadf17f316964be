/** A record in the shape of the Collector's OTel mode, and in Weir's own. */
import { AUDIT_TABLE } from '../../src/ecs/audit-table.ts'
import type { DataStream } from '../../src/ecs/document.ts'
import { cleanKey, freeFormText, opaqueText } from '../../src/ecs/free-form.ts'
import { ECS_TABLE } from '../../src/ecs/table.ts'
import { timeText } from '../../src/ecs/text.ts'
import { type Targets, targetsOf } from '../../src/ecs/types.ts'
import { quote } from '../../src/records/json-text.ts'
import type { AnyValue, Attributes, HrTime, LogRecord, Resource, Scope } from '../../src/records/record.ts'

/** Entries of free-form maps: those that can be searched and those that are only kept. */
interface Entries {
  readonly searchable: string
  readonly kept: string
}

const resources = new WeakMap<Resource, Entries>()
const scopes = new WeakMap<Scope, string>()
const streams = new WeakMap<DataStream, string>()

/** Attributes that are doubles also when they are whole: written with `.0`, so that nobody takes them for integers. */
const DOUBLES: ReadonlySet<string> = new Set(
  [ECS_TABLE, AUDIT_TABLE].flatMap((table) =>
    Object.keys(table).filter((name) => targetsOf(table[name] as Targets).some(({ type }) => type === 'double')),
  ),
)

export function toOtelJson(record: LogRecord, stream: DataStream | undefined): string {
  const { severityNumber, severityText, eventName, spanContext, droppedAttributesCount } = record
  const time = nanosTime(record)
  const own = entriesOf(time === record.hrTime ? record.attributes : withOriginalTime(record))
  const resource = resourceEntries(record.resource)
  let text = `{"@timestamp":${timeText(time)},"observed_timestamp":${timeText(fits(record.hrTimeObserved) ? record.hrTimeObserved : time)}`
  text += `,"severity_number":${severityNumber | 0},"severity_text":${quote(severityText)},"event_name":${quote(eventName)}`
  text += otelBody(record)
  text += `,"attributes":{${own.searchable}},"resource":{"attributes":{${resource.searchable}}}`
  text += `,"scope":${scopeText(record.instrumentationScope)}${unindexed(own, resource)}${streamText(stream)}`
  if (droppedAttributesCount > 0) text += `,"dropped_attributes_count":${droppedAttributesCount | 0}`
  if (spanContext === undefined) return `${text}}`
  return `${text},"trace_id":${quote(spanContext.traceId)},"span_id":${quote(spanContext.spanId)}}`
}

export function toRawJson(record: LogRecord, stream: DataStream | undefined): string {
  const own = entriesOf(record.attributes)
  const resource = resourceEntries(record.resource)
  const time = timeText(record.hrTime)
  const { body } = record
  let text = `{"@timestamp":${time},"time":${time},"observedTime":${timeText(record.hrTimeObserved)}`
  text += `,"severity":${quote(record.severityText)},"severityNumber":${record.severityNumber | 0}`
  text += `,"eventName":${quote(record.eventName)}`
  if (body !== undefined && body !== null)
    text += `,"body":${quote(typeof body === 'string' ? body : opaqueText(body))}`
  text += `,"attributes":{${own.searchable}},"resource":{${resource.searchable}}`
  return `${text},"scope":${scopeText(record.instrumentationScope)}${unindexed(own, resource)}${streamText(stream)}}`
}

/** What fits 64 bits of nanoseconds, as destinations keep them: 1970 to 2262. */
const LAST_SECOND = 9_223_372_036

function fits([seconds, nanos]: HrTime): boolean {
  return seconds >= 0 && seconds < LAST_SECOND && nanos >= 0
}

function nanosTime({ hrTime, hrTimeObserved }: LogRecord): HrTime {
  if (fits(hrTime)) return hrTime
  return fits(hrTimeObserved) ? hrTimeObserved : [0, 0]
}

function withOriginalTime({ attributes, hrTime }: LogRecord): Attributes {
  return { 'log.time.original': JSON.parse(timeText(hrTime)) as string, ...attributes }
}

function otelBody({ body }: LogRecord): string {
  if (body === undefined || body === null) return ''
  if (typeof body === 'string') return `,"body":{"text":${quote(body)}}`
  const isMap = typeof body === 'object' && !Array.isArray(body) && !(body instanceof Uint8Array)
  const structured = isMap ? freeFormText(body, '') : undefined
  return structured === undefined
    ? `,"body":{"text":${quote(opaqueText(body))}}`
    : `,"body":{"structured":${structured}}`
}

function entriesOf(attributes: Readonly<Attributes>): Entries {
  let searchable = ''
  let kept = ''
  for (const name in attributes) {
    const value = attributes[name] as AnyValue
    if (value === undefined || value === null) continue
    const text = valueText(name, value)
    if (text !== undefined) searchable += `,${entryOf(name)}${text}`
    else kept += `,${entryOf(name)}${opaqueText(value)}`
  }
  return { searchable: searchable.slice(1), kept: kept.slice(1) }
}

function valueText(name: string, value: AnyValue): string | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return freeFormText(value, name)
  return DOUBLES.has(name) ? `${value}.0` : String(value)
}

const names = new Map<string, string>()
const MAX_NAMES = 4096

function entryOf(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const text = `${quote(cleanKey(name))}:`
  if (names.size < MAX_NAMES) names.set(name, text)
  return text
}

function resourceEntries(resource: Resource): Entries {
  const known = resources.get(resource)
  if (known !== undefined) return known
  const made = entriesOf(resource.attributes as Attributes)
  resources.set(resource, made)
  return made
}

function scopeText(scope: Scope): string {
  const known = scopes.get(scope)
  if (known !== undefined) return known
  const { name, version } = scope
  const text = `{"name":${quote(name)}${version === undefined ? '' : `,"version":${quote(version)}`}}`
  scopes.set(scope, text)
  return text
}

function unindexed(own: Entries, resource: Entries): string {
  if (own.kept === '' && resource.kept === '') return ''
  return `,"unindexed":{"attributes":{${own.kept}},"resource":{${resource.kept}}}`
}

function streamText(stream: DataStream | undefined): string {
  if (stream === undefined) return ''
  const known = streams.get(stream)
  if (known !== undefined) return known
  const { dataset, namespace } = stream
  const text = `,"data_stream":{"type":"logs","dataset":${quote(dataset)},"namespace":${quote(namespace)}}`
  streams.set(stream, text)
  return text
}
