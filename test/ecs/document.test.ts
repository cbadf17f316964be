import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUDIT_TABLE } from '../../src/ecs/audit-table.ts'
import { toEcsJson } from '../../src/ecs/document.ts'
import { ECS_TABLE } from '../../src/ecs/table.ts'
import { EVENT_NAMES } from '../../src/records/event-names.ts'
import { internResource, internScope } from '../../src/records/interning.ts'
import type { Attributes, LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

const stream = { dataset: 'weir.test', namespace: 'default' }
// biome-ignore lint/suspicious/noExplicitAny: documents have every shape.
const documentOf = (one: LogRecord): any => JSON.parse(toEcsJson(one, stream))
const of = (eventName: string, attributes: Attributes) => documentOf(record(attributes, { eventName }))

test('names become nested objects, and every document says what it is', () => {
  const { process, event, ecs, host, data_stream } = of('process.exec', {
    'process.pid': 12,
    'process.parent_pid': 1,
    'process.executable.path': '/bin/sh',
    'process.command_args': ['sh', '-c', 'id'],
  })
  assert.deepEqual(process, { pid: 12, parent: { pid: 1 }, executable: '/bin/sh', args: ['sh', '-c', 'id'] })
  assert.deepEqual([event.kind, event.category, event.type, event.action], ['event', ['process'], ['start'], 'exec'])
  assert.deepEqual([event.code, event.module, host.os.type], ['process.exec', 'weir', 'linux'])
  assert.match(ecs.version, /^\d+\.\d+\.\d+$/)
  assert.deepEqual(data_stream, { type: 'logs', ...stream })
})

test('findings are alerts', () => {
  const { event, rule, weir } = of('security.anomaly', {
    'weir.score': 87.5,
    'weir.explanation': 'never seen',
    'security_rule.name': 'New process',
    'weir.evidence.first_seen': '2026-01-01',
  })
  assert.deepEqual([event.kind, event.risk_score, event.reason], ['alert', 87.5, 'never seen'])
  assert.deepEqual([rule.name, weir.score, weir.evidence], ['New process', 87.5, { first_seen: '2026-01-01' }])
})

test('an address is an IP only where it is one', () => {
  const both = of('network.connect', { 'source.address': '10.0.0.1', 'destination.address': 'db.internal' })
  assert.deepEqual(both.source, { address: '10.0.0.1', ip: '10.0.0.1' })
  assert.deepEqual(both.destination, { address: 'db.internal' })
  const zoned = of('network.connect', { 'source.address': 'fe80::1%eth0' })
  assert.deepEqual(zoned.source, { address: 'fe80::1%eth0' })
  const answers = of('dns.response', { 'dns.answers': ['alias.example.', '192.0.2.7', '2001:db8::1'] })
  assert.deepEqual(answers.dns, {
    answers: { data: ['alias.example.', '192.0.2.7', '2001:db8::1'] },
    resolved_ip: ['192.0.2.7', '2001:db8::1'],
  })
})

test('the direction is said in the words of ECS', () => {
  assert.equal(of('network.flow', { 'network.io.direction': 'transmit' }).network.direction, 'egress')
  assert.equal(of('network.flow', { 'network.io.direction': 'receive' }).network.direction, 'ingress')
  const told = { 'network.io.direction': 'receive', 'weir.network.direction': 'internal' }
  assert.equal(of('network.flow', told).network.direction, 'internal')
})

const values: [string, unknown, string | undefined][] = [
  ['process.pid', '17', '17'],
  ['process.pid', 1.5, undefined],
  ['process.pid', 'seventeen', undefined],
  ['process.pid', 2 ** 60, '1152921504606846976'],
  ['process.pid', 2 ** 63, undefined],
  ['process.pid', 10n ** 18n, '1000000000000000000'],
  ['process.pid', 10n ** 19n, undefined],
  ['process.pid', -0, '0'],
  ['process.interactive', 'true', 'true'],
  ['process.interactive', 1, undefined],
  ['process.exit.time', '2026-02-29T00:00:00Z', undefined],
  ['process.exit.time', '2024-02-29T00:00:00+01:00', '"2024-02-29T00:00:00+01:00"'],
  ['process.exit.time', '2024-02-29T24:00:00Z', undefined],
  ['process.exit.time', 1_700_000_000, undefined],
  ['event.risk_score', Number.NaN, undefined],
  ['event.risk_score', '7.5', '7.5'],
  ['process.title', 7, '"7"'],
  ['process.title', ['a', { b: 1 }], undefined],
  ['process.title', [], undefined],
]
test('a value that does not fit its field is kept among the attributes, as it was', () => {
  for (const [name, value, expected] of values) {
    const text = toEcsJson(record({ [name]: value as never }), stream)
    const isKept = JSON.parse(text).weir.attributes?.[name] !== undefined
    assert.equal(isKept, expected === undefined, `${name} ${value}: ${text}`)
    if (expected !== undefined) assert(text.includes(`:${expected}`), `${name} ${value}: ${text}`)
  }
})

test('what is too long or too deep to be searched is kept whole beside the rest', () => {
  const long = 'x'.repeat(9000)
  let deep: unknown = 'bottom'
  for (let i = 0; i < 20; i++) deep = { d: deep }
  const { weir } = of('log', { long, deep: deep as never, short: 'y', 'k8s.pod.label.long': long })
  assert.deepEqual(weir.attributes, { short: 'y' })
  assert.deepEqual(weir.unindexed, { long, deep, 'k8s.pod.label.long': long })
})

test('keys that no destination takes are changed so that none meet', () => {
  const { weir } = of('log', { '': 1, '\0': 2, '\0\0': 3, ['k'.repeat(500)]: 4, ['k'.repeat(501)]: 5, 'a.b': 6 })
  assert.deepEqual(Object.values(weir.attributes).toSorted(), [1, 2, 3, 4, 5, 6])
  for (const key of Object.keys(weir.attributes)) assert(key !== '' && key.length <= 256 && !key.includes('\0'))
})

test('a label of the resource and one of the record of the same name are both there', () => {
  const resource = internResource({ 'k8s.pod.label.app': 'of the resource', 'k8s.pod.label.tier': 'web', extra: 1 })
  const { kubernetes, weir } = documentOf(
    record({ 'k8s.pod.label.app': 'of the record', 'k8s.pod.label.x': 'y' }, { resource }),
  )
  assert.deepEqual(kubernetes.labels, { app: 'of the resource', tier: 'web', x: 'y' })
  assert.deepEqual([weir.attributes, weir.resource], [{ 'k8s.pod.label.app': 'of the record' }, { extra: 1 }])
})

test('a record wins over its resource, and documents do not remember each other', () => {
  const resource = internResource({ 'host.name': 'of the resource' })
  const names = ['of the record', undefined, 'another', undefined].map(
    (name) => documentOf(record(name === undefined ? {} : { 'host.name': name }, { resource })).host.name,
  )
  assert.deepEqual(names, ['of the record', 'of the resource', 'another', 'of the resource'])
})

test('thousands of kinds and shapes change nothing in what is written', () => {
  for (let i = 0; i < 5000; i++) {
    const shape = Object.fromEntries(SHAPES.filter((_, bit) => (i >> bit) & 1).map((name) => [name, 'x']))
    const { process, event, weir } = documentOf(
      record(shape, { eventName: `odd.${i}`, instrumentationScope: internScope(`scope ${i % 7}`) }),
    )
    assert.deepEqual([event.code, weir.scope], [`odd.${i}`, `scope ${i % 7}`])
    assert.equal(Object.keys(process ?? {}).length, Object.keys(shape).length)
  }
})
const SHAPES = 'title entity_id command_line working_directory executable.path executable.name command_args'
  .split(' ')
  .map((name) => `process.${name}`)

test('a body that is no text is written as text', () => {
  assert.equal(documentOf(record({}, { body: { a: [1, 'b'] } })).message, '{"a":[1,"b"]}')
  assert.equal(documentOf(record({}, { body: undefined })).message, undefined)
})

test('bodies of audit events become maps that every destination takes, or are kept as they are', () => {
  let deep: object = { bottom: true }
  for (let i = 0; i < 40; i++) deep = { d: deep }
  const body = { metadata: { managedFields: [1], name: 'x' }, data: { long: 'y'.repeat(9000), nothing: null }, deep }
  const whole = of('k8s.audit', {
    'k8s.audit.request_object': JSON.stringify(body),
    'k8s.audit.response_object': '{"cut":"…',
  })
  const { requestObject, responseObject } = whole.kubernetes.audit
  assert.deepEqual(requestObject.metadata, { name: 'x' })
  assert.match(requestObject.data.long, /^y+…\[\d+ more\]$/)
  assert(JSON.stringify(requestObject).includes('bottom'), 'what is too deep is there as text')
  assert.equal(responseObject, undefined)
  assert.deepEqual(
    [whole.weir.k8s.audit.unindexed, whole.weir.attributes],
    [{ responseObject: '{"cut":"…' }, undefined],
  )
  const original = { requestObject: { spec: { containers: [{ image: 'a' }, { image: 'b' }, {}] } }, responseObject: 1 }
  const raw = of('k8s.audit', { 'log.record.original': JSON.stringify(original) })
  assert.deepEqual(raw.container.image.name, ['a', 'b'])
  assert.deepEqual(raw.kubernetes.audit.requestObject, original.requestObject)
  const odd = of('k8s.audit', { 'k8s.audit.request_object': { spec: { a: 1 } }, 'k8s.audit.response_object': 7 })
  assert.deepEqual(odd.kubernetes.audit.requestObject, { spec: { a: 1 } })
  assert.deepEqual(odd.weir.k8s.audit.unindexed, { responseObject: 7 })
})

const outcomes: [Attributes, string | undefined][] = [
  [{ 'k8s.audit.decision': 'allow', 'k8s.audit.response.code': 404 }, 'success'],
  [{ 'k8s.audit.decision': 'forbid' }, 'failure'],
  [{ 'k8s.audit.response.code': 201 }, 'success'],
  [{ 'k8s.audit.response.code': 500 }, 'failure'],
  [{}, undefined],
]
test('the outcome of a request is the decision, else the status', () => {
  for (const [attributes, expected] of outcomes) assert.equal(of('k8s.audit', attributes).event.outcome, expected)
})

const requests: [Attributes, string[], string[]][] = [
  [{ 'k8s.audit.verb': 'create', 'k8s.audit.object.resource': 'rolebindings' }, ['iam', 'configuration'], ['creation']],
  [
    { 'k8s.audit.verb': 'get', 'k8s.audit.object.resource': 'secrets', 'k8s.audit.decision': 'forbid' },
    ['configuration'],
    ['access', 'denied'],
  ],
  [
    { 'k8s.audit.verb': 'create', 'k8s.audit.object.resource': 'pods', 'k8s.audit.object.subresource': 'exec' },
    ['process', 'configuration'],
    ['creation'],
  ],
  [{ 'k8s.audit.verb': 'get' }, ['web'], ['access']],
  [{ 'k8s.audit.verb': 'constructor', 'k8s.audit.object.resource': '__proto__' }, ['configuration'], ['info']],
]
test('category and type of a request follow from resource, verb and decision', () => {
  for (const [attributes, category, type] of requests) {
    const { event } = of('k8s.audit', attributes)
    assert.deepEqual([event.category, event.type, event.action], [category, type, attributes['k8s.audit.verb']])
  }
})

test('no value of any attribute is missing from the document', () => {
  const names = [...Object.keys(ECS_TABLE), ...Object.keys(AUDIT_TABLE)].map((name) => name.replace('*', 'free'))
  const some = fc.uniqueArray(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 12 })), { maxLength: 30 })
  fc.assert(
    fc.property(some, fc.constantFrom(...EVENT_NAMES), (chosen, eventName) => {
      const attributes = Object.fromEntries(chosen.map((name, i) => [name, `<token ${i}>`]))
      const text = toEcsJson(record(attributes, { eventName }), stream)
      for (const token of Object.values(attributes))
        assert(text.includes(token), `${token} of ${JSON.stringify(attributes)}`)
    }),
    { numRuns: 500, seed: 7 },
  )
})
