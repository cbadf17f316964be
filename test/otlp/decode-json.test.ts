import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer'
import { decodeOtlpJson } from '../../src/otlp/decode-json.ts'
import { Identities } from '../../src/otlp/identities.ts'
import { toOtlpJson } from '../../src/otlp/json.ts'
import { type DecodeLimits, OWN_LIMITS } from '../../src/otlp/limits.ts'
import { internResource, internScope } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

const bytesOf = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const decode = (value: unknown, limits?: DecodeLimits): LogRecord[] => decodeOtlpJson(bytesOf(value), limits)
const request = (...logRecords: object[]): object => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
const one = (fields: object): LogRecord => decode(request(fields))[0] as LogRecord
const readValue = (value: unknown): unknown => one({ attributes: [{ key: 'k', value }] }).attributes['k']

const resource = internResource({ 'service.name': 'k8s-audit', nested: { a: [1, 'x'] } })
const everything = record(
  {
    text: 'plain "quoted"\n',
    umlaut: 'Grüße, 世界 🎉',
    yes: true,
    no: false,
    zero: 0,
    negative: -7,
    big: 2 ** 40,
    largest: Number.MAX_SAFE_INTEGER,
    smallest: Number.MIN_SAFE_INTEGER,
    double: 0.1,
    small: 5e-324,
    huge: 1e300,
    mixed: ['x', 1, true, null, ['y', { z: 1 }]],
    map: { a: { b: ['c'] }, d: 1, empty: {} },
    none: [],
    nothing: null,
    bytes: new Uint8Array([0, 1, 255]),
    noBytes: new Uint8Array(0),
  } as never,
  {
    resource,
    instrumentationScope: internScope('scope', '1.2.3'),
    body: { structured: 'body', n: [1, 2] },
    severityNumber: 17,
    severityText: 'ERROR',
    droppedAttributesCount: 3,
    spanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 },
  },
)
const plain = (records: readonly LogRecord[]): unknown =>
  records.map((each) => ({ ...each, resource: { ...each.resource.attributes } }))

test('what the encoder wrote is read back equal', () => {
  const batch = [everything, record({ a: 1 }, { resource }), record({})]
  assert.deepEqual(plain(decode(toOtlpJson(batch))), plain(batch))
})

test('what the SDK wrote is read equal', () => {
  const bytes = JsonLogsSerializer.serializeRequest([everything]) as Uint8Array
  assert.deepEqual(plain(decodeOtlpJson(bytes)), plain([everything]))
})

