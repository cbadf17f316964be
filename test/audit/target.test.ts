import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Attributes } from '../../src/records/record.ts'
import { type Fields, recordOf } from './events.ts'

/** Those attributes of an event that `expected` names. */
function check(fields: Fields, expected: Attributes): void {
  const { attributes } = recordOf(fields)
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, attributes[key]]))
  assert.deepEqual(found, expected)
}

const pod = (subresource: string, query = ''): Fields => ({
  verb: 'create',
  requestURI: `/api/v1/namespaces/payments/pods/api-0/${subresource}${query}`,
  objectRef: { resource: 'pods', namespace: 'payments', name: 'api-0', subresource },
})

suite('where a request was going to', () => {
  const target = (kind: string, rest: Attributes): Attributes => ({ 'k8s.audit.target.kind': kind, ...rest })
  const cases: [string, Fields, Attributes][] = [
    [
      'exec: the pod, the container and the command',
      pod('exec', '?command=ls&command=-l+%2Ftmp&container=app'),
      target('pod', {
        'k8s.audit.target.namespace': 'payments',
        'k8s.audit.target.name': 'api-0',
        'k8s.audit.target.container': 'app',
        'k8s.audit.target.command_args': ['ls', '-l /tmp'],
      }),
    ],
    ['attach: the pod', pod('attach'), target('pod', { 'k8s.audit.target.name': 'api-0' })],
    ['log: the pod', pod('log', '?container=app'), target('pod', { 'k8s.audit.target.container': 'app' })],
    [
      'portforward: pod and ports',
      pod('portforward', '?ports=80&ports=443'),
      target('pod', { 'k8s.audit.target.port': '80,443' }),
    ],
    [
      'a pod proxy: port and path',
      {
        ...pod('proxy'),
        requestURI: '/api/v1/namespaces/payments/pods/http:api-0:80/proxy/a%20b?token=x',
        objectRef: { resource: 'pods', namespace: 'payments', name: 'http:api-0:80', subresource: 'proxy' },
      },
      target('pod', {
        'k8s.audit.target.name': 'api-0',
        'k8s.audit.target.port': '80',
        'k8s.audit.target.path': '/a b',
      }),
    ],
    [
      'a node proxy: the node',
      {
        requestURI: '/api/v1/nodes/worker-1/proxy/exec/ns/p/c',
        objectRef: { resource: 'nodes', name: 'worker-1', subresource: 'proxy' },
      },
      target('node', {
        'k8s.audit.target.name': 'worker-1',
        'k8s.audit.target.path': '/exec/ns/p/c',
        'k8s.audit.target.namespace': undefined as never,
      }),
    ],
    [
      'a binding: the node',
      { ...pod('binding'), level: 'Request', requestObject: { target: { name: 'worker-2' } } },
      target('node', { 'k8s.audit.target.name': 'worker-2' }),
    ],
    [
      'a non-resource request: the path',
      { requestURI: '/metrics?x=1', objectRef: undefined },
      target('url', { 'k8s.audit.target.path': '/metrics' }),
    ],
    ['a plain request: its object is enough', {}, { 'k8s.audit.target.kind': undefined as never }],
  ]
  for (const [name, fields, expected] of cases) test(name, () => check(fields, expected))
})
