import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { auditLines } from '../../bench/audit/generate.ts'
import { createAuditDecoder, emptyDecoded } from '../../src/audit/decode.ts'
import { defaultAuditOptions } from '../../src/audit/options.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { decode, event, recordOf } from './events.ts'

suite('what is no audit event is said to be none', () => {
  const cases: [string, string | unknown, RegExp][] = [
    ['no JSON', '{"kind":', /not JSON/],
    ['text', 'hello', /not JSON/],
    ['a number', '5', /expected a JSON object/],
    ['null', 'null', /expected a JSON object/],
    ['an array', '[]', /expected a JSON object/],
    ['another kind', { kind: 'Pod', apiVersion: 'v1' }, /kind is neither Event nor EventList/],
    ['an event of the core group', { ...event(), apiVersion: 'v1' }, /apiVersion is neither/],
    ['an older version', { ...event(), apiVersion: 'audit.k8s.io/v1alpha1' }, /apiVersion is neither/],
    ['no id', event({ auditID: undefined }), /without auditID/],
    ['an empty id', event({ auditID: '' }), /without auditID/],
    ['no verb', event({ verb: 5 }), /without verb/],
    ['an unknown stage', event({ stage: 'Later' }), /without a known stage/],
    ['a list without items', { kind: 'EventList', apiVersion: 'audit.k8s.io/v1' }, /and items/],
    ['a list of another version', { kind: 'EventList', apiVersion: 'v1', items: [] }, /expected audit\.k8s\.io\/v1/],
  ]
  for (const [name, line, error] of cases) {
    test(name, () => {
      const { records, malformed } = decode([line])
      assert.equal(records.length, 0)
      assert.equal(malformed.length, 1)
      assert.match(malformed[0]!.error, error)
    })
  }
  test('the error never quotes the line', () => {
    assert.doesNotMatch(JSON.stringify(decode(['{"token":"c2VjcmV0"x']).malformed), /c2VjcmV0/)
  })
})

test('lists give a record for each item, whose kind and version they state', () => {
  const { kind: _, apiVersion: __, ...item } = event()
  const { records, malformed } = decode([
    {
      kind: 'EventList',
      apiVersion: 'audit.k8s.io/v1',
      metadata: {},
      items: [item, {}, event(), { ...item, kind: 'Pod' }],
    },
  ])
  assert.equal(records.length, 2)
  assert.deepEqual(
    malformed.map(({ item }) => item),
    [1, 3],
  )
})

test('v1beta1 is read like v1', () => {
  const fields = {
    apiVersion: 'audit.k8s.io/v1beta1',
    metadata: { creationTimestamp: null },
    timestamp: '2017-09-11T19:55:05Z',
  }
  assert.deepEqual(recordOf(fields).attributes, recordOf().attributes)
})

test('stages and levels that are not wanted are counted', () => {
  const events = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'].map((stage) => event({ stage }))
  assert.deepEqual(decode(events).filtered, { stage: 1, level: 0, ignored: 0, duplicate_stage: 0 })
  assert.equal(decode(events, { stages: ['RequestReceived'] }).records.length, 1)
  const levels = [event(), event({ level: 'Request' })]
  assert.deepEqual(decode(levels, { levels: ['Request'] }).filtered.level, 1)
})

test('the resource is one object, made of configuration alone', () => {
  const { records } = decode([event(), event({ user: { username: 'bob' } })], {
    cluster_name: 'prod',
    resource: { 'deployment.environment.name': 'live' },
  })
  assert.equal(records[0]!.resource, records[1]!.resource)
  const { 'host.name': host, ...rest } = records[0]!.resource.attributes
  assert.equal(typeof host, 'string')
  assert.deepEqual(rest, {
    'service.name': 'k8s-audit',
    'k8s.cluster.name': 'prod',
    'deployment.environment.name': 'live',
  })
})

test('a value that was parsed already gives the same record as its line', () => {
  const decoder = createAuditDecoder(defaultAuditOptions())
  const into = emptyDecoded()
  decoder.value(event(), [1_800_000_000, 7], into)
  assert.deepEqual(into.records, decode([event()]).records)
})

const DEMO = new URL('../../../shared/data/k8s-audit/demo.log', import.meta.url)
test('a published log decodes completely', {
  skip: existsSync(DEMO) ? false : 'the published data is not beside this checkout',
}, () => {
  const lines = readFileSync(DEMO, 'utf8').trim().split('\n')
  const { records, malformed } = decode(lines)
  assert.deepEqual([records.length, malformed.length], [37, 0])
  assert.equal(records[0]!.body, 'system:admin as bob listed pods in default (403 forbidden) from ::1')
  assert.deepEqual(records[0]!.hrTime, [1_505_159_705, 0])
})

