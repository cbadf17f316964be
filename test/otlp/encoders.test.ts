import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { GrowingBuffer } from '../../src/otlp/growing-buffer.ts'
import { encodeOtlpJson, toOtlpJson } from '../../src/otlp/json.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import { internResource, internScope } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { decodeOtlp } from '../kit/otlp-decode.ts'
import { record } from '../kit/records.ts'

const writer = new ProtoWriter(16)
const toOtlpProtobuf = (records: readonly LogRecord[]): Buffer => encodeOtlpProtobuf(records, writer)

const JSON_TYPE = 'application/json'
const PROTO_TYPE = 'application/x-protobuf'

const resource = internResource({ 'service.name': 'k8s-audit', 'k8s.cluster.name': 'prod' })
const batch: LogRecord[] = [
  record({}),
  record(
    { text: 'plain', empty: '', quoted: 'say "hi"\\\n\t\u0001', umlaut: 'Grüße, 世界 🎉', long: 'x'.repeat(5000) },
    { resource },
  ),
  record({
    yes: true,
    no: false,
    zero: 0,
    int: 42,
    negative: -7,
    big: 2 ** 40,
    bigNegative: -(2 ** 45),
    double: 0.1,
    small: 5e-324,
  }),
  record(
    { list: ['a', 'b'], numbers: [1, 2.5], mixed: ['x', 1, true], nested: { a: { b: ['c'] }, d: 1 }, none: [] },
    { resource },
  ),
  record({ bytes: new Uint8Array([0, 1, 255]) }, { body: { structured: 'body', n: 1 } }),
  record(
    { 'k8s.audit.id': 'x' },
    { instrumentationScope: internScope('other', '1.2.3'), severityNumber: 17, severityText: 'ERROR' },
  ),
  record(
    {},
    { spanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 } },
  ),
  record({ multi: `${'é'.repeat(41)}`, edge: 'é'.repeat(42), ascii41: 'a'.repeat(41), ascii42: 'a'.repeat(42) }),
]

test('JSON is equal to what the serializer of the SDK writes', () => {
  const ours = JSON.parse(toOtlpJson(batch))
  const theirs = JSON.parse(Buffer.from(JsonLogsSerializer.serializeRequest(batch) as Uint8Array).toString())
  assert.deepEqual(ours, theirs)
})

test('protobuf decodes to the same as what the serializer of the SDK writes', () => {
  const ours = decodeOtlp(Buffer.from(toOtlpProtobuf(batch)), PROTO_TYPE)
  const theirs = decodeOtlp(Buffer.from(ProtobufLogsSerializer.serializeRequest(batch) as Uint8Array), PROTO_TYPE)
  assert.equal(ours.length, batch.length)
  assert.deepEqual(ours, theirs)
})

test('JSON as bytes is the text, also when the buffer is used again', () => {
  const buffer = new GrowingBuffer(16)
  for (const records of [batch, batch.slice(3), batch]) {
    assert.equal(encodeOtlpJson(records, buffer).toString('utf8'), toOtlpJson(records))
  }
})

test('both encodings say the same', () => {
  const json = decodeOtlp(Buffer.from(toOtlpJson(batch)), JSON_TYPE)
  const proto = decodeOtlp(Buffer.from(toOtlpProtobuf(batch)), PROTO_TYPE)
  assert.deepEqual(JSON.parse(JSON.stringify(json)), JSON.parse(JSON.stringify(proto)))
})

test('a resource and a scope of the SDK with schema URLs are kept', () => {
  const withUrls = record(
    {},
    {
      resource: { ...resource, attributes: { a: 'b' }, schemaUrl: 'https://example.com/1' } as LogRecord['resource'],
      instrumentationScope: { name: 's', version: '1', schemaUrl: 'https://example.com/2', attributes: { x: 1 } },
    },
  )
  const theirs = JSON.parse(Buffer.from(JsonLogsSerializer.serializeRequest([withUrls]) as Uint8Array).toString())
  // The SDK repeats the URL inside the resource, where the protocol has no such field.
  delete theirs.resourceLogs[0].resource.schemaUrl
  assert.deepEqual(JSON.parse(toOtlpJson([withUrls])), theirs)
})

const poison: { name: string; value: unknown; json: unknown; proto: unknown }[] = [
  { name: 'NaN', value: Number.NaN, json: { doubleValue: 'NaN' }, proto: Number.NaN },
  {
    name: 'infinity',
    value: Number.POSITIVE_INFINITY,
    json: { doubleValue: 'Infinity' },
    proto: Number.POSITIVE_INFINITY,
  },
  { name: 'an integer beyond int64', value: 1e21, json: { doubleValue: 1e21 }, proto: 1e21 },
  {
    name: 'a big integer',
    value: 12345678901234567890n,
    json: { stringValue: '12345678901234567890' },
    proto: '12345678901234567890',
  },
  { name: 'null', value: null, json: {}, proto: undefined },
  { name: 'a lone surrogate', value: 'a\ud800b', json: { stringValue: 'a\ufffdb' }, proto: 'a\ufffdb' },
]
for (const { name, value, json, proto } of poison) {
  test(`${name} does not poison a request`, () => {
    const one = record({ value: value as never })
    const [parsed] = JSON.parse(toOtlpJson([one])).resourceLogs[0].scopeLogs[0].logRecords[0].attributes
    assert.deepEqual(parsed, { key: 'value', value: json })
    const [decoded] = decodeOtlp(Buffer.from(toOtlpProtobuf([one])), PROTO_TYPE)
    assert.deepEqual(decoded?.attributes, { value: proto })
  })
}

test('an attribute without a value is left out', () => {
  const one = record({ gone: undefined, there: 1 })
  assert.deepEqual(decodeOtlp(Buffer.from(toOtlpJson([one])), JSON_TYPE)[0]?.attributes, { there: 1 })
  assert.deepEqual(decodeOtlp(Buffer.from(toOtlpProtobuf([one])), PROTO_TYPE)[0]?.attributes, { there: 1 })
})

test('endless nesting is cut instead of overflowing the stack', () => {
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  const one = record({ loop: loop as never })
  assert(toOtlpJson([one]).length < 100_000)
  assert(toOtlpProtobuf([one]).length < 100_000)
})

test('random records decode to themselves in both encodings', () => {
  let state = 7
  const roll = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % n
  }
  const alphabet = ['a', 'Z', '"', '\\', '\n', 'é', '世', '🎉', '\u0000', ' ', '/']
  const word = (): string => Array.from({ length: roll(60) }, () => alphabet[roll(alphabet.length)]).join('')
  const value = (depth: number): unknown => {
    const kind = roll(depth > 3 ? 4 : 6)
    if (kind === 0) return word()
    if (kind === 1) return roll(2) === 0
    if (kind === 2) return roll(1 << 30) - (1 << 29)
    if (kind === 3) return roll(1000) / 7 + 0.001
    if (kind === 4) return Array.from({ length: roll(4) }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length: roll(4) }, (_, i) => [`k${i}`, value(depth + 1)]))
  }
  for (let i = 0; i < 200; i++) {
    const attributes = Object.fromEntries(Array.from({ length: roll(10) }, (_, j) => [`${word()}${j}`, value(0)]))
    const one = record(attributes as never, { body: word() })
    for (const decoded of [
      decodeOtlp(Buffer.from(toOtlpJson([one])), JSON_TYPE)[0],
      decodeOtlp(Buffer.from(toOtlpProtobuf([one])), PROTO_TYPE)[0],
    ]) {
      assert.deepEqual(decoded?.attributes, attributes)
      assert.equal(decoded?.body, one.body)
    }
  }
})
