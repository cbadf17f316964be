/**
 * Log records of OTLP/JSON (opentelemetry-proto, "JSON Protobuf Encoding"): 64-bit numbers as text or as numbers,
 * trace ids in hexadecimal, bytes in base64, enumerations as numbers, `null` for "not set", unknown fields ignored.
 * The original field names (`time_unix_nano`) are not valid by the specification; they are understood all the same,
 * since ignoring them would lose data without a word.
 *
 * Broken requests throw a `RangeError` that says what and where; valid ones that are more than `limits` allow are
 * cut, and what was cut is added to `droppedAttributesCount`.
 */
import { EMPTY_RESOURCE, foreignResource } from '../records/interning.ts'
import type { AnyValue, Attributes, LogRecord, Resource, Scope } from '../records/record.ts'
import { Identities } from './identities.ts'
import { fieldOf, int32Of, integerOf, type Json, listOf, nanosOf, numberOf, objectOf, textOf } from './json-fields.ts'
import { parseJson } from './json-parse.ts'
import { severityNumberOf, spanContextOf } from './json-record.ts'
import { type DecodeLimits, droppedCount, OWN_LIMITS, TooManyRecordsError } from './limits.ts'
import { Shapes } from './shapes.ts'

/** Where the functions below count: set by the only entry, which nothing interrupts. */
let limits = OWN_LIMITS
let attributesSeen = 0
let valuesSeen = 0
let cut = 0
let cutInAll = 0

/** As `decodeOtlpProtobuf`, of a request in JSON. */
export function decodeOtlpJson(
  bytes: Uint8Array,
  within: DecodeLimits = OWN_LIMITS,
  identities = new Identities(),
): LogRecord[] {
  const request = objectOf(parseJson(bytes), 'the request')
  limits = within
  cutInAll = 0
  const records: LogRecord[] = []
  for (const one of listOf(request, 'resourceLogs', 'resource_logs')) {
    readResourceLogs(objectOf(one, 'resourceLogs'), identities, records)
  }
  if (cutInAll > 0) limits.onCut?.(cutInAll)
  return records
}

function readResourceLogs(group: Json, identities: Identities, records: LogRecord[]): void {
  const about = objectOf(group['resource'] ?? {}, 'resource')
  const schemaUrl = textOf(group, 'schemaUrl', 'schema_url')
  const resource = identities.resource(identityOf(about, schemaUrl), () => resourceOf(about, schemaUrl))
  for (const one of listOf(group, 'scopeLogs', 'scope_logs')) {
    readScopeLogs(objectOf(one, 'scopeLogs'), resource, identities, records)
  }
}

function readScopeLogs(group: Json, resource: Resource, identities: Identities, records: LogRecord[]): void {
  const about = objectOf(group['scope'] ?? {}, 'scope')
  const schemaUrl = textOf(group, 'schemaUrl', 'schema_url')
  const scope = identities.scope(identityOf(about, schemaUrl), () => scopeOf(about, schemaUrl))
  const list = listOf(group, 'logRecords', 'log_records')
  if (records.length + list.length > limits.maxRecords) {
    throw new TooManyRecordsError(limits.maxRecords)
  }
  for (const one of list) records.push(recordOf(objectOf(one, 'logRecords'), resource, scope))
}

/** As deep as JSON can be written again; a description that is deeper than values may be is not shared. */
function identityOf(about: Json, schemaUrl: string): string {
  try {
    return `${schemaUrl}\n${JSON.stringify(about)}`
  } catch {
    throw new RangeError('a resource or scope is nested too deep')
  }
}

function begin(): void {
  attributesSeen = 0
  valuesSeen = 0
  cut = 0
}

function resourceOf(about: Json, schemaUrl: string): Resource {
  begin()
  const list = listOf(about, 'attributes')
  if (list.length === 0 && schemaUrl === '') return EMPTY_RESOURCE
  const attributes = attributesOf(list)
  cutInAll += cut
  return foreignResource(attributes, schemaUrl)
}

function scopeOf(about: Json, schemaUrl: string): Scope {
  begin()
  const version = textOf(about, 'version')
  const list = listOf(about, 'attributes')
  const dropped = droppedCount(int32Of(about, 'droppedAttributesCount', 'dropped_attributes_count'), 0)
  const scope: Scope = {
    name: textOf(about, 'name'),
    ...(version === '' ? {} : { version }),
    ...(list.length === 0 ? {} : { attributes: attributesOf(list) as NonNullable<Scope['attributes']> }),
    ...(dropped === 0 ? {} : { droppedAttributesCount: dropped }),
    ...(schemaUrl === '' ? {} : { schemaUrl }),
  }
  cutInAll += cut
  return Object.freeze(scope)
}

