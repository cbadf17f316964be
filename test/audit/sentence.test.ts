import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Fields, FORBIDDEN, recordOf } from './events.ts'

/** A request for one object of a core resource in payments. */
function of(verb: string, resource: string, name = '', more: Fields = {}): Fields {
  const [plain = '', subresource] = resource.split('/')
  const path = ['/api/v1/namespaces/payments', plain, ...(name ? [name] : []), ...(subresource ? [subresource] : [])]
  return {
    verb,
    requestURI: path.join('/'),
    objectRef: { resource: plain, namespace: 'payments', name: name || undefined, apiVersion: 'v1', subresource },
    ...more,
  }
}

function cluster(verb: string, resource: string, name = '', more: Fields = {}): Fields {
  const [plain = '', subresource] = resource.split('/')
  return {
    verb,
    requestURI: `/api/v1/${plain}`,
    objectRef: { resource: plain, name: name || undefined, subresource },
    ...more,
  }
}

const url = (verb: string, requestURI: string): Fields => ({ verb, requestURI, objectRef: undefined })
const withQuery = (fields: Fields, query: string): Fields => ({
  ...fields,
  requestURI: `${fields['requestURI']}?${query}`,
})
const body = (requestObject: unknown): Fields => ({ level: 'Request', requestObject })
const user = (username: string): Fields => ({ user: { username, groups: ['system:authenticated'] } })
const FROM = 'from 203.0.113.7 with kubectl/v1.31'

const verbs: [string, Fields][] = [
  [
    'alice deleted secret payments/db-credentials (403 forbidden)',
    of('delete', 'secrets', 'db-credentials', FORBIDDEN),
  ],
  ['alice read pod payments/api-0', of('get', 'pods', 'api-0')],
  ['alice listed pods in payments', of('list', 'pods')],
  ['alice listed pods in all namespaces', cluster('list', 'pods')],
  ['alice listed nodes', cluster('list', 'nodes')],
  ['alice watched secrets in payments', of('watch', 'secrets')],
  ['alice watched configmap payments/settings', of('watch', 'configmaps', 'settings')],
  ['alice created pod payments/api-0', of('create', 'pods', 'api-0')],
  ['alice created a pod in payments', of('create', 'pods')],
  ['alice created an ingress in payments', of('create', 'ingresses')],
  ['alice updated configmap payments/settings', of('update', 'configmaps', 'settings')],
  ['alice patched deployment payments/api', of('patch', 'deployments', 'api')],
  ['alice applied network policy payments/deny-all', of('apply', 'networkpolicies', 'deny-all')],
  ['alice deleted all secrets in payments', of('deletecollection', 'secrets')],
  ['alice deleted all persistent volumes', cluster('deletecollection', 'persistentvolumes')],
  ['alice read namespace payments', of('get', 'namespaces', 'payments')],
  ['alice created cluster role binding everyone-admin', cluster('create', 'clusterrolebindings', 'everyone-admin')],
  ['alice listed role bindings in payments', of('list', 'rolebindings')],
  ['alice read endpoints payments/api', of('get', 'endpoints', 'api')],
  ['alice read virtualservice payments/frontend', of('get', 'virtualservices', 'frontend')],
  ['alice listed virtualservices in the whole cluster', cluster('list', 'virtualservices')],
  ['alice read gitrepository payments/fleet', of('get', 'gitrepositories', 'fleet')],
  ['alice read prometheus payments/main', of('get', 'prometheuses', 'main')],
  ['alice read status payments/main', of('get', 'status', 'main')],
  ['alice impersonated user bob', cluster('impersonate', 'users', 'bob')],
  ['alice bound cluster role admin', cluster('bind', 'clusterroles', 'admin')],
  ['alice escalated role payments/admin', of('escalate', 'roles', 'admin')],
  ['alice used pod security policy privileged', cluster('use', 'podsecuritypolicies', 'privileged')],
  ['alice performed "frobnicate" on pod payments/api-0', of('frobnicate', 'pods', 'api-0')],
]

