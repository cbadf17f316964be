import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { decodeOtlpProtobuf } from '../../src/otlp/decode-protobuf.ts'
import { Identities } from '../../src/otlp/identities.ts'
import { type DecodeLimits, OWN_LIMITS } from '../../src/otlp/limits.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import { internResource, internScope } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

const encode = (...records: LogRecord[]): Buffer => Buffer.from(encodeOtlpProtobuf(records, new ProtoWriter(16)))
const roundTrip = (...records: LogRecord[]): LogRecord[] => decodeOtlpProtobuf(encode(...records))

const resource = internResource({ 'service.name': 'k8s-audit', nested: { a: [1, 'x'] } })
const everything = record(
  {
    text: 'plain',
    empty: '',
    umlaut: 'Grüße, 世界 🎉',
    long: 'x'.repeat(5000),
    yes: true,
    no: false,
    zero: 0,
    int: 42,
    negative: -7,
    big: 2 ** 40,
    bigNegative: -(2 ** 45),
    largest: Number.MAX_SAFE_INTEGER,
    smallest: Number.MIN_SAFE_INTEGER,
    double: 0.1,
    small: 5e-324,
    huge: 1e300,
    list: ['a', 'b'],
    mixed: ['x', 1, true, null, ['y', { z: 1 }]],
    map: { a: { b: ['c'] }, d: 1, empty: {} },
    none: [],
    nothing: null,
    bytes: new Uint8Array([0, 1, 255]),
    constructor: 'harmless',
    7: 'seven',
  } as never,
  {
    resource,
    instrumentationScope: internScope('scope', '1.2.3'),
    body: { structured: 'body', n: [1, 2] },
    eventName: 'k8s.audit',
    severityNumber: 17,
    severityText: 'ERROR',
    droppedAttributesCount: 3,
    spanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 },
  },
)

/** Without the prototypes, which are of different classes. */
const plain = (records: readonly LogRecord[]): unknown =>
  records.map((one) => ({ ...one, resource: { ...one.resource.attributes } }))

test('what the encoder wrote is read back equal', () => {
  // In the order of their resources, by which requests are grouped.
  const batch = [everything, record({ a: 1 }, { resource, body: undefined }), record({}), record({}, { body: null })]
  assert.deepEqual(plain(roundTrip(...batch)), plain(batch))
})

test('what the SDK wrote is read equal', () => {
  const { nothing: _, mixed: __, ...attributes } = everything.attributes
  const one = { ...everything, attributes }
  const bytes = ProtobufLogsSerializer.serializeRequest([one, record({})]) as Uint8Array
  const [first, second] = decodeOtlpProtobuf(bytes)
  assert.deepEqual(plain([first as LogRecord]), plain([one]))
  assert.equal(second?.body, 'hello')
})

test('records of one resource and scope share one object each, also where groups repeat', () => {
  const other = internResource({ other: 1 })
  const parts = [record({}, { resource }), record({}, { resource: other }), record({}, { resource })]
  const bytes = Buffer.concat(parts.map((one) => encode(one)))
  const [a, b, c] = decodeOtlpProtobuf(bytes)
  assert.equal(a?.resource, c?.resource)
  assert.equal(a?.instrumentationScope, c?.instrumentationScope)
  assert.notEqual(a?.resource, b?.resource)
  const identities = new Identities()
  const [first] = decodeOtlpProtobuf(bytes, OWN_LIMITS, identities)
  const [again] = decodeOtlpProtobuf(bytes, OWN_LIMITS, identities)
  assert.equal(first?.resource, again?.resource, 'also from one request to the next')
})

