/**
 * OTLP/JSON of log records: `ExportLogsServiceRequest` of opentelemetry-proto (collector/logs/v1), as
 * `JsonLogsSerializer` of `@opentelemetry/otlp-transformer` writes it; a test holds the two equal.
 *
 * The text is put together by concatenation with the part before each attribute's value kept ready, which
 * is a third faster than shaping objects for one `JSON.stringify` and leaves less garbage.
 *
 * Values that proto3 JSON lacks do not poison a request: what is not finite is spelled as the mapping says,
 * integers beyond 2^53 travel as doubles, big integers as text, and deep nesting is cut.
 */
import { escaped, quote } from '../records/json-text.ts'
import type { AnyValue, Attributes, LogRecord, Resource, Scope } from '../records/record.ts'
import { hrTimeToNanosText } from '../records/time.ts'
import { groupRecords, type ResourceGroup } from './groups.ts'
import type { GrowingBuffer } from './growing-buffer.ts'

const MAX_DEPTH = 32
const MAX_CACHED_KEYS = 4096

const keyTexts = new Map<string, string>()
const resourceTexts = new WeakMap<Resource, string>()
const scopeTexts = new WeakMap<Scope, string>()

/** One request, as text. */
export function toOtlpJson(records: readonly LogRecord[]): string {
  let text = ''
  write(records, (part) => {
    text += part
  })
  return text
}

/** One request, as bytes: a view that is valid until `into` is used again. */
export function encodeOtlpJson(records: readonly LogRecord[], into: GrowingBuffer): Buffer {
  // Record by record: one text of megabytes would only be flattened, copied and thrown away.
  write(records, (part) => into.text(part))
  return into.take()
}

function write(records: readonly LogRecord[], out: (part: string) => void): void {
  out('{"resourceLogs":[')
  let between = ''
  for (const { resource, scopes } of groupRecords(records)) {
    out(`${between}{"resource":${cached(resourceTexts, resource, resourceText)},"scopeLogs":[`)
    between = ','
    writeScopes(scopes, out)
    out(`]${schemaUrlText(resource.schemaUrl)}}`)
  }
  out(']}')
}

function writeScopes(scopes: ResourceGroup['scopes'], out: (part: string) => void): void {
  let between = ''
  for (const { scope, records } of scopes) {
    out(`${between}{"scope":${cached(scopeTexts, scope, scopeText)},"logRecords":[`)
    between = ','
    for (let i = 0; i < records.length; i++) out(appendRecord(i === 0 ? '' : ',', records[i] as LogRecord))
    out(`]${schemaUrlText(scope.schemaUrl)}}`)
  }
}

// Plain appending, here and below: a rope of short pieces is what the engine builds fastest.
function appendRecord(before: string, record: LogRecord): string {
  let text = `${before}{"timeUnixNano":"${hrTimeToNanosText(record.hrTime)}`
  text += `","observedTimeUnixNano":"${hrTimeToNanosText(record.hrTimeObserved)}`
  text += `","severityNumber":${record.severityNumber},"severityText":"${escaped(record.severityText)}","body":`
  text += valueText(record.body, 0)
  text += `,"eventName":"${escaped(record.eventName)}","attributes":[`
  text = appendAttributes(text, record.attributes, 0)
  text += `],"droppedAttributesCount":${record.droppedAttributesCount}`
  const { spanContext } = record
  if (spanContext === undefined) return `${text}}`
  return `${text},"flags":${spanContext.traceFlags},"traceId":"${spanContext.traceId}","spanId":"${spanContext.spanId}"}`
}

function resourceText(resource: Resource): string {
  return `{"attributes":${attributesText(resource.attributes, 0)},"droppedAttributesCount":0}`
}

function scopeText({ name, version, attributes, droppedAttributesCount = 0 }: Scope): string {
  const head = `{"name":${quote(name)}${version === undefined ? '' : `,"version":${quote(version)}`}`
  if (attributes === undefined || Object.keys(attributes).length === 0) return `${head}}`
  return `${head},"attributes":${attributesText(attributes, 0)},"droppedAttributesCount":${droppedAttributesCount}}`
}

function schemaUrlText(url: string | undefined): string {
  return url ? `,"schemaUrl":${quote(url)}` : ''
}

/** Attributes without a value (`undefined`) are left out. */
function appendAttributes(before: string, attributes: Readonly<Attributes>, depth: number): string {
  let text = before
  let between = ''
  for (const key in attributes) {
    const value = attributes[key]
    if (value === undefined) continue
    text += between
    between = ','
    text += keyText(key)
    if (typeof value === 'string') {
      text += '{"stringValue":"'
      text += escaped(value)
      text += '"}}'
    } else {
      text += valueText(value, depth)
      text += '}'
    }
  }
  return text
}

function attributesText(attributes: Readonly<Attributes>, depth: number): string {
  return `${appendAttributes('[', attributes, depth)}]`
}

function keyText(key: string): string {
  const known = keyTexts.get(key)
  if (known !== undefined) return known
  const text = `{"key":${quote(key)},"value":`
  // Keys are few, but annotations of an event may become keys: what is over the cap is written, not kept.
  if (keyTexts.size < MAX_CACHED_KEYS) keyTexts.set(key, text)
  return text
}

function valueText(value: AnyValue, depth: number): string {
  switch (typeof value) {
    case 'string':
      return `{"stringValue":${quote(value)}}`
    case 'number':
      if (Number.isSafeInteger(value)) return `{"intValue":${value}}`
      return Number.isFinite(value) ? `{"doubleValue":${value}}` : `{"doubleValue":"${value}"}`
    case 'boolean':
      return value ? '{"boolValue":true}' : '{"boolValue":false}'
    case 'bigint':
      return `{"stringValue":"${value}"}`
    case 'object':
      return value === null || depth >= MAX_DEPTH ? '{}' : objectText(value, depth + 1)
    default:
      return '{}'
  }
}

function objectText(value: object, depth: number): string {
  if (value instanceof Uint8Array) return `{"bytesValue":"${Buffer.from(value).toString('base64')}"}`
  if (!Array.isArray(value)) return `{"kvlistValue":{"values":${attributesText(value as Attributes, depth)}}}`
  return `{"arrayValue":{"values":[${value.map((one) => valueText(one as AnyValue, depth)).join(',')}]}}`
}

function cached<K extends object>(texts: WeakMap<K, string>, key: K, make: (key: K) => string): string {
  const known = texts.get(key)
  if (known !== undefined) return known
  const text = make(key)
  texts.set(key, text)
  return text
}
