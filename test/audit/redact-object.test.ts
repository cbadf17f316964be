import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decode, event, type Fields } from './events.ts'

const PLANTED = 'c3VwZXItc2VjcmV0LXZhbHVl'
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const secret = { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'db' }, data: { password: PLANTED } }
const onSecrets = (verb: string, requestObject: unknown, responseObject?: unknown): Fields => ({
  level: 'RequestResponse',
  verb,
  requestURI: '/api/v1/namespaces/payments/secrets/db',
  objectRef: { resource: 'secrets', namespace: 'payments', name: 'db', apiVersion: 'v1' },
  requestObject,
  responseObject,
})
const onOthers = (requestObject: unknown, more: Fields = {}): Fields => ({
  level: 'Request',
  verb: 'create',
  objectRef: { resource: 'widgets', apiGroup: 'example.com', namespace: 'payments', name: 'w' },
  requestObject,
  ...more,
})

const KUBECONFIG = `users:
- name: admin
  user:
    client-key-data: ${PLANTED}
    token: ${PLANTED}
- name: b
  user: {username: b, password: ${PLANTED}}
- name: c
  user:
    password: |-
      ${PLANTED}

      ${PLANTED}
current-context: kept
`
const forms: [string, Fields][] = [
  [
    'a kubeconfig in a ConfigMap',
    onOthers({ kind: 'ConfigMap', data: { config: KUBECONFIG, b: `token: "${PLANTED}"` } }),
  ],
  ['properties in a ConfigMap', onOthers({ data: { p: `a=b\nspring.datasource.password = ${PLANTED}\n` } })],
  ['a token as a key', onOthers({ data: { [JWT]: 'x', nested: { [`a ${JWT}`]: { [JWT]: [1] } } } })],
  ['a token as the key of an annotation', onOthers({}, { annotations: { [JWT]: 'x' } })],
  ['a token as the key of an extra', onOthers({}, { user: { username: 'a', extra: { [JWT]: ['x'] } } })],
  ['an OpenShift token', onOthers({ x: `sha256~${PLANTED}` }, { annotations: { a: `by sha256~${PLANTED}` } })],

  ['data of a Secret', onSecrets('create', secret, secret)],
  ['stringData of a Secret', onSecrets('update', { ...secret, data: undefined, stringData: { password: PLANTED } })],
  [
    'a Secret in another case',
    onSecrets('create', { Kind: 'Secret', Data: { password: PLANTED }, StringData: { x: PLANTED } }),
  ],
  [
    'items of a SecretList, which carry no kind',
    onSecrets('list', undefined, {
      kind: 'SecretList',
      items: [{ data: { a: PLANTED } }, { stringData: { a: PLANTED } }],
    }),
  ],
  [
    'Secrets in a List for another resource',
    onOthers({ kind: 'List', items: [{ kind: 'ConfigMap' }, secret, { kind: 'List', items: [secret] }] }),
  ],
  [
    'a table of secrets with objects',
    onSecrets('list', undefined, {
      kind: 'Table',
      rows: [{ cells: ['db'], object: { ...secret, kind: 'Secret' } }, { object: { data: { a: PLANTED } } }],
    }),
  ],
  [
    'a merge patch, which carries no kind',
    onSecrets('patch', { data: { password: PLANTED }, stringData: { b: PLANTED } }),
  ],
  [
    'a strategic merge patch with directives',
    onSecrets('patch', { $patch: 'merge', data: { $retainKeys: ['x'], password: PLANTED } }),
  ],
  ['an apply patch in JSON', onSecrets('patch', secret)],
  ['an apply patch in YAML', onSecrets('patch', `kind: Secret\ndata:\n  password: ${PLANTED}\n`)],
  ['a JSON patch of one key', onSecrets('patch', [{ op: 'replace', path: '/data/password', value: PLANTED }])],
  ['a JSON patch of the whole map', onSecrets('patch', [{ op: 'add', path: '/data', value: { password: PLANTED } }])],
  ['a JSON patch of stringData', onSecrets('patch', [{ op: 'add', path: '/stringData/x~1y', value: PLANTED }])],
  ['a JSON patch of the whole object', onSecrets('patch', [{ op: 'replace', path: '', value: secret }])],
  ['a JSON patch that tests a value', onSecrets('patch', [{ op: 'test', path: '/data/password', value: PLANTED }])],
  [
    'a JSON patch of the annotation',
    onSecrets('patch', [
      { op: 'add', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration', value: PLANTED },
    ]),
  ],
  [
    'a JSON patch of all annotations',
    onSecrets('patch', [{ op: 'add', path: '/metadata/annotations', value: { [LAST_APPLIED]: PLANTED } }]),
  ],
  [
    'the last-applied annotation',
    onSecrets('update', { kind: 'Secret', metadata: { annotations: { [LAST_APPLIED]: JSON.stringify(secret) } } }),
  ],
  [
    'the last-applied annotation of something else that holds a Secret',
    onOthers({ metadata: { annotations: { [LAST_APPLIED]: JSON.stringify({ kind: 'List', items: [secret] }) } } }),
  ],
  [
    'a Secret as JSON text in a ConfigMap',
    onOthers({ kind: 'ConfigMap', data: { 'secret.json': JSON.stringify(secret, null, 2) } }),
  ],
  [
    'a Secret as YAML text in a custom resource',
    onOthers({
      kind: 'Widget',
      spec: { manifest: `---\napiVersion: v1\nkind: Secret\nstringData:\n  password: ${PLANTED}` },
    }),
  ],
  ['a Secret under an unknown kind', onOthers({ kind: 'Bundle', template: { nested: { deep: [secret] } } })],
  ['a data map that is no map', onSecrets('create', { kind: 'Secret', data: PLANTED, stringData: [PLANTED] })],
  [
    'data beside __proto__',
    onSecrets(
      'create',
      JSON.parse(`{"kind":"Secret","__proto__":{"data":{"a":"${PLANTED}"}},"data":{"__proto__":"${PLANTED}"}}`),
    ),
  ],
  [
    'the token of a TokenReview',
    { ...onOthers({ kind: 'TokenReview', spec: { token: PLANTED } }), objectRef: { resource: 'tokenreviews' } },
  ],
  [
    'the token of a TokenRequest',
    {
      ...onOthers({ kind: 'TokenRequest' }),
      level: 'RequestResponse',
      responseObject: { kind: 'TokenRequest', status: { token: PLANTED } },
    },
  ],
  ['a JSON patch of a token', onOthers([{ op: 'add', path: '/spec/token', value: PLANTED }])],
  ['a list of tokens', onOthers({ spec: { token: [PLANTED] } })],
  [
    'fields named like credentials',
    onOthers({
      spec: {
        password: PLANTED,
        accessToken: PLANTED,
        client_secret: PLANTED,
        'api-key': PLANTED,
        dbPassword: PLANTED,
      },
    }),
  ],
  [
    'environment variables named like credentials',
    onOthers({
      spec: {
        containers: [
          {
            env: [
              { name: 'DB_PASSWORD', value: PLANTED },
              { value: PLANTED, name: 'API_TOKEN' },
            ],
          },
        ],
      },
    }),
  ],
  ['a bearer token in a field', onOthers({ spec: { note: `curl -H "Authorization: Bearer ${PLANTED}"` } })],
  ['a JWT in a field', onOthers({ spec: { note: `use ${JWT} please` } })],
  [
    'a private key in a field',
    onOthers({ spec: { pem: `-----BEGIN RSA PRIVATE KEY-----\n${PLANTED}\n-----END RSA PRIVATE KEY-----` } }),
  ],
  ['a password in a URL', onOthers({ spec: { url: `postgres://app:${PLANTED}@db:5432/app` } })],
  ['a token in the request URI', { requestURI: `/api/v1/pods?token=${PLANTED}&access_token=${PLANTED}&limit=5` }],
  ['a token under a name in escapes', { requestURI: `/api/v1/pods?%74oken=${PLANTED}` }],
  ['a JWT in the path', { requestURI: `/oauth/${JWT}/callback`, objectRef: undefined }],
  ['a token in the user agent', { userAgent: `curl/8 Bearer ${PLANTED}` }],
  [
    'a token in the message of a refusal',
    { responseStatus: { code: 401, message: `invalid token Bearer ${PLANTED}`, reason: 'Unauthorized' } },
  ],
  [
    'a token in an annotation',
    { annotations: { note: `Bearer ${PLANTED}`, 'authorization.k8s.io/reason': `token ${JWT} is fine` } },
  ],
  [
    'a token in what the authenticator adds',
    { user: { username: 'a', extra: { id_token: [PLANTED], other: [`Bearer ${PLANTED}`] } } },
  ],
  ['a token in the name of an object', { objectRef: { resource: 'pods', namespace: 'a', name: JWT } }],
  ['a token as the name of who is impersonated', { impersonatedUser: { username: JWT } }],
  [
    'a token in a review',
    {
      ...onOthers({ spec: { user: JWT, resourceAttributes: { verb: 'get', name: JWT } } }),
      objectRef: { resource: 'subjectaccessreviews' },
    },
  ],
  [
    'a token in a command line',
    {
      verb: 'create',
      objectRef: { resource: 'pods', name: 'p', subresource: 'exec' },
      requestURI: `/api/v1/namespaces/a/pods/p/exec?command=login&command=--token&command=${PLANTED}&command=--password=${PLANTED}&command=TOKEN=${PLANTED}`,
    },
  ],
  [
    'a token in a script',
    {
      verb: 'create',
      objectRef: { resource: 'pods', name: 'p', subresource: 'exec' },
      requestURI: `/api/v1/namespaces/a/pods/p/exec?command=sh&command=-c&command=${encodeURIComponent(`curl -s --token ${PLANTED} x; API_KEY='${PLANTED}' run`)}`,
    },
  ],
]

suite('a secret planted anywhere appears nowhere', () => {
  const options = { include_raw: true, include_request_object: true, include_response_object: true }
  for (const [name, fields] of forms) {
    test(name, () => {
      assert.match(JSON.stringify(event(fields)), new RegExp(`${PLANTED}|${JWT}`), 'the test plants nothing')
      for (const settings of [options, {}]) {
        const { records } = decode(
          [event(fields), { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [event(fields)] }],
          settings,
        )
        assert.equal(records.length, 2)
        const text = JSON.stringify(records)
        assert.doesNotMatch(text, new RegExp(PLANTED))
        assert.doesNotMatch(text, new RegExp(JWT.slice(0, 24)))
        assert.match(text, settings === options ? /\[REDACTED\]/ : /./)
      }
    })
  }
})

test('everything else is kept as it was', () => {
  const object = {
    kind: 'Pod',
    metadata: {
      name: 'api-0',
      annotations: { note: 'plain' },
      managedFields: [{ fieldsV1: { 'f:data': {}, 'f:token': {} } }],
    },
    spec: {
      containers: [{ env: [{ name: 'LOG_LEVEL', value: 'info' }], volumeMounts: [{ mountPath: '/var/run/secrets' }] }],
      secretName: 'db',
      automountServiceAccountToken: false,
    },
    data: { kept: 'since this is no Secret' },
    numbers: [1, 2.5, null, true],
  }
  const { records } = decode([event({ level: 'Request', requestObject: object })], {
    include_raw: true,
    include_request_object: true,
  })
  const { attributes } = records[0]!
  assert.deepEqual(JSON.parse(String(attributes['k8s.audit.request_object'])), object)
  assert.deepEqual(
    JSON.parse(String(attributes['log.record.original'])),
    event({ level: 'Request', requestObject: object }),
  )
})

test('the names of a Secret’s keys stay, its values go', () => {
  const { records } = decode([event(onSecrets('create', secret))], { include_request_object: true })
  assert.deepEqual(JSON.parse(String(records[0]!.attributes['k8s.audit.request_object'])), {
    ...secret,
    data: { password: '[REDACTED]' },
  })
})

test('objects deeper than any real one are cut, not followed', () => {
  const deep = (open: string, close: string, inner: string): string =>
    `${open.repeat(5000)}${inner}${close.repeat(5000)}`
  const line = JSON.stringify(event({ level: 'Request', requestObject: 'HERE' }))
  for (const body of [deep('[', ']', `"${JWT}"`), deep('{"a":', '}', `{"kind":"Secret","data":{"a":"${PLANTED}"}}`)]) {
    const { records, malformed } = decode([line.replace('"HERE"', body)], { include_raw: true })
    assert.equal(records.length + malformed.length, 1)
    assert.doesNotMatch(JSON.stringify(records), new RegExp(`${PLANTED}|${JWT.slice(0, 24)}`))
  }
})

test('with redact_secrets off, what was asked for is kept', () => {
  const fields = { ...onSecrets('create', secret), userAgent: `x Bearer ${PLANTED}` }
  const line = JSON.stringify(event(fields))
  const { attributes } = decode([line], { include_raw: true, redact_secrets: false }).records[0]!
  assert.equal(attributes['log.record.original'], line)
  assert.equal(attributes['user_agent.original'], `x Bearer ${PLANTED}`)
})