test('every time that OTLP carries comes back to the nanosecond', () => {
  let state = 1
  const roll = (n: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  const times: [number, number][] = [
    [0, 1],
    [0, 999_999_999],
    [1, 0],
    [4, 294_967_296],
    [18_446_744_072, 999_999_999],
  ]
  for (let i = 0; i < 20_000; i++)
    times.push([roll(2 ** 31) * 8 + roll(8), [0, 999_999_999, roll(1e9)][roll(3)] as number])
  const decoded = roundTrip(...times.map((hrTime) => record({}, { hrTime })))
  assert.deepEqual(
    decoded.map(({ hrTime }) => hrTime),
    times,
  )
})

/* Messages by hand: what no encoder of ours writes. */
const field = (tag: number, ...inside: (number | Buffer)[]): Buffer => {
  const body = Buffer.concat(inside.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)))
  const length: number[] = []
  for (let rest = body.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const text = (tag: number, value: string): Buffer => field(tag, Buffer.from(value))
const request = (...fields: Buffer[]): Buffer => field(0x0a, field(0x12, field(0x12, ...fields)))
const attribute = (key: string, ...value: (number | Buffer)[]): Buffer =>
  field(0x32, text(0x0a, key), field(0x12, ...value))
const one = (...fields: Buffer[]): LogRecord => decodeOtlpProtobuf(request(...fields))[0] as LogRecord

test('an empty record decodes to what protobuf says: nothing is made up', () => {
  assert.deepEqual(plain([one()]), [
    {
      hrTime: [0, 0],
      hrTimeObserved: [0, 0],
      eventName: '',
      severityNumber: 0,
      severityText: '',
      body: undefined,
      attributes: {},
      resource: {},
      instrumentationScope: { name: '' },
      droppedAttributesCount: 0,
    },
  ])
})

const ints: [bytes: number[], value: unknown][] = [
  [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -1],
  [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], '9223372036854775807'],
  [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], '-9223372036854775808'],
  [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], '9007199254740992'],
  [[0x81, 0x80, 0x80, 0x00], 1],
]
for (const [bytes, value] of ints) {
  test(`the integer ${value} keeps its digits`, () => {
    assert.deepEqual(one(attribute('n', 0x18, Buffer.from(bytes))).attributes, { n: value })
  })
}

test('numbers that are not finite become text, since records hold finite ones only', () => {
  const double = (value: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    return bytes
  }
  const decoded = one(attribute('n', 0x21, double(Number.NaN)), attribute('i', 0x21, double(-1 / 0)))
  assert.deepEqual(decoded.attributes, { n: 'NaN', i: '-Infinity' })
})

test('the last of two equal keys wins, and of two values', () => {
  const decoded = one(attribute('k', text(0x0a, 'first')), attribute('k', text(0x0a, 'x'), 0x18, 5))
  assert.deepEqual(decoded.attributes, { k: 5 })
})

test('a key that would change what objects inherit is left out and counted', () => {
  const map = field(0x32, field(0x0a, text(0x0a, '__proto__'), field(0x12, field(0x32))), field(0x0a, text(0x0a, 'ok')))
  const decoded = one(attribute('__proto__', map), attribute('map', map))
  assert.deepEqual(decoded.attributes, { map: { ok: null } })
  assert.equal(Object.getPrototypeOf(decoded.attributes), Object.prototype)
  assert.equal(decoded.droppedAttributesCount, 3)
})

test('a description may stand behind the records it describes', () => {
  const scopeLogs = field(0x12, field(0x12), text(0x1a, 'https://scope'), field(0x0a, text(0x0a, 'late')))
  const about = field(0x0a, field(0x0a, text(0x0a, 'k'), field(0x12, text(0x0a, 'v'))))
  const [decoded] = decodeOtlpProtobuf(field(0x0a, scopeLogs, text(0x1a, 'https://resource'), about))
  assert.deepEqual(decoded?.resource.attributes, { k: 'v' })
  assert.equal(decoded?.resource.schemaUrl, 'https://resource')
  assert.deepEqual(decoded?.instrumentationScope, { name: 'late', schemaUrl: 'https://scope' })
})

