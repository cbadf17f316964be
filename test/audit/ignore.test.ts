import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DEFAULT_IGNORES } from '../../src/audit/default-ignores.ts'
import { compileIgnores, type IgnoreRule, ignoreRule } from '../../src/audit/ignore.ts'
import { decode, event, type Fields, FORBIDDEN } from './events.ts'

const url = (path: string): Fields => ({ requestURI: path, objectRef: undefined, verb: 'get' })
const lease: Fields = {
  verb: 'update',
  objectRef: { resource: 'leases', apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'w' },
}
const by = (username: string, groups = ['system:authenticated']): Fields => ({ user: { username, groups } })

suite('a rule', () => {
  const cases: [string, IgnoreRule, Fields, boolean][] = [
    ['matches a user', { users: ['alice'] }, {}, true],
    ['matches a prefix of users', { users: ['system:node:*'] }, by('system:node:w'), true],
    ['does not match another user', { users: ['bob', 'al'] }, {}, false],
    ['matches one of the groups', { groups: ['developers'] }, {}, true],
    ['does not match without groups', { groups: ['developers'] }, { user: { username: 'alice' } }, false],
    ['matches a user agent', { user_agents: ['kubectl/*'] }, {}, true],
    ['matches a verb', { verbs: ['list'] }, {}, true],
    ['needs every condition', { verbs: ['list'], users: ['bob'] }, {}, false],
    ['matches a resource', { resources: ['services', 'pods'] }, {}, true],
    ['matches a resource with its group', { resources: ['leases.coordination.k8s.io'] }, lease, true],
    ['does not match the resource of another group', { resources: ['leases.example.com'] }, lease, false],
    [
      'a resource is not its parts',
      { resources: ['pods'] },
      { objectRef: { resource: 'pods', subresource: 'exec' } },
      false,
    ],
    ['matches a part', { resources: ['pods/exec'] }, { objectRef: { resource: 'pods', subresource: 'exec' } }, true],
    ['matches any part', { resources: ['pods/*'] }, { objectRef: { resource: 'pods', subresource: 'exec' } }, true],
    [
      'matches a part of anything',
      { resources: ['*/status'] },
      { objectRef: { resource: 'nodes', subresource: 'status' } },
      true,
    ],
    ['a part of anything is not everything', { resources: ['*/status'] }, {}, false],
    ['matches everything', { resources: ['*'] }, { objectRef: { resource: 'nodes', subresource: 'status' } }, true],
    ['matches a namespace', { namespaces: ['payments'] }, {}, true],
    ['the empty namespace is the cluster', { namespaces: [''] }, { objectRef: { resource: 'nodes' } }, true],
    ['a namespace is never that of a URL', { namespaces: ['', 'payments'] }, url('/healthz'), false],
    ['matches a name', { names: ['w'] }, lease, true],
    ['matches a URL without its query', { non_resource_urls: ['/healthz'] }, url('/healthz?verbose'), true],
    ['matches a prefix of URLs', { non_resource_urls: ['/healthz/*'] }, url('/healthz/etcd'), true],
    ['a URL rule matches no resource', { non_resource_urls: ['*'] }, {}, false],
    ['a resource rule matches no URL', { resources: ['*'] }, url('/healthz'), false],
    ['a user rule matches URLs too', { users: ['alice'] }, url('/healthz'), true],
    ['only_successful spares a refusal', { users: ['alice'], only_successful: true }, FORBIDDEN, false],
    [
      'only_successful spares an impersonation',
      { users: ['alice'], only_successful: true },
      { impersonatedUser: {} },
      false,
    ],
    ['only_successful spares a panic', { users: ['alice'], only_successful: true }, { stage: 'Panic' }, false],
    ['only_successful matches success', { users: ['alice'], only_successful: true }, {}, true],
    ['survives fields of the wrong type', { users: ['alice'], groups: ['x'] }, { user: [], objectRef: 'x' }, false],
  ]
  for (const [name, rule, fields, expected] of cases) {
    test(name, () => assert.equal(compileIgnores([rule])(event(fields)), expected))
  }
})

test('a rule without conditions, or for a resource and a URL at once, is refused', () => {
  assert.match(ignoreRule.safeParse({}).error?.message ?? '', /would ignore everything/)
  assert.match(
    ignoreRule.safeParse({ resources: ['a'], non_resource_urls: ['b'] }).error?.message ?? '',
    /make two rules/,
  )
  for (const rule of DEFAULT_IGNORES) assert(ignoreRule.safeParse(rule).success)
})

suite('the default rules', () => {
  const ignores = compileIgnores(DEFAULT_IGNORES)
  const noise: [string, Fields][] = [
    ['a probe', { ...url('/readyz?verbose'), ...by('system:anonymous') }],
    ['a scrape', { ...url('/metrics'), ...by('system:serviceaccount:monitoring:prometheus') }],
    ['a heartbeat', { ...lease, ...by('system:node:worker-1') }],
    ['leader election', { ...lease, ...by('system:kube-controller-manager') }],
    [
      'an event',
      { verb: 'create', objectRef: { resource: 'events', namespace: 'a', name: 'b' }, ...by('system:node:worker-1') },
    ],
    [
      'node status',
      { verb: 'patch', objectRef: { resource: 'nodes', name: 'w', subresource: 'status' }, ...by('system:node:w') },
    ],
    [
      'kube-proxy watching',
      { verb: 'watch', objectRef: { resource: 'services' }, ...by('system:serviceaccount:kube-system:kube-proxy') },
    ],
    ['the loopback reading', { verb: 'list', ...by('system:apiserver') }],
  ]
  for (const [name, fields] of noise) {
    test(`drop ${name}`, () => assert(ignores(event(fields))))
    test(`keep ${name} when it was refused`, () => assert(!ignores(event({ ...fields, ...FORBIDDEN }))))
    test(`keep ${name} in somebody else's name`, () =>
      assert(!ignores(event({ ...fields, impersonatedUser: { username: 'x' } }))))
  }
  const signal: [string, Fields][] = [
    ['a person reading', {}],
    ['a person touching a lease', lease],
    ['an anonymous scrape', { ...url('/metrics'), ...by('system:anonymous', ['system:unauthenticated']) }],
    ['an anonymous look at the version', { ...url('/version'), ...by('system:anonymous') }],
    [
      'a kubelet reading a secret',
      { verb: 'get', objectRef: { resource: 'secrets', namespace: 'a', name: 'b' }, ...by('system:node:w') },
    ],
    [
      'the loopback writing',
      { verb: 'create', objectRef: { resource: 'clusterrolebindings', name: 'x' }, ...by('system:apiserver') },
    ],
    [
      'a controller listing secrets',
      { verb: 'list', objectRef: { resource: 'secrets' }, ...by('system:kube-controller-manager') },
    ],
  ]
  for (const [name, fields] of signal) test(`keep ${name}`, () => assert(!ignores(event(fields))))
  test('are counted, and can be switched off', () => {
    assert.equal(decode([event(url('/healthz'))], { default_ignores: true }).filtered.ignored, 1)
    assert.equal(decode([event(url('/healthz'))], { default_ignores: false }).records.length, 1)
  })
})