test('a request with every field as the specification spells it', () => {
  const decoded = one({
    timeUnixNano: '1544712660300000001',
    observedTimeUnixNano: 1544712660300000000,
    severityNumber: 10,
    severityText: 'Information',
    traceId: '5B8EFFF798038103D269B633813FC60C',
    spanId: 'EEE19B7EC3C1B174',
    flags: 257,
    eventName: 'browser.page_view',
    body: { stringValue: 'Example' },
    attributes: [{ key: 'a', value: { intValue: '-9007199254740993' } }],
    droppedAttributesCount: '2',
    entirelyUnknown: { x: [1] },
  })
  assert.deepEqual(
    { ...decoded, resource: undefined, instrumentationScope: undefined },
    {
      hrTime: [1544712660, 300000001],
      hrTimeObserved: [1544712660, 300000000],
      eventName: 'browser.page_view',
      severityNumber: 10,
      severityText: 'Information',
      body: 'Example',
      attributes: { a: '-9007199254740993' },
      resource: undefined,
      instrumentationScope: undefined,
      droppedAttributesCount: 2,
      spanContext: { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', traceFlags: 1 },
    },
  )
})

test('original field names are understood, because ignoring them would lose data without a word', () => {
  const [decoded] = decode({
    resource_logs: [
      {
        resource: { attributes: [{ key: 'r', value: { string_value: 'x' } }] },
        schema_url: 'https://r',
        scope_logs: [
          {
            scope: { name: 's' },
            log_records: [
              {
                time_unix_nano: '1000000001',
                severity_number: 'SEVERITY_NUMBER_WARN2',
                event_name: 'e',
                attributes: [{ key: 'l', value: { array_value: { values: [{ int_value: 1 }] } } }],
              },
            ],
          },
        ],
      },
    ],
  })
  assert.deepEqual(
    [decoded?.resource.attributes, decoded?.resource.schemaUrl, decoded?.instrumentationScope.name, decoded?.hrTime],
    [{ r: 'x' }, 'https://r', 's', [1, 1]],
  )
  assert.deepEqual([decoded?.severityNumber, decoded?.eventName, decoded?.attributes], [14, 'e', { l: [1] }])
})

const values: [given: unknown, read: unknown][] = [
  [{ intValue: '5' }, 5],
  [{ intValue: 5 }, 5],
  [{ intValue: '9223372036854775807' }, '9223372036854775807'],
  [{ doubleValue: '1.5' }, 1.5],
  [{ doubleValue: 3 }, 3],
  [{ doubleValue: 'NaN' }, 'NaN'],
  [{ doubleValue: '-Infinity' }, '-Infinity'],
  [{ boolValue: false }, false],
  [{ stringValue: '' }, ''],
  [{ stringValue: null, intValue: 1 }, 1],
  [{ stringValue: 'a\ud800b' }, 'a\ufffdb'],
  [{ bytesValue: '' }, new Uint8Array(0)],
  [{ bytesValue: 'AAH/' }, new Uint8Array([0, 1, 255])],
  [{ bytesValue: 'AAH_' }, new Uint8Array([0, 1, 255])],
  [{ arrayValue: {} }, []],
  [{ kvlistValue: { values: null } }, {}],
  [{}, null],
  [null, null],
  [undefined, null],
  [{ somethingNew: 1 }, null],
]
for (const [given, read] of values) {
  test(`the value ${JSON.stringify(given)} is read`, () => assert.deepEqual(readValue(given), read))
}

test('an integer that is written as a number keeps its digits, too', () => {
  const text = JSON.stringify(request({ attributes: [{ key: 'k', value: { intValue: 0 } }], timeUnixNano: 1 }))
  const [decoded] = decode(
    text.replace('"intValue":0', '"intValue":9007199254740993').replace('Nano":1', 'Nano":1544712660300000001'),
  )
  assert.deepEqual([decoded?.attributes, decoded?.hrTime], [{ k: '9007199254740993' }, [1544712660, 300000001]])
})

test('null is "not set" wherever it stands', () => {
  const fields = [
    'timeUnixNano',
    'severityNumber',
    'severityText',
    'body',
    'attributes',
    'flags',
    'traceId',
    'eventName',
  ]
  const decoded = one(Object.fromEntries(fields.map((name) => [name, null])))
  assert.deepEqual([decoded.hrTime, decoded.body, decoded.attributes], [[0, 0], undefined, {}])
  for (const nothing of [{}, { resourceLogs: null }, { resourceLogs: [] }, { resourceLogs: [{ scopeLogs: null }] }]) {
    assert.deepEqual(decode(nothing), [])
  }
})

test('keys that would change what objects inherit are left out and counted', () => {
  const text =
    '[{"key":"__proto__","value":{"kvlistValue":{"values":[{"key":"x","value":{}}]}}},{"key":"toString","value":{"intValue":1}}]'
  const decoded = decode(
    JSON.stringify(request({ attributes: 0 })).replace('"attributes":0', `"attributes":${text},"__proto__":{"a":1}`),
  )
  assert.deepEqual(decoded[0]?.attributes, { toString: 1 })
  assert.equal(Object.getPrototypeOf(decoded[0]?.attributes), Object.prototype)
  assert.equal(decoded[0]?.droppedAttributesCount, 1)
})

const broken: [given: unknown, message: RegExp][] = [
  ['', /^not JSON: it ends too early/],
  ['{"resourceLogs":', /^not JSON: it ends too early/],
  ['{"secret":hunter2}', /^not JSON: unexpected text$/],
  [[], /the request: expected an object, found a list/],
  ['null', /the request: expected an object, found null/],
  [{ resourceLogs: {} }, /resourceLogs: expected a list, found an object/],
  [{ resourceLogs: [1] }, /resourceLogs: expected an object, found 1/],
  [{ resourceLogs: [{ resource: [] }] }, /resource: expected an object, found a list/],
  [request({ attributes: 'x' }), /attributes: expected a list, found other text/],
  [request({ attributes: [null] }), /an attribute: expected an object, found null/],
  [request({ attributes: [{ key: 7 }] }), /key: expected text, found 7/],
  [request({ body: 'plain text' }), /a value: expected an object, found other text/],
  [request({ body: { intValue: '1.5' } }), /intValue: expected an integer/],
  [request({ body: { doubleValue: 'much' } }), /doubleValue: expected a number/],
  [request({ body: { boolValue: 'yes' } }), /boolValue: expected true or false/],
  [request({ timeUnixNano: '2024-01-01' }), /timeUnixNano: expected nanoseconds since 1970/],
  [request({ timeUnixNano: -5 }), /timeUnixNano: expected nanoseconds since 1970/],
  [request({ severityText: 9 }), /severityText: expected text, found 9/],
  [request({ flags: 'many' }), /flags: expected a number/],
]
for (const [given, message] of broken) {
  test(`${typeof given === 'string' ? given || 'nothing' : JSON.stringify(given)} is refused in words`, () => {
    assert.throws(() => decode(given), { name: 'RangeError', message })
  })
}

test('attributes, values, levels and records beyond the limits', () => {
  let cut = 0
  const limits = { maxRecords: 2, maxAttributes: 3, maxValues: 10, maxDepth: 2, onCut: (n: number) => void (cut += n) }
  const limited = (attributes: object): LogRecord =>
    decode(toOtlpJson([record(attributes as never)]), limits)[0] as LogRecord
  const many = limited({ a: 1, b: 2, c: 3, d: 4, e: 5 })
  assert.deepEqual([many.attributes, many.droppedAttributesCount], [{ a: 1, b: 2, c: 3 }, 2])
  const long = limited({ list: Array.from({ length: 100 }, (_, i) => i) })
  assert.deepEqual([long.attributes, long.droppedAttributesCount], [{ list: [0, 1, 2, 3, 4, 5, 6, 7, 8] }, 91])
  const deep = limited({ a: { b: { c: { d: 1 } } } })
  assert.deepEqual([deep.attributes, deep.droppedAttributesCount], [{ a: { b: { c: null } } }, 1])
  assert.equal(cut, 94)
  assert.throws(() => decode(request({}, {}, {}), limits), /more than 2 records: send smaller batches/)
})

const DEEP = 200_000
const deep: Record<string, string> = {
  lists: '['.repeat(DEEP) + ']'.repeat(DEEP),
  'lists that never end': '['.repeat(DEEP),
  objects: `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
  'an unknown field': `{"x":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`,
  'an unknown field beside a large integer': `{"n":12345678901234567890,"x":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`,
  'a resource': `{"resourceLogs":[{"resource":{"x":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}}]}`,
  values: `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":{"values":['.repeat(DEEP)}${']}}'.repeat(DEEP)}}]}]}]}`,
}
for (const [name, text] of Object.entries(deep)) {
  test(`deep nesting cannot overflow the stack: ${name}`, () => {
    try {
      const records = decode(text)
      assert(records.every(({ droppedAttributesCount }) => droppedAttributesCount === 1))
    } catch (error) {
      assert(error instanceof RangeError)
      assert.match(
        error.message,
        /^(not JSON: it is nested too deep|not JSON: it ends too early|the request: expected|a resource or scope is nested too deep)/,
      )
    }
  })
}

test('a text that would become far more in memory is refused before it is parsed', () => {
  for (const text of [`[${'{},'.repeat(1_600_000)}{}]`, `{${'"a":0,'.repeat(4_100_000)}"b":0}`]) {
    assert.throws(() => decode(`{"unknown":${text}}`), { name: 'RangeError', message: /too many objects for its size/ })
  }
})

test('brackets and quotes within texts are no shape', () => {
  const text = `${'[{:"\\'.repeat(20_000)}`
  assert.equal(one({ body: { stringValue: text } }).body, text)
})

test('the same resource and scope are one object, also across requests', () => {
  const identities = new Identities()
  const bytes = bytesOf(toOtlpJson([everything]))
  const [a] = decodeOtlpJson(bytes, OWN_LIMITS, identities)
  const [b] = decodeOtlpJson(bytes, OWN_LIMITS, identities)
  assert.equal(a?.resource, b?.resource)
  assert.equal(a?.instrumentationScope, b?.instrumentationScope)
})
