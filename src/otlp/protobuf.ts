/**
 * OTLP/protobuf of log records: `ExportLogsServiceRequest` of opentelemetry-proto (collector/logs/v1),
 * written in one pass. A test holds it equal to `ProtobufLogsSerializer` of `@opentelemetry/otlp-transformer`.
 *
 * Tags are `field << 3 | wire type`; the messages and their fields:
 *
 *   ExportLogsServiceRequest  resource_logs 1
 *   ResourceLogs              resource 1, scope_logs 2, schema_url 3
 *   Resource                  attributes 1, dropped_attributes_count 2
 *   ScopeLogs                 scope 1, log_records 2, schema_url 3
 *   InstrumentationScope      name 1, version 2, attributes 3, dropped_attributes_count 4
 *   LogRecord                 time 1 (fixed64), severity_number 2, severity_text 3, body 5, attributes 6,
 *                             dropped_attributes_count 7, flags 8 (fixed32), trace_id 9, span_id 10,
 *                             observed_time 11 (fixed64), event_name 12
 *   KeyValue                  key 1, value 2
 *   AnyValue                  string 1, bool 2, int 3, double 4 (fixed64), array 5, kvlist 6, bytes 7
 */
import type { AnyValue, Attributes, LogRecord, Resource, Scope } from '../records/record.ts'
import { fitsNanos } from '../records/time.ts'
import { groupRecords } from './groups.ts'
import { ProtoWriter } from './proto-writer.ts'

const MAX_DEPTH = 32
const MAX_CACHED_KEYS = 4096

/** Where the functions below write: set by the only entry, since requests are encoded one after the other. */
let writer = new ProtoWriter(0)
const keyFields = new Map<string, Uint8Array>()
const resourceFields = new WeakMap<Resource, Uint8Array>()
const scopeFields = new WeakMap<Scope, Uint8Array>()

/** One request: a view that is valid until `into` is used again. */
export function encodeOtlpProtobuf(records: readonly LogRecord[], into: ProtoWriter): Buffer {
  writer = into
  const groups = groupRecords(records).map((group) => ({
    ...group,
    field: cached(resourceFields, group.resource, () => writeResource(group.resource)),
    scopes: group.scopes.map((one) => ({
      ...one,
      field: cached(scopeFields, one.scope, () => writeScope(one.scope)),
    })),
  }))
  for (const { field, scopes, resource } of groups) {
    const resourceLogs = writer.begin(0x0a)
    writer.raw(field)
    for (const one of scopes) {
      const scopeLogs = writer.begin(0x12)
      writer.raw(one.field)
      for (const record of one.records) writeRecord(record)
      if (one.scope.schemaUrl) writer.string(0x1a, one.scope.schemaUrl)
      writer.end(scopeLogs)
    }
    if (resource.schemaUrl) writer.string(0x1a, resource.schemaUrl)
    writer.end(resourceLogs)
  }
  return writer.take()
}

// Written before the request itself begins: the writer is shared.
function cached<K extends object>(fields: WeakMap<K, Uint8Array>, key: K, write: () => void): Uint8Array {
  const known = fields.get(key)
  if (known !== undefined) return known
  write()
  const field = Buffer.from(writer.take())
  fields.set(key, field)
  return field
}

function writeResource(resource: Resource): void {
  const start = writer.begin(0x0a)
  writeAttributes(0x0a, resource.attributes, 0)
  writer.end(start)
}

function writeScope({ name, version, attributes, droppedAttributesCount }: Scope): void {
  const start = writer.begin(0x0a)
  if (name) writer.string(0x0a, name)
  if (version) writer.string(0x12, version)
  if (attributes !== undefined) writeAttributes(0x1a, attributes, 0)
  if (droppedAttributesCount) writer.uint(0x20, droppedAttributesCount)
  writer.end(start)
}

function writeRecord(record: LogRecord): void {
  const { hrTime, hrTimeObserved, spanContext } = record
  const start = writer.begin(0x12)
  if (fitsNanos(hrTime)) writer.nanos(0x09, hrTime[0], hrTime[1])
  if (record.severityNumber) writer.uint(0x10, record.severityNumber)
  if (record.severityText) writer.string(0x1a, record.severityText)
  if (record.body !== undefined) writeValue(0x2a, record.body, 0)
  writeAttributes(0x32, record.attributes, 0)
  if (record.droppedAttributesCount) writer.uint(0x38, record.droppedAttributesCount)
  if (spanContext !== undefined) {
    writer.fixed32(0x45, spanContext.traceFlags)
    writer.bytes(0x4a, Buffer.from(spanContext.traceId, 'hex'))
    writer.bytes(0x52, Buffer.from(spanContext.spanId, 'hex'))
  }
  if (fitsNanos(hrTimeObserved)) writer.nanos(0x59, hrTimeObserved[0], hrTimeObserved[1])
  if (record.eventName) writer.string(0x62, record.eventName)
  writer.end(start)
}

function writeAttributes(tag: number, attributes: Readonly<Attributes>, depth: number): void {
  for (const key in attributes) {
    const value = attributes[key]
    if (value === undefined) continue
    const start = writer.begin(tag)
    writer.raw(keyField(key))
    writeValue(0x12, value, depth)
    writer.end(start)
  }
}

function keyField(key: string): Uint8Array {
  const known = keyFields.get(key)
  if (known !== undefined) return known
  const text = Buffer.from(key)
  const length: number[] = []
  for (let rest = text.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  const field = Buffer.concat([Buffer.from([0x0a, ...length]), text])
  // Keys are few, but annotations of an event may become keys: what is over the cap is written, not kept.
  if (keyFields.size < MAX_CACHED_KEYS) keyFields.set(key, field)
  return field
}

function writeValue(tag: number, value: AnyValue, depth: number): void {
  const start = writer.begin(tag)
  if (typeof value === 'string') writer.string(0x0a, value)
  else if (typeof value === 'number') writeNumber(value)
  else if (typeof value === 'boolean') writer.uint(0x10, value ? 1 : 0)
  else if (typeof value === 'bigint') writer.string(0x0a, String(value))
  else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) writeObject(value, depth + 1)
  writer.end(start)
}

function writeNumber(value: number): void {
  if (Number.isSafeInteger(value)) writer.int64(0x18, value)
  else writer.double(0x21, value)
}

function writeObject(value: object, depth: number): void {
  if (value instanceof Uint8Array) {
    writer.bytes(0x3a, value)
    return
  }
  const isArray = Array.isArray(value)
  const start = writer.begin(isArray ? 0x2a : 0x32)
  if (isArray) for (const one of value) writeValue(0x0a, one as AnyValue, depth)
  else writeAttributes(0x0a, value as Attributes, depth)
  writer.end(start)
}
