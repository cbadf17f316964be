/** Records as events of the HTTP Event Collector. */

import { recordToJson } from '../../src/records/json.ts'
import type { AnyValue, LogRecord } from '../../src/records/record.ts'
import type { Config } from './config.ts'

export type ToEvent = (record: LogRecord) => string

/** Makes the function that writes one event as JSON. */
export function eventWriter(settings: Config): ToEvent {
  const { event, otel_attrs_to_hec_metadata: names } = settings
  const metadata = new Set([names.source, names.sourcetype, names.index])
  return (record) => {
    const time = timeOf(record)
    const host = named(record, names.host)
    const source = named(record, names.source) ?? settings.source
    const sourcetype = named(record, names.sourcetype) ?? settings.sourcetype
    const index = named(record, names.index) ?? settings.index
    return (
      `{${time === undefined ? '' : `"time":${time},`}${member('host', host)}${member('source', source)}` +
      `${member('sourcetype', sourcetype)}${member('index', index)}` +
      (event === 'body'
        ? `"event":${lineOf(record)},"fields":${JSON.stringify(fieldsOf(record, metadata))}}`
        : `"event":${recordToJson(record)}}`)
    )
  }
}

/** True for a record that chose its index itself. */
export function namesIndex(record: LogRecord, { otel_attrs_to_hec_metadata: { index } }: Config): boolean {
  return named(record, index) !== undefined
}

function named({ attributes, resource }: LogRecord, name: string): string | undefined {
  const value = attributes[name] ?? resource.attributes[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `"${name}":${JSON.stringify(value)},`
}

/** Seconds with microseconds. Undefined for a time that is not known: Splunk then takes that of the arrival. */
function timeOf({ hrTime: [seconds, nanos] }: LogRecord): string | undefined {
  if (!(seconds > 0)) return undefined
  return `${seconds}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`
}

/** Splunk refuses events without text. */
function lineOf({ body, eventName }: LogRecord): string {
  const isBlank = body === undefined || body === null || (typeof body === 'string' && body.trim() === '')
  return JSON.stringify(isBlank ? eventName : body) ?? JSON.stringify(eventName)
}

type Field = string | number | boolean | readonly string[]

function fieldsOf(record: LogRecord, metadata: ReadonlySet<string>): Record<string, Field> {
  const fields: Record<string, Field> = {
    'event.name': record.eventName,
    'otel.log.severity.number': record.severityNumber,
    'otel.log.severity.text': record.severityText,
  }
  add(fields, record.resource.attributes as Record<string, AnyValue>, metadata)
  add(fields, record.attributes, metadata)
  return fields
}

function add(
  fields: Record<string, Field>,
  attributes: Readonly<Record<string, AnyValue>>,
  metadata: ReadonlySet<string>,
): void {
  for (const key in attributes) {
    if (metadata.has(key)) continue
    const field = fieldOf(attributes[key])
    if (field !== undefined) fields[key] = field
  }
}

/** Fields are flat: texts, numbers, or lists of texts. What is nested is written as JSON text. */
function fieldOf(value: AnyValue): Field | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (!Array.isArray(value)) return JSON.stringify(value)
  return value.length === 0 ? undefined : value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
}
