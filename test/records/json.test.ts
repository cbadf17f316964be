import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RESOURCE, internResource, internScope } from '../../src/records/interning.ts'
import { recordToJson } from '../../src/records/json.ts'
import type { AnyValue } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

test('the JSON form of a record is exactly the documented object, in this order', () => {
  const one = record(
    { 'user.name': 'alice', 'k8s.audit.response.code': 403, ok: true, list: ['a', 'b'] },
    {
      hrTime: [1_767_323_045, 6],
      hrTimeObserved: [1_767_323_046, 120_000_000],
      eventName: 'k8s.audit',
      severityNumber: 10,
      severityText: 'INFO2',
      body: 'alice deleted secret payments/db "now"',
      resource: internResource({ 'k8s.cluster.name': 'prod', 'service.name': 'kube-apiserver' }),
      instrumentationScope: internScope('weir.k8s_audit', '1.2.3'),
    },
  )
  assert.equal(
    recordToJson(one),
    '{"time":"2026-01-02T03:04:05.000000006Z","observedTime":"2026-01-02T03:04:06.120000000Z",' +
      '"severity":"INFO2","severityNumber":10,"eventName":"k8s.audit",' +
      '"body":"alice deleted secret payments/db \\"now\\"",' +
      '"attributes":{"user.name":"alice","k8s.audit.response.code":403,"ok":true,"list":["a","b"]},' +
      '"resource":{"k8s.cluster.name":"prod","service.name":"kube-apiserver"},' +
      '"scope":{"name":"weir.k8s_audit","version":"1.2.3"}}',
  )
})

test('what is empty is there, empty', () => {
  const { attributes, resource, scope, body } = JSON.parse(recordToJson(record({}, { body: undefined })))
  assert.deepEqual(
    { attributes, resource, scope, body },
    { attributes: {}, resource: {}, scope: { name: 'test' }, body: null },
  )
})

test('it is one line, whatever stands in the record', () => {
  const line = recordToJson(
    record({ 'a\nb': 'c\r\nd\u2028' }, { body: 'x\ny\u0000', eventName: 'e"\n', severityText: '\n' }),
  )
  assert.doesNotMatch(line, /[\n\r\u0000]/)
  const back = JSON.parse(line)
  assert.deepEqual([back.attributes, back.body, back.eventName], [{ 'a\nb': 'c\r\nd\u2028' }, 'x\ny\u0000', 'e"\n'])
})

test('values that JSON lacks are written all the same', () => {
  const cycle: Record<string, unknown> = { a: 1 }
  cycle['self'] = cycle
  const { attributes } = JSON.parse(
    recordToJson(
      record({ big: 12n, nan: Number.NaN, none: undefined, cycle, lone: 'x\ud800' } as unknown as Record<
        string,
        AnyValue
      >),
    ),
  )
  assert.deepEqual(attributes, { big: '12', nan: null, cycle: { a: 1, self: '[repeated]' }, lone: 'x\ud800' })
})

test('the text of a shared resource is made once and is never that of another', () => {
  const resource = internResource({ a: 1 })
  const lines = [record({}, { resource }), record({}, { resource }), record({}, { resource: EMPTY_RESOURCE })]
  assert.deepEqual(
    lines.map((one) => JSON.parse(recordToJson(one)).resource),
    [{ a: 1 }, { a: 1 }, {}],
  )
})
