import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { auditLines } from '../../bench/audit/generate.ts'
import { AUDIT_ATTRIBUTES } from '../../src/audit/attribute-table.ts'
import type { Attributes } from '../../src/records/record.ts'
import { decode, event, type Fields, FORBIDDEN, recordOf } from './events.ts'

/** Those attributes of an event that `expected` names. */
function check(fields: Fields, expected: Attributes): void {
  const { attributes } = recordOf(fields)
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, attributes[key]]))
  assert.deepEqual(found, expected)
}

test('an event becomes a record with time, severity and every attribute of the model', () => {
  const record = recordOf({
    level: 'RequestResponse',
    requestURI: '/apis/apps/v1/namespaces/payments/deployments/api/status?fieldManager=helm',
    verb: 'update',
    user: {
      username: 'system:serviceaccount:ci:deployer',
      uid: 'u-1',
      groups: ['system:serviceaccounts'],
      extra: {
        'authentication.kubernetes.io/credential-id': ['JTI=1'],
        'authentication.kubernetes.io/node-name': ['worker-1'],
        'authentication.kubernetes.io/node-uid': ['n-1'],
        'authentication.kubernetes.io/pod-name': ['runner-0'],
        'authentication.kubernetes.io/pod-uid': ['p-1'],
        'example.com/team': ['a', 'b'],
      },
    },
    impersonatedUser: { username: 'bob', uid: 'u-2', groups: ['developers'], extra: { scopes: ['x'] } },
    sourceIPs: ['203.0.113.7', '10.0.0.5'],
    objectRef: {
      resource: 'deployments',
      subresource: 'status',
      namespace: 'payments',
      name: 'api',
      apiGroup: 'apps',
      apiVersion: 'v1',
      uid: 'o-1',
      resourceVersion: '42',
    },
    annotations: {
      'authorization.k8s.io/decision': 'allow',
      'authorization.k8s.io/reason': 'RBAC: allowed by RoleBinding "x"',
      'pod-security.kubernetes.io/enforce-policy': 'baseline:latest',
    },
  })
  assert.deepEqual(record.hrTime, [1_767_323_045, 123_456_000])
  assert.deepEqual(record.hrTimeObserved, [1_800_000_000, 7])
  assert.equal(record.eventName, 'k8s.audit')
  assert.equal(record.resource.attributes['service.name'], 'k8s-audit')
  assert.deepEqual(record.attributes, {
    'log.record.uid': '5c2b4a3e-0000-4000-8000-000000000001/ResponseComplete',
    'k8s.audit.id': '5c2b4a3e-0000-4000-8000-000000000001',
    'k8s.audit.stage': 'ResponseComplete',
    'k8s.audit.level': 'RequestResponse',
    'k8s.audit.verb': 'update',
    'k8s.audit.request_uri': '/apis/apps/v1/namespaces/payments/deployments/api/status?fieldManager=helm',
    'k8s.audit.latency': 0.123356,
    'k8s.audit.object.resource': 'deployments',
    'k8s.audit.object.subresource': 'status',
    'k8s.audit.object.namespace': 'payments',
    'k8s.audit.object.name': 'api',
    'k8s.audit.object.api_group': 'apps',
    'k8s.audit.object.api_version': 'v1',
    'k8s.audit.object.uid': 'o-1',
    'k8s.audit.object.resource_version': '42',
    'k8s.audit.response.code': 200,
    'k8s.audit.decision': 'allow',
    'k8s.audit.decision.reason': 'RBAC: allowed by RoleBinding "x"',
    'k8s.audit.annotations.pod-security.kubernetes.io/enforce-policy': 'baseline:latest',
    'user.name': 'system:serviceaccount:ci:deployer',
    'user.id': 'u-1',
    'user.groups': ['system:serviceaccounts'],
    'k8s.service_account.name': 'deployer',
    'k8s.service_account.namespace': 'ci',
    'k8s.audit.user.credential_id': 'JTI=1',
    'k8s.audit.user.node.name': 'worker-1',
    'k8s.audit.user.node.uid': 'n-1',
    'k8s.audit.user.pod.name': 'runner-0',
    'k8s.audit.user.pod.uid': 'p-1',
    'k8s.audit.user.extra.example.com/team': ['a', 'b'],
    'user.effective.name': 'bob',
    'user.effective.id': 'u-2',
    'user.effective.groups': ['developers'],
    'k8s.audit.user.effective.extra.scopes': ['x'],
    'client.address': '203.0.113.7',
    'network.peer.address': '10.0.0.5',
    'k8s.audit.source_ips': ['203.0.113.7', '10.0.0.5'],
    'user_agent.original': 'kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46',
  })
  assert.equal(record.droppedAttributesCount, 0)
})

