import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Fields, FORBIDDEN, recordOf } from './events.ts'

const pod = (subresource: string): Fields => ({
  verb: 'create',
  objectRef: { resource: 'pods', namespace: 'payments', name: 'api-0', subresource },
})

suite('severity', () => {
  const cases: [number, string, Fields][] = [
    [9, 'reading', {}],
    [9, 'a 404', { responseStatus: { code: 404 } }],
    [9, 'a conflict', { responseStatus: { code: 409 } }],
    [10, 'exec', pod('exec')],
    [10, 'portforward', pod('portforward')],
    [10, 'a node proxy read', { objectRef: { resource: 'nodes', name: 'w', subresource: 'proxy' }, verb: 'get' }],
    [10, 'writing a secret', { verb: 'patch', objectRef: { resource: 'secrets', namespace: 'a', name: 'b' } }],
    [9, 'reading a secret', { verb: 'get', objectRef: { resource: 'secrets', namespace: 'a', name: 'b' } }],
    [10, 'granting a role', { verb: 'create', objectRef: { resource: 'clusterrolebindings', name: 'x' } }],
    [10, 'deleting a collection', { verb: 'deletecollection' }],
    [10, 'acting as somebody else', { impersonatedUser: { username: 'bob' } }],
    [
      10,
      'a token for oneself',
      { verb: 'create', objectRef: { resource: 'serviceaccounts', name: 'x', subresource: 'token' } },
    ],
    [
      9,
      'a token asked for by a kubelet',
      {
        verb: 'create',
        user: { username: 'system:node:w' },
        objectRef: { resource: 'serviceaccounts', name: 'x', subresource: 'token' },
      },
    ],
    [13, 'a 401', { responseStatus: { code: 401 } }],
    [13, 'a 403', FORBIDDEN],
    [
      13,
      'a forbid without a code',
      { responseStatus: undefined, annotations: { 'authorization.k8s.io/decision': 'forbid' } },
    ],
    [13, 'a 503', { responseStatus: { code: 503 } }],
    [17, 'a panic', { stage: 'Panic', responseStatus: { code: 500 } }],
  ]
  for (const [severity, name, fields] of cases)
    test(`${name} is ${severity}`, () => assert.equal(recordOf(fields).severityNumber, severity))
})