function recordOf(one: Json, resource: Resource, instrumentationScope: Scope): LogRecord {
  begin()
  const body = one['body']
  const record: LogRecord = {
    hrTime: nanosOf(one, 'timeUnixNano', 'time_unix_nano'),
    hrTimeObserved: nanosOf(one, 'observedTimeUnixNano', 'observed_time_unix_nano'),
    eventName: textOf(one, 'eventName', 'event_name'),
    severityNumber: severityNumberOf(one),
    severityText: textOf(one, 'severityText', 'severity_text'),
    body: body === undefined || body === null ? undefined : readValue(body, 0),
    attributes: attributesOf(listOf(one, 'attributes')),
    resource,
    instrumentationScope,
    droppedAttributesCount: droppedCount(int32Of(one, 'droppedAttributesCount', 'dropped_attributes_count'), cut),
  }
  const spanContext = spanContextOf(one)
  if (spanContext !== undefined) record.spanContext = spanContext
  cutInAll += cut
  return record
}

const shapes = new Shapes()

function attributesOf(list: readonly unknown[]): Attributes {
  const keys: string[] = []
  const values: AnyValue[] = []
  for (const one of list) {
    attributesSeen += 1
    if (attributesSeen > limits.maxAttributes) cut += 1
    else if (isAllowed()) {
      const pair = objectOf(one, 'an attribute')
      const value = readValue(pair['value'], 0)
      const key = keyOf(pair)
      if (key === undefined) continue
      keys.push(key)
      values.push(value)
    }
  }
  return shapes.make(keys, values, keys.length)
}

/** Counts one more value, and says no when there were enough. */
function isAllowed(): boolean {
  valuesSeen += 1
  if (valuesSeen <= limits.maxValues) return true
  cut += 1
  return false
}

function put(one: unknown, into: Attributes, depth: number): void {
  const pair = objectOf(one, 'an attribute')
  const value = readValue(pair['value'], depth)
  const key = keyOf(pair)
  if (key !== undefined) into[key] = value
}

/** Undefined for a key that would change what the object inherits. */
function keyOf(pair: Json): string | undefined {
  const key = textOf(pair, 'key')
  if (key !== '__proto__') return key
  cut += 1
  return undefined
}

function readValue(given: unknown, depth: number): AnyValue {
  if (given === undefined || given === null) return null
  const value = objectOf(given, 'a value')
  const text = fieldOf(value, 'stringValue', 'string_value')
  if (text !== undefined) return textOf(value, 'stringValue', 'string_value')
  const integer = fieldOf(value, 'intValue', 'int_value')
  if (integer !== undefined) return integerOf(integer)
  const flag = fieldOf(value, 'boolValue', 'bool_value')
  if (typeof flag === 'boolean') return flag
  if (flag !== undefined) throw new RangeError(`boolValue: expected true or false, found ${JSON.stringify(flag)}`)
  const double = fieldOf(value, 'doubleValue', 'double_value')
  return double === undefined ? nestedOf(value, depth + 1) : numberOf(double)
}

function nestedOf(value: Json, depth: number): AnyValue {
  const bytes = textOf(value, 'bytesValue', 'bytes_value')
  if (bytes !== '') return new Uint8Array(Buffer.from(bytes, 'base64'))
  const array = fieldOf(value, 'arrayValue', 'array_value')
  const map = fieldOf(value, 'kvlistValue', 'kvlist_value')
  if (array === undefined && map === undefined) {
    return fieldOf(value, 'bytesValue', 'bytes_value') === undefined ? null : new Uint8Array(0)
  }
  if (depth > limits.maxDepth) {
    cut += 1
    return null
  }
  return array === undefined ? mapOf(map, depth) : arrayOf(array, depth)
}

function arrayOf(array: unknown, depth: number): AnyValue {
  const list: AnyValue[] = []
  for (const one of listOf(objectOf(array, 'arrayValue'), 'values')) {
    if (isAllowed()) list.push(readValue(one, depth))
  }
  return list
}

function mapOf(map: unknown, depth: number): AnyValue {
  const into: Attributes = {}
  for (const one of listOf(objectOf(map, 'kvlistValue'), 'values')) {
    if (isAllowed()) put(one, into, depth)
  }
  return into
}
