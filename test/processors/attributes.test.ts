import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { Subject } from 'rxjs'
import { attributes } from '../../processors/attributes/index.ts'
import { MAX_VALUES } from '../../processors/attributes/resources.ts'
import { registry } from '../../src/components.ts'
import { formatProblem } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { EMPTY_RESOURCE, internResource, resources } from '../../src/records/interning.ts'
import type { AnyValue, Attributes, LogRecord } from '../../src/records/record.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { processorContract } from '../kit/contract.ts'
import { record, tracked } from '../kit/records.ts'

processorContract(attributes)

type Action = Record<string, unknown>

function run(config: object, records: LogRecord[], context: TestContext = testContext()): LogRecord[] {
  const source = new Subject<Batch>()
  const out: LogRecord[] = []
  source.pipe(attributes.create(attributes.config.parse(config), context).operator()).subscribe((batch) => {
    out.push(...batch.records)
  })
  source.next(tracked(...records))
  assert.equal(out.length, records.length)
  assert.deepEqual(context.lostBy, {})
  return out
}

const act = (actions: Action[], given: Attributes): Attributes =>
  run({ actions }, [record(given)])[0]?.attributes as Attributes

suite('actions on attributes', () => {
  const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  const cases: [name: string, actions: Action[], given: Attributes, expected: Attributes][] = [
    ['insert sets what is not there', [{ key: 'a', action: 'insert', value: 1 }], {}, { a: 1 }],
    ['insert leaves what is there', [{ key: 'a', action: 'insert', value: 1 }], { a: 0 }, { a: 0 }],
    ['update leaves what is not there', [{ key: 'a', action: 'update', value: 1 }], {}, {}],
    ['update sets what is there', [{ key: 'a', action: 'update', value: 1 }], { a: 0 }, { a: 1 }],
    ['upsert sets in both cases', [{ key: 'a', action: 'upsert', value: ['x'] }], { a: 0 }, { a: ['x'] }],
    [
      'a value may come from elsewhere',
      [{ key: 'b', action: 'upsert', from_attribute: 'a' }],
      { a: 7 },
      { a: 7, b: 7 },
    ],
    ['nothing comes from what is not there', [{ key: 'b', action: 'upsert', from_attribute: 'a' }], { b: 1 }, { b: 1 }],
    [
      'but the default',
      [{ key: 'b', action: 'insert', from_attribute: 'a', default_value: 'eu' }],
      { c: 1 },
      { c: 1, b: 'eu' },
    ],
    ['a default alone is a value', [{ key: 'a', action: 'insert', default_value: 0 }], {}, { a: 0 }],
    ['delete', [{ key: 'a', action: 'delete' }], { a: 1, b: 2 }, { b: 2 }],
    [
      'delete by pattern and key',
      [{ key: 'a', action: 'delete', pattern: '^http\\.' }],
      { a: 1, 'http.x': 1, 'x.http.': 2, 'http.y': 3 },
      { 'x.http.': 2 },
    ],
    ['rename', [{ key: 'a', action: 'rename', new_key: 'b' }], { a: 1, b: 2 }, { b: 1 }],
    ['rename to itself', [{ key: 'a', action: 'rename', new_key: 'a' }], { a: 1 }, { a: 1 }],
    ['rename of nothing', [{ key: 'a', action: 'rename', new_key: 'b' }], { b: 2 }, { b: 2 }],
    ['hash of text', [{ key: 'a', action: 'hash' }], { a: 'é' }, { a: sha256('é') }],
    ['hash of an empty text', [{ key: 'a', action: 'hash' }], { a: '' }, { a: '' }],
    ['hash of true', [{ key: 'a', action: 'hash' }], { a: true }, { a: sha256(Uint8Array.of(1)) }],
    [
      'hash of an integer',
      [{ key: 'a', action: 'hash' }],
      { a: -2 },
      { a: sha256(new Uint8Array(BigInt64Array.of(-2n).buffer)) },
    ],
    [
      'hash of another number',
      [{ key: 'a', action: 'hash' }],
      { a: 0.5 },
      { a: sha256(new Uint8Array(Float64Array.of(0.5).buffer)) },
    ],
    ['hash of a list', [{ key: 'a', action: 'hash' }], { a: ['x', 1] }, { a: sha256('["x",1]') }],
    ['hash by pattern', [{ action: 'hash', pattern: 'mail' }], { email: 'x', y: 'x' }, { email: sha256('x'), y: 'x' }],
    [
      'extract, in the syntax of Go as well',
      [{ key: 'u', action: 'extract', pattern: '^system:serviceaccount:(?P<ns>[^:]+):(?P<sa>.+)$' }],
      { u: 'system:serviceaccount:shop:cart', ns: 'old' },
      { u: 'system:serviceaccount:shop:cart', ns: 'shop', sa: 'cart' },
    ],
    ['extract without a match', [{ key: 'u', action: 'extract', pattern: '(?<a>x)' }], { u: 'y' }, { u: 'y' }],
    ['extract from a number', [{ key: 'u', action: 'extract', pattern: '(?<a>.)' }], { u: 1 }, { u: 1 }],
    [
      'a group that took no part is empty',
      [{ key: 'u', action: 'extract', pattern: '(?<a>x)|(?<b>y)' }],
      { u: 'y' },
      { u: 'y', a: '', b: 'y' },
    ],
    ['a resource gives values', [{ key: 'a', action: 'insert', from_resource: 'none' }], {}, {}],
  ]
  for (const [name, actions, given, expected] of cases)
    test(name, () => assert.deepEqual(act(actions, given), expected))

  const conversions: [AnyValue, string, AnyValue][] = [
    ['42', 'int', 42],
    ['-7', 'int', -7],
    ['4.2', 'int', '4.2'],
    ['9007199254740993', 'int', '9007199254740993'],
    ['x', 'int', 'x'],
    ['', 'int', ''],
    [4.9, 'int', 4],
    [true, 'int', 1],
    [['1'], 'int', ['1']],
    ['4.5e3', 'double', 4500],
    ['NaN', 'double', 'NaN'],
    ['0x10', 'double', '0x10'],
    ['1e999', 'double', '1e999'],
    [false, 'double', 0],
    [3, 'string', '3'],
    [true, 'string', 'true'],
    [{ a: 1 }, 'string', '{"a":1}'],
    ['s', 'string', 's'],
  ]
  for (const [from, to, expected] of conversions) {
    test(`${JSON.stringify(from)} converted to ${to} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(act([{ key: 'a', action: 'convert', converted_type: to }], { a: from }), { a: expected })
    })
  }

  test('actions see what those before them did', () => {
    const actions = [
      { key: 'b', action: 'insert', from_attribute: 'a' },
      { key: 'a', action: 'delete' },
      { key: 'b', action: 'hash' },
    ]
    assert.deepEqual(act(actions, { a: 'x' }), { b: createHash('sha256').update('x').digest('hex') })
  })

  test('a record to which nothing applies keeps its object and everything in it', () => {
    const given = record({ a: 1 })
    const { attributes: before } = given
    const [after] = run(
      {
        actions: [
          { key: 'x', action: 'delete' },
          { key: 'y', action: 'hash' },
        ],
      },
      [given],
    )
    assert.equal(after, given)
    assert.equal(after?.attributes, before)
    assert.equal(after?.resource, EMPTY_RESOURCE)
  })
})

suite('when', () => {
  test('holds for the processor', () => {
    const config = { when: { attribute: 'verb', equals: 'get' }, actions: [{ key: 'x', action: 'insert', value: 1 }] }
    const out = run(config, [record({ verb: 'get' }), record({ verb: 'list' })])
    assert.deepEqual(
      out.map((each) => each.attributes['x']),
      [1, undefined],
    )
  })

  test('holds for an action on a resource, record by record', () => {
    const when = { attribute: 'verb', equals: 'get' }
    const resource = internResource({ 'host.name': 'n' })
    const config = { actions: [{ key: 'x', action: 'insert', value: 1, target: 'resource', when }] }
    const out = run(config, [record({ verb: 'get' }, { resource }), record({ verb: 'list' }, { resource })])
    assert.deepEqual(
      out.map((each) => each.resource.attributes['x']),
      [1, undefined],
    )
    assert.equal(out[1]?.resource, resource)
  })
})

suite('actions on resources', () => {
  test('exchange the resource, once for all of its records, and never change it', () => {
    const resource = internResource({ 'host.name': 'n', old: 'v', drop: 1 })
    const actions = [
      { target: 'resource', key: 'k8s.cluster.name', action: 'upsert', value: 'prod' },
      { target: 'resource', key: 'old', action: 'rename', new_key: 'new' },
      { target: 'resource', action: 'delete', pattern: '^drop$' },
      { target: 'resource', key: 'copy', action: 'insert', from_resource: 'new' },
      { key: 'host', action: 'insert', from_resource: 'host.name' },
    ]
    const [first, second] = run({ actions }, [record({}, { resource }), record({}, { resource })])
    assert.deepEqual(first?.resource.attributes, { 'host.name': 'n', 'k8s.cluster.name': 'prod', new: 'v', copy: 'v' })
    assert.equal(first?.resource, second?.resource)
    assert.equal(first?.resource, internResource({ ...first?.resource.attributes } as Attributes))
    assert.deepEqual(resource.attributes, { 'host.name': 'n', old: 'v', drop: 1 })
    assert.equal(first?.attributes['host'], 'n')
  })

  test('a resource that stays as it is stays the same object', () => {
    const resource = internResource({ 'k8s.cluster.name': 'prod' })
    const actions = [{ target: 'resource', key: 'k8s.cluster.name', action: 'upsert', value: 'prod' }]
    assert.equal(run({ actions }, [record({}, { resource })])[0]?.resource, resource)
  })

  const promote = { target: 'resource', key: 'tenant', action: 'upsert', from_attribute: 'team' }

  test('an attribute of the record can become one of its resource', () => {
    const out = run({ actions: [promote] }, [
      record({ team: 'a' }),
      record({ team: 'b' }),
      record({ team: 'a' }),
      record({}),
    ])
    assert.deepEqual(
      out.map((each) => each.resource.attributes['tenant']),
      ['a', 'b', 'a', undefined],
    )
    assert.equal(out[0]?.resource, out[2]?.resource)
  })

  test('insert and update of such a value respect what the resource has', () => {
    const resource = internResource({ tenant: 'x' })
    const after = (action: string, on: LogRecord): unknown =>
      run({ actions: [{ ...promote, action, default_value: 'd' }] }, [on])[0]?.resource.attributes['tenant']
    assert.equal(after('insert', record({ team: 'a' }, { resource })), 'x')
    assert.equal(after('update', record({ team: 'a' }, { resource })), 'a')
    assert.equal(after('update', record({ team: 'a' })), undefined)
    assert.equal(after('insert', record({})), 'd')
  })

  test('values that requests make up cannot make resources without end: they stay on the record, counted', () => {
    const context = testContext()
    const before = resources.size
    const many = Array.from({ length: MAX_VALUES + 50 }, (_, i) => record({ team: `made-up-${i}` }))
    const odd = [record({ team: 'x'.repeat(300) }), record({ team: ['a'] })]
    const out = run({ actions: [promote] }, [...many, ...odd], context)
    assert(resources.size - before <= MAX_VALUES)
    assert.equal(out[0]?.resource.attributes['tenant'], 'made-up-0')
    for (const late of out.slice(MAX_VALUES)) {
      assert.equal(late.resource, EMPTY_RESOURCE)
      assert.equal(late.attributes['tenant'], late.attributes['team'])
    }
    assert.equal(context.counts['weir_attributes_kept_on_record'], 52)
    const [known] = run({ actions: [promote] }, [record({ team: 'made-up-3' })], context)
    assert.equal(known?.resource.attributes['tenant'], 'made-up-3')
  })
})

suite('a mistake in an action is named', () => {
  const cases: [Action, RegExp][] = [
    [{ key: 'a', action: 'insert' }, /needs value, from_attribute or from_resource/],
    [{ key: 'a', action: 'insert', value: 1, from_attribute: 'b' }, /only one of/],
    [{ key: 'a', action: 'insert', value: 1, pattern: 'x' }, /action insert does not use pattern/],
    [{ action: 'upsert', value: 1 }, /action upsert needs key/],
    [{ action: 'delete' }, /needs key, pattern or both/],
    [{ key: 'a', action: 'delete', value: 1 }, /action delete does not use value/],
    [{ key: 'a', action: 'extract' }, /needs pattern/],
    [{ key: 'a', action: 'extract', pattern: 'x' }, /has no named group/],
    [{ key: 'a', action: 'extract', pattern: '(?<a>x)(y)' }, /group without a name/],
    [{ key: 'a', action: 'extract', pattern: '(?<a>' }, /not a regular expression/],
    [{ key: 'a', action: 'extract', pattern: '(?<constructor>x)' }, /no name that an attribute can have/],
    [{ key: '__proto__', action: 'upsert', value: 1 }, /no name that an attribute can have/],
    [{ key: 'a', action: 'convert' }, /needs converted_type/],
    [{ key: 'a', action: 'convert', converted_type: 'bool' }, /converted_type/],
    [{ key: 'a', action: 'rename' }, /needs new_key/],
    [{ key: 'a', action: 'INSERT', value: 1 }, /action/],
  ]
  for (const [action, expected] of cases) {
    test(JSON.stringify(action), () => assert.throws(() => attributes.config.parse({ actions: [action] }), expected))
  }
})

test('what the Collector has and Weir has not is refused by name', () => {
  const { errors } = loadConfig(
    {
      configs: [
        `yaml:${JSON.stringify({
          receivers: { file_log: { include: ['/a'] } },
          processors: {
            attributes: {
              include: { match_type: 'strict' },
              actions: [{ key: 'a', action: 'insert', from_context: 'x' }],
            },
            redaction: { allow_all_keys: true, url_sanitizer: { enabled: true } },
          },
          exporters: { stdout: {} },
          service: {
            pipelines: {
              logs: { receivers: ['file_log'], processors: ['attributes', 'redaction'], exporters: ['stdout'] },
            },
          },
        })}`,
      ],
      sets: [],
      cwd: '/',
    },
    registry,
    {},
  )
  const said = errors.map(formatProblem).join('\n')
  assert.match(said, /processors::attributes::include: .*`when:`/)
  assert.match(said, /actions::0::from_context: .*use from_attribute/)
  assert.match(said, /processors::redaction::url_sanitizer: .*blocked_values/)
})