test('the sample of the quickstart decodes completely', () => {
  const lines = readFileSync(new URL('../../configs/sample/audit.log', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const { records, malformed } = decode(lines, {
    stages: ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'],
  })
  assert.deepEqual([records.length, malformed.length], [lines.length, 0])
})

/** Every promise about a record, whatever it was made from. */
function checkRecord(record: LogRecord): void {
  assert(record.hrTime.every(Number.isSafeInteger) && record.severityNumber >= 9 && record.severityNumber <= 17)
  assert(typeof record.body === 'string' && record.body.length < 1100)
  assert(Object.keys(record.attributes).length < 128)
  for (const [key, value] of Object.entries(record.attributes)) {
    assert(key.length < 320 && key.isWellFormed())
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string') assert(one.isWellFormed() && one.length < 4200, key)
      else assert(typeof one === 'number' && Number.isFinite(one), key)
    }
  }
}

suite('mutated events', () => {
  const hostile: unknown[] = [
    '',
    'x'.repeat(10_000),
    '\ud800',
    '\u0000\u001b[31m',
    '%zz%',
    null,
    true,
    -1,
    1e308,
    [],
    {},
    [[]],
    ['a', 1, null],
    { toString: 5 },
    { username: ['x'] },
  ]
  let state = 7
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  const mutate = (value: unknown): unknown => {
    if (below(12) === 0) return hostile[below(hostile.length)]
    if (Array.isArray(value)) return value.map(mutate)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [below(40) === 0 ? String(hostile[below(3)]) : key, mutate(inner)]),
    )
  }
  const lines = [...auditLines({ events: 2000, seed: 3, attack: true })]
  const options = { include_raw: false, default_ignores: true, drop_duplicate_stages: true }

  test('of hostile values give bounded records or a reason, and never an exception', () => {
    for (const line of lines) {
      const { records, malformed, filtered } = decode([mutate(JSON.parse(line))], options)
      assert.equal(records.length + malformed.length + Object.values(filtered).reduce((a, b) => a + b), 1)
      records.forEach(checkRecord)
    }
  })
  test('with fields kept and everything else hostile', () => {
    for (const line of lines) {
      const { auditID, kind, apiVersion, stage, verb, ...rest } = JSON.parse(line)
      const { records } = decode([{ auditID, kind, apiVersion, stage, verb, ...(mutate(rest) as object) }], {
        stages: ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'],
      })
      assert.equal(records.length, 1)
      records.forEach(checkRecord)
    }
  })
  test('cut or overwritten at any byte', () => {
    for (const line of lines.slice(0, 300)) {
      const at = below(line.length)
      const overwritten = line.slice(0, at) + String.fromCharCode(32 + below(95)) + line.slice(at + 1)
      for (const text of [line.slice(0, at), line.slice(at), overwritten])
        for (const { body } of decode([text], { include_raw: true }).records) assert(String(body).length < 1100)
    }
  })
  test('survive redaction of every form', () => {
    for (const line of lines.slice(0, 500))
      decode([mutate(JSON.parse(line))], {
        include_raw: true,
        include_request_object: true,
        include_response_object: true,
      })
  })
})

for (const time of ['2026-02-30T00:00:00Z', '1960-01-01T00:00:00Z', '9999-01-01T00:00:00Z', 'noon', -5]) {
  test(`the time ${time} is not the time of a record, and is kept as text`, () => {
    const alone = recordOf({ stageTimestamp: time, requestReceivedTimestamp: time })
    assert.deepEqual(alone.hrTime, alone.hrTimeObserved)
    assert.equal(alone.attributes['log.time.original'], String(time))
    const { hrTime, attributes } = recordOf({ stageTimestamp: time })
    assert.deepEqual(hrTime, [1_767_323_045, 100_000])
    assert.equal(attributes['log.time.original'], String(time))
  })
}

test('a status that came as text is a number all the same', () => {
  const record = recordOf({ responseStatus: { metadata: {}, code: '404', reason: 'NotFound' } })
  assert.equal(record.attributes['k8s.audit.response.code'], 404)
  assert.deepEqual(
    [record.severityNumber, record.body],
    (({ severityNumber, body }) => [severityNumber, body])(
      recordOf({ responseStatus: { metadata: {}, code: 404, reason: 'NotFound' } }),
    ),
  )
  const odd = recordOf({ responseStatus: { code: '4e2' } })
  assert.equal('k8s.audit.response.code' in odd.attributes, false)
})

test('a raw event that is too long is cut, and the record says so', () => {
  const options = { include_raw: true, include_request_object: true }
  const { attributes, droppedAttributesCount } = recordOf({ requestObject: { a: 'x'.repeat(1_100_000) } }, options)
  assert.deepEqual(attributes['k8s.audit.cut'], ['k8s.audit.request_object', 'log.record.original'])
  assert.equal(droppedAttributesCount, 2)
  assert.match(String(attributes['log.record.original']).slice(-30), /…\[\d+ more\]$/)
  assert.equal('k8s.audit.cut' in recordOf({ requestObject: { a: 'x' } }, options).attributes, false)
})