const subresources: [string, Fields][] = [
  [
    'alice ran "sh -c cat /etc/passwd" in pod payments/api-0 container app',
    withQuery(
      of('create', 'pods/exec', 'api-0'),
      'command=sh&command=-c&command=cat+%2Fetc%2Fpasswd&container=app&stdin=true',
    ),
  ],
  ['alice ran a command in pod payments/api-0', of('get', 'pods/exec', 'api-0')],
  [
    'alice ran "id" in pod payments/api-0 (403 forbidden)',
    withQuery(of('create', 'pods/exec', 'api-0', FORBIDDEN), 'command=id'),
  ],
  [
    'alice attached to pod payments/api-0 container app',
    withQuery(of('create', 'pods/attach', 'api-0'), 'container=app'),
  ],
  ['alice forwarded ports to pod payments/api-0', of('create', 'pods/portforward', 'api-0')],
  ['alice forwarded port 8080 to pod payments/api-0', withQuery(of('get', 'pods/portforward', 'api-0'), 'ports=8080')],
  ['alice read the logs of pod payments/api-0', of('get', 'pods/log', 'api-0')],
  [
    'alice followed the logs of pod payments/api-0 container app',
    withQuery(of('get', 'pods/log', 'api-0'), 'container=app&follow=true'),
  ],
  [
    'alice sent GET /metrics to pod payments/api-0:8080 through the API server',
    {
      ...of('get', 'pods/proxy', 'api-0:8080'),
      requestURI: '/api/v1/namespaces/payments/pods/api-0:8080/proxy/metrics?x=1',
    },
  ],
  [
    'alice sent POST /admin/users to service payments/api:https through the API server',
    {
      ...of('create', 'services/proxy', 'https:api:https'),
      requestURI: '/api/v1/namespaces/payments/services/https:api:https/proxy/admin/users',
    },
  ],
  [
    'alice sent POST /run/kube-system/dns/app to node worker-1:10250 through the API server',
    {
      ...cluster('create', 'nodes/proxy', 'worker-1:10250'),
      requestURI: '/api/v1/nodes/worker-1:10250/proxy/run/kube-system/dns/app',
    },
  ],
  ['alice evicted pod payments/api-0', of('create', 'pods/eviction', 'api-0')],
  ['alice requested a token for service account payments/ci', of('create', 'serviceaccounts/token', 'ci')],
  ['alice updated the status of deployment payments/api', of('update', 'deployments/status', 'api')],
  ['alice read the status of node worker-1', cluster('get', 'nodes/status', 'worker-1')],
  ['alice scaled deployment payments/api', of('patch', 'deployments/scale', 'api')],
  [
    'alice scaled deployment payments/api to 0 replicas',
    of('patch', 'deployments/scale', 'api', body({ spec: { replicas: 0 } })),
  ],
  [
    'alice scaled deployment payments/api to 1 replica',
    of('update', 'deployments/scale', 'api', body({ spec: { replicas: 1 } })),
  ],
  ['alice read the scale of deployment payments/api', of('get', 'deployments/scale', 'api')],
  ['alice bound pod payments/api-0 to a node', of('create', 'pods/binding', 'api-0')],
  [
    'alice bound pod payments/api-0 to node worker-1',
    of('create', 'pods/binding', 'api-0', body({ kind: 'Binding', target: { kind: 'Node', name: 'worker-1' } })),
  ],
  [
    'alice decided on certificate signing request csr-1',
    cluster('update', 'certificatesigningrequests/approval', 'csr-1'),
  ],
  [
    'alice approved certificate signing request csr-1',
    cluster(
      'update',
      'certificatesigningrequests/approval',
      'csr-1',
      body({ status: { conditions: [{ type: 'Approved' }] } }),
    ),
  ],
  [
    'alice denied certificate signing request csr-1',
    cluster(
      'patch',
      'certificatesigningrequests/approval',
      'csr-1',
      body({ status: { conditions: [{ type: 'Denied' }] } }),
    ),
  ],
  ['alice added an ephemeral container to pod payments/api-0', of('patch', 'pods/ephemeralcontainers', 'api-0')],
  ['alice read the ephemeral containers of pod payments/api-0', of('get', 'pods/ephemeralcontainers', 'api-0')],
  ['alice resized pod payments/api-0', of('patch', 'pods/resize', 'api-0')],
  ['alice finalized namespace payments', of('update', 'namespaces/finalize', 'payments')],
  ['alice patched the approve of rollout payments/api', of('patch', 'rollouts/approve', 'api')],
]

const spec = (resource: string, requestSpec: Fields): Fields =>
  cluster('create', resource, '', body({ spec: requestSpec }))
const reviews: [string, Fields][] = [
  ['alice asked for all their permissions', cluster('create', 'selfsubjectrulesreviews')],
  ['alice asked for all their permissions in payments', spec('selfsubjectrulesreviews', { namespace: 'payments' })],
  ['alice asked who they are', cluster('create', 'selfsubjectreviews')],
  ['alice checked whether they may act', cluster('create', 'selfsubjectaccessreviews')],
  [
    'alice checked whether they may get secrets db in payments',
    spec('selfsubjectaccessreviews', {
      resourceAttributes: { verb: 'get', resource: 'secrets', name: 'db', namespace: 'payments' },
    }),
  ],
  [
    'alice checked whether bob may create pods/exec in payments',
    spec('subjectaccessreviews', {
      user: 'bob',
      resourceAttributes: { verb: 'create', resource: 'pods', subresource: 'exec', namespace: 'payments' },
    }),
  ],
  [
    'alice checked whether another user may get /metrics',
    spec('localsubjectaccessreviews', { nonResourceAttributes: { verb: 'get', path: '/metrics' } }),
  ],
  ['alice verified a token', cluster('create', 'tokenreviews')],
]