test('a refusal carries status, reason and message', () => {
  check(FORBIDDEN, {
    'k8s.audit.response.code': 403,
    'k8s.audit.response.status': 'Failure',
    'k8s.audit.response.reason': 'Forbidden',
    'k8s.audit.response.message': 'secrets is forbidden',
  })
})

suite('times', () => {
  const time = (fields: Fields): readonly [number, number] => recordOf(fields).hrTime
  test('events of v1beta1 and before fall back to timestamp and creationTimestamp', () => {
    const old = { apiVersion: 'audit.k8s.io/v1beta1', stageTimestamp: undefined, requestReceivedTimestamp: undefined }
    assert.deepEqual(time({ ...old, timestamp: '2017-09-11T19:55:05Z' }), [1_505_159_705, 0])
    assert.deepEqual(time({ ...old, metadata: { creationTimestamp: '2017-09-11T19:55:06Z' } }), [1_505_159_706, 0])
    assert.equal('k8s.audit.latency' in recordOf({ ...old, timestamp: '2017-09-11T19:55:05Z' }).attributes, false)
  })
  test('without any usable time an event is as old as its reading', () => {
    const none = { stageTimestamp: '0001-01-01T00:00:00Z', requestReceivedTimestamp: null }
    assert.deepEqual(time(none), [1_800_000_000, 7])
  })
})

suite('bounds', () => {
  test('long values are cut with a mark that says how much is missing', () => {
    const { attributes } = recordOf({ objectRef: { resource: 'pods', name: 'n'.repeat(5000) } })
    assert.equal(attributes['k8s.audit.object.name'], `${'n'.repeat(512)}…[4488 more]`)
  })
  test('lists and maps that are too long are cut and counted', () => {
    const many = Array.from({ length: 100 }, (_, i) => `g${i}`)
    const extra = Object.fromEntries(many.map((key) => [key, ['v']]))
    const annotations = Object.fromEntries(many.map((key) => [key, 'v']))
    const record = recordOf({ user: { username: 'a', groups: many, extra }, annotations })
    assert.equal((record.attributes['user.groups'] as string[]).length, 64)
    assert.equal(record.droppedAttributesCount, 36 + 84 + 76)
    assert(Object.keys(record.attributes).length < 70)
  })
  test('lone surrogates are replaced, wrong types are left out', () => {
    const { records } = decode([
      event({
        user: { username: 'a\ud800', groups: ['x\udfff', 7], uid: 9 },
        sourceIPs: 'nonsense',
        userAgent: 5,
        objectRef: [],
        responseStatus: { code: 'ok' },
      }),
    ])
    const { attributes } = records[0]!
    assert.equal(attributes['user.name'], 'a\ufffd')
    assert.deepEqual(attributes['user.groups'], ['x\ufffd'])
    for (const key of ['user.id', 'client.address', 'user_agent.original', 'k8s.audit.response.code'])
      assert.equal(key in attributes, false)
  })
})

test('the table of attributes names those that are emitted, with their types, and no others', () => {
  const everything = {
    stages: ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const,
    include_raw: true,
    include_request_object: true,
    include_response_object: true,
  }
  const seen = new Set<string>()
  const events = [...auditLines({ events: 5000, seed: 4, attack: true })].map((line) => JSON.parse(line) as Fields)
  const rare = event({
    user: {
      username: 'a',
      uid: '1',
      extra: {
        x: ['y'],
        'authentication.kubernetes.io/node-uid': ['n'],
        'authentication.kubernetes.io/pod-uid': ['p'],
      },
    },
    impersonatedUser: { username: 'b', uid: '2', groups: ['c'], extra: { x: ['y'] } },
    objectRef: {
      resource: 'pods',
      subresource: 'portforward',
      name: 'p',
      uid: 'u',
      resourceVersion: '1',
      apiGroup: 'g',
    },
    requestURI: '/api/v1/namespaces/a/pods/p/portforward?ports=80&container=c',
    annotations: { other: 'x' },
    requestReceivedTimestamp: '2026-02-30T00:00:00Z',
    stageTimestamp: undefined,
  })
  const huge = event({ level: 'Request', requestObject: { a: 'x'.repeat(1_100_000) } })
  const { records } = decode([...events, rare, huge], { ...everything, stages: [...everything.stages] })
  for (const { attributes } of records) {
    for (const [key, value] of Object.entries(attributes)) {
      const name =
        key in AUDIT_ATTRIBUTES
          ? key
          : key.replace(/^(k8s\.audit\.(?:annotations|user\.extra|user\.effective\.extra))\..*/, '$1.*')
      const type = Array.isArray(value) ? 'string[]' : typeof value === 'string' ? 'string' : 'number'
      const declared = AUDIT_ATTRIBUTES[name]?.type.replace(/int|double/, 'number')
      assert.equal(declared, type, `${key} is declared ${declared}`)
      seen.add(name)
    }
  }
  assert.deepEqual([...seen].sort(), Object.keys(AUDIT_ATTRIBUTES).sort())
})
