/**
 * Log records of OTLP/protobuf, read in one pass by hand: the messages and their fields stand in `protobuf.ts`.
 *
 * The bytes may come from anywhere. Broken ones throw a `RangeError` that says what and where; valid ones that are
 * more than `limits` allow are cut, and what was cut is added to `droppedAttributesCount`.
 */
import { EMPTY_RESOURCE, foreignResource } from '../records/interning.ts'
import type { Attributes, HrTime, LogRecord, Resource, Scope } from '../records/record.ts'
import {
  beginItem,
  beginRequest,
  cutFromItem,
  endRequest,
  limits,
  readAttribute,
  reader,
  readValue,
  takeAttributes,
} from './decode-values.ts'
import { Identities } from './identities.ts'
import { type DecodeLimits, droppedCount, knownSeverity, OWN_LIMITS, TooManyRecordsError } from './limits.ts'

/** Where descriptions of resources and scopes are found again: set by the only entry, which nothing interrupts. */
let known = new Identities()

/**
 * The records of one request, in its order. Resources and scopes that are the same in its bytes are one object, also
 * across requests that are read with the same `identities`.
 */
export function decodeOtlpProtobuf(
  bytes: Uint8Array,
  within: DecodeLimits = OWN_LIMITS,
  identities = new Identities(),
): LogRecord[] {
  beginRequest(bytes, within)
  known = identities
  let isRead = false
  try {
    const records: LogRecord[] = []
    const end = bytes.length
    while (reader.hasMore(end)) {
      const tag = reader.tag()
      if (tag === 0x0a) readResourceLogs(reader.end(end), records)
      else reader.skip(tag, end)
    }
    isRead = true
    return records
  } finally {
    known = new Identities()
    const cut = endRequest()
    if (isRead && cut > 0) within.onCut?.(cut)
  }
}

/** Where the parts are that describe a group: they may stand behind its records. */
interface Frame {
  from: number
  end: number
  schemaUrl: string
}

/** Looks through a message for its field 1 (resource or scope) and its field 3 (schema URL). */
function frame(end: number): Frame {
  const start = reader.at
  const found: Frame = { from: start, end: start, schemaUrl: '' }
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x0a) {
      found.end = reader.end(end)
      found.from = reader.at
      reader.rewind(found.end)
    } else if (tag === 0x1a) found.schemaUrl = reader.text(reader.end(end))
    else reader.skip(tag, end)
  }
  reader.rewind(start)
  return found
}

function readResourceLogs(end: number, records: LogRecord[]): void {
  const about = frame(end)
  const resource = known.resource(keyOf(about), () => within(about, readResource))
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x12) readScopeLogs(reader.end(end), resource, records)
    else reader.skip(tag, end)
  }
}

function readScopeLogs(end: number, resource: Resource, records: LogRecord[]): void {
  const about = frame(end)
  const scope = known.scope(keyOf(about), () => within(about, readScope))
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x12) {
      if (records.length >= limits.maxRecords) {
        throw new TooManyRecordsError(limits.maxRecords)
      }
      records.push(readRecord(reader.end(end), resource, scope))
    } else reader.skip(tag, end)
  }
}

function keyOf({ from, end, schemaUrl }: Frame): string {
  return `${schemaUrl}\n${reader.raw(from, end)}`
}

/** Reads what a frame points at, and returns to where the reader was. */
function within<T>(about: Frame, read: (end: number, schemaUrl: string) => T): T {
  const back = reader.at
  reader.rewind(about.from)
  beginItem()
  const made = read(about.end, about.schemaUrl)
  reader.rewind(back)
  return made
}

function readResource(end: number, schemaUrl: string): Resource {
  let isEmpty = true
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag !== 0x0a) reader.skip(tag, end)
    else {
      isEmpty = false
      readAttribute(tag, end)
    }
  }
  return isEmpty && schemaUrl === '' ? EMPTY_RESOURCE : foreignResource(takeAttributes(), schemaUrl)
}

function readScope(end: number, schemaUrl: string): Scope {
  const scope: { -readonly [K in keyof Scope]: Scope[K] } = { name: '' }
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x0a) scope.name = reader.text(reader.end(end))
    else if (tag === 0x12) scope.version = reader.text(reader.end(end))
    else if (tag === 0x1a) {
      readAttribute(tag, end)
    } else if (tag === 0x20) scope.droppedAttributesCount = droppedCount(reader.uint32(), 0)
    else reader.skip(tag, end)
  }
  const attributes = takeAttributes()
  if (Object.keys(attributes).length > 0) scope.attributes = attributes as NonNullable<Scope['attributes']>
  if (schemaUrl !== '') scope.schemaUrl = schemaUrl
  return Object.freeze(scope)
}

function readRecord(end: number, resource: Resource, instrumentationScope: Scope): LogRecord {
  const record: LogRecord = {
    hrTime: UNKNOWN_TIME,
    hrTimeObserved: UNKNOWN_TIME,
    eventName: '',
    severityNumber: 0,
    severityText: '',
    body: undefined,
    attributes: NONE,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
  }
  beginItem()
  while (reader.hasMore(end)) {
    const tag = reader.tag()
    if (tag === 0x32) readAttribute(tag, end)
    else readField(tag, record, end)
  }
  record.attributes = takeAttributes()
  const cut = cutFromItem()
  if (cut > 0) record.droppedAttributesCount = droppedCount(record.droppedAttributesCount, cut)
  return record
}

const NONE: Attributes = {}
const UNKNOWN_TIME = Object.freeze([0, 0]) as unknown as HrTime

function readField(tag: number, record: LogRecord, end: number): void {
  switch (tag) {
    case 0x09:
      record.hrTime = reader.nanos(end)
      break
    case 0x10:
      record.severityNumber = knownSeverity(reader.uint32())
      break
    case 0x1a:
      record.severityText = reader.text(reader.end(end))
      break
    case 0x2a:
      record.body = readValue(reader.end(end), 0)
      break
    case 0x38:
      record.droppedAttributesCount = droppedCount(reader.uint32(), 0)
      break
    case 0x59:
      record.hrTimeObserved = reader.nanos(end)
      break
    case 0x62:
      record.eventName = reader.text(reader.end(end))
      break
    default:
      readSpan(tag, record, end)
  }
}

const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/** The trace that a record belongs to. The lower byte of the flags is that of the trace. */
function readSpan(tag: number, record: LogRecord, end: number): void {
  if (tag !== 0x45 && tag !== 0x4a && tag !== 0x52) {
    reader.skip(tag, end)
    return
  }
  const { traceId, spanId, traceFlags } = record.spanContext ?? { traceId: NO_TRACE, spanId: NO_SPAN, traceFlags: 0 }
  if (tag === 0x45) {
    const flags = reader.fixed32(end) & 0xff
    if (flags !== 0 || record.spanContext !== undefined) record.spanContext = { traceId, spanId, traceFlags: flags }
    return
  }
  const length = tag === 0x4a ? 16 : 8
  const stop = reader.end(end)
  const id = stop - reader.at === length ? reader.hex(stop) : ''
  reader.rewind(stop)
  if (id === '') return
  record.spanContext = tag === 0x4a ? { traceId: id, spanId, traceFlags } : { traceId, spanId: id, traceFlags }
}