test('fields that are not known are passed over, whatever their type', () => {
  const unknown = [
    Buffer.from([0xa0, 0x06, 0xff, 0x01]),
    Buffer.from([0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([0xa2, 0x06, 2, 9, 9]),
    Buffer.from([0xa5, 0x06, 1, 2, 3, 4]),
  ]
  const decoded = one(...unknown, text(0x62, 'event'), ...unknown)
  assert.equal(decoded.eventName, 'event')
})

test('a severity that does not exist is none, and a trace of the wrong length no trace', () => {
  const decoded = one(Buffer.from([0x10, 0x63]), field(0x4a, Buffer.alloc(15, 1)), field(0x52, Buffer.alloc(0)))
  assert.equal(decoded.severityNumber, 0)
  assert.equal(decoded.spanContext, undefined)
})

test('what is not UTF-8 becomes U+FFFD', () => {
  const decoded = one(attribute('k', field(0x0a, 0x61, 0xff, 0x62)), field(0x62, 0xc0), text(0x1a, 'ü'))
  assert.deepEqual([decoded.attributes['k'], decoded.eventName, decoded.severityText], ['a\ufffdb', '\ufffd', 'ü'])
})

const TIGHT: DecodeLimits = { maxRecords: 2, maxAttributes: 3, maxValues: 10, maxDepth: 2 }

test('attributes, values and levels beyond the limits are left out and counted', () => {
  let cut = 0
  const within = { ...TIGHT, onCut: (values: number) => void (cut += values) }
  const decode = (attributes: object): LogRecord =>
    decodeOtlpProtobuf(encode(record(attributes as never)), within)[0] as LogRecord
  const many = decode({ a: 1, b: 2, c: 3, d: 4, e: 5 })
  assert.deepEqual([many.attributes, many.droppedAttributesCount], [{ a: 1, b: 2, c: 3 }, 2])
  const long = decode({ list: Array.from({ length: 100 }, (_, i) => i) })
  assert.deepEqual([long.attributes, long.droppedAttributesCount], [{ list: [0, 1, 2, 3, 4, 5, 6, 7, 8] }, 91])
  const deep = decode({ a: { b: { c: { d: 1 } } } })
  assert.deepEqual([deep.attributes, deep.droppedAttributesCount], [{ a: { b: { c: null } } }, 1])
  assert.equal(cut, 2 + 91 + 1)
})

test('more records than allowed are refused as a whole, in words', () => {
  assert.equal(decodeOtlpProtobuf(encode(record(), record()), TIGHT).length, 2)
  assert.throws(() => decodeOtlpProtobuf(encode(record(), record(), record()), TIGHT), /more than 2 records/)
})

test('a resource of a request is bounded and enters no table of ours', () => {
  const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i]))
  const wide = { ...resource, attributes } as LogRecord['resource']
  const [decoded] = decodeOtlpProtobuf(encode(record({}, { resource: wide })), TIGHT)
  assert.deepEqual(decoded?.resource.attributes, { k0: 0, k1: 1, k2: 2 })
})

test('a request cut off anywhere throws a RangeError in words', () => {
  const whole = encode(everything, { ...record({ a: 1 }), resource })
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => decodeOtlpProtobuf(whole.subarray(0, length)), {
      name: 'RangeError',
      message: /^truncated protobuf: .* at byte \d+$/,
    })
  }
})

const broken: { name: string; bytes: number[]; message: RegExp }[] = [
  { name: 'a length beyond the end', bytes: [0x0a, 0x05, 0x00], message: /goes past the end/ },
  {
    name: 'a huge length',
    bytes: [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    message: /past the end/,
  },
  { name: 'a negative length', bytes: [0x0a, ...Array(9).fill(0xff), 0x01], message: /past the end/ },
  {
    name: 'a length that only its lower half fits',
    bytes: [0x0a, 0x80, 0x80, 0x80, 0x80, 0x10],
    message: /past the end/,
  },
  { name: 'a number of eleven bytes', bytes: [0x10, ...Array(10).fill(0xff), 0x01], message: /longer than ten bytes/ },
  { name: 'a tag of eleven bytes', bytes: [...Array(10).fill(0xff), 0x01], message: /longer than ten bytes/ },
  { name: 'a group', bytes: [0x0b], message: /wire type 3/ },
  { name: 'a wire type that does not exist', bytes: [0x0f], message: /wire type 7/ },
  { name: 'field 0', bytes: [0x02, 0x00], message: /no field 0/ },
  { name: 'an unfinished number', bytes: [0x10, 0x80], message: /ends within a number/ },
  { name: 'an unfinished fixed64', bytes: [0x11, 1, 2, 3], message: /goes past the end/ },
  {
    name: 'a field that leaves its message',
    bytes: [0x0a, 0x02, 0x10, 0x80, 0x01],
    message: /past the end of its message/,
  },
]
for (const { name, bytes, message } of broken) {
  test(`${name} is refused in words`, () => {
    assert.throws(() => decodeOtlpProtobuf(Buffer.from(bytes)), { name: 'RangeError', message })
  })
}

test('nesting as deep as a request can be neither overflows nor takes long', () => {
  let nested: Buffer = Buffer.alloc(0)
  for (let i = 0; i < 20_000; i++) nested = field(0x2a, field(0x0a, nested))
  const decoded = one(attribute('deep', nested))
  assert.equal(decoded.droppedAttributesCount, 1)
})