const people: [string, Fields][] = [
  ['alice as bob listed pods in payments', { impersonatedUser: { username: 'bob' } }],
  [
    'alice as service account payments/ci listed pods in payments',
    { impersonatedUser: { username: 'system:serviceaccount:payments:ci' } },
  ],
  ['service account payments/ci listed pods in payments', user('system:serviceaccount:payments:ci')],
  ['node worker-1 listed pods in payments', user('system:node:worker-1')],
  ['system:kube-scheduler listed pods in payments', user('system:kube-scheduler')],
  ['an anonymous user listed pods in payments', user('system:anonymous')],
  ['an unknown user listed pods in payments', { user: {} }],
  ['an anonymous user read /version', { ...url('get', '/version?timeout=32s'), ...user('system:anonymous') }],
  ['alice posted to /apis', url('post', '/apis')],
  ['alice put to /x', url('put', '/x')],
  ['alice deleted /x', url('delete', '/x')],
  ['alice checked /healthz', url('head', '/healthz')],
  ['alice asked for the options of /apis', url('options', '/apis')],
  ['alice read /logs/kube apiserver.log', url('get', '/logs/kube%20apiserver.log')],
]

const outcomes: [string, Fields][] = [
  [
    'alice is asking to delete pod payments/api-0',
    of('delete', 'pods', 'api-0', { stage: 'RequestReceived', responseStatus: undefined }),
  ],
  ['alice started watching pods in payments', of('watch', 'pods', '', { stage: 'ResponseStarted' })],
  [
    'alice started running "id" in pod payments/api-0',
    withQuery(of('create', 'pods/exec', 'api-0', { stage: 'ResponseStarted' }), 'command=id'),
  ],
  [
    'alice listed pods in payments (the API server panicked)',
    of('list', 'pods', '', { stage: 'Panic', responseStatus: { code: 500 } }),
  ],
  [
    'alice read pod payments/api-0 (404 not found)',
    of('get', 'pods', 'api-0', { responseStatus: { reason: 'NotFound', code: 404 } }),
  ],
  [
    'alice created pod payments/api-0 (409 already exists)',
    of('create', 'pods', 'api-0', { responseStatus: { reason: 'AlreadyExists', code: 409 } }),
  ],
  ['alice updated pod payments/api-0 (409 conflict)', of('update', 'pods', 'api-0', { responseStatus: { code: 409 } })],
  ['alice read pod payments/api-0 (418)', of('get', 'pods', 'api-0', { responseStatus: { code: 418 } })],
  [
    'alice read pod payments/api-0 (503 service unavailable)',
    of('get', 'pods', 'api-0', { responseStatus: { code: 503 } }),
  ],
  ['alice read pod payments/api-0 (failed)', of('get', 'pods', 'api-0', { responseStatus: { status: 'Failure' } })],
]

for (const [name, table] of Object.entries({ verbs, subresources, reviews, people, outcomes })) {
  suite(`one line for every request: ${name}`, () => {
    for (const [line, fields] of table) {
      test(line, () => assert.equal(recordOf(fields).body, `${line} ${FROM}`))
    }
  })
}

suite('where a request came from', () => {
  const tail = (fields: Fields): string =>
    String(recordOf(fields).body).replace('alice listed pods in payments', '').trim()
  const cases: [string, Fields][] = [
    ['from 203.0.113.7 via 10.0.0.5 with kubectl/v1.31', { sourceIPs: ['203.0.113.7', '10.0.0.9', '10.0.0.5'] }],
    ['with kubectl/v1.31', { sourceIPs: undefined }],
    ['from 203.0.113.7', { userAgent: undefined }],
    ['from 203.0.113.7 with curl/8.5', { userAgent: 'curl/8.5.0' }],
    ['from 203.0.113.7 with Mozilla/5.0', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0' }],
    ['from 203.0.113.7 with argocd', { userAgent: 'argocd/v0.0.0 (linux/amd64) kubernetes/$Format' }],
    ['from 203.0.113.7 with my-tool', { userAgent: 'my-tool' }],
    ['from 203.0.113.7 with kubectl/v1.31', { userAgent: 'kubectl/v1.31' }],
  ]
  for (const [expected, fields] of cases) test(expected, () => assert.equal(tail(fields), expected))
})

test('a new object that the server named is called by its name', () => {
  const fields = of('create', 'pods', '', {
    level: 'RequestResponse',
    requestObject: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { generateName: 'api-' },
      spec: { filler: 'x'.repeat(100) },
    },
    responseObject: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'api-7x2vz' } },
  })
  assert.equal(recordOf(fields).body, `alice created pod payments/api-7x2vz ${FROM}`)
})

test('what an attacker writes stays on one printable line', () => {
  const evil = 'x\u001b[31m\nred\u202egnp.exe\u0007'
  const { body } = recordOf({
    user: { username: `a${evil}` },
    userAgent: evil,
    objectRef: { resource: 'pods', name: evil, namespace: evil },
  })
  assert.match(String(body), /^a.*\\u001b\[31m\\u000ared\\u202egnp\.exe\\u0007/)
  assert.doesNotMatch(String(body), /[\u0000-\u001f\u007f\u202a-\u202e]/)
})

test('a line is bounded whatever the request holds', () => {
  const long = 'y'.repeat(50_000)
  const { body } = recordOf({
    ...of('create', 'pods/exec', long),
    user: { username: long },
    requestURI: `/api/v1/namespaces/payments/pods/x/exec?command=${long}&container=${long}`,
    userAgent: long,
  })
  assert(String(body).length < 1100)
})
