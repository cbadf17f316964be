/** People with kubectl: what they usually do, and where they may not. */
import { accessReviewBody, secretBody } from './bodies.ts'
import { core, ref, type Scene } from './call.ts'
import type { Identity, Pod, Workload } from './cluster.ts'
import type { Call } from './event.ts'
import { type Random, weighted } from './random.ts'

/** What a person may do here is done, what they may not is refused. */
function attempt(who: Identity, call: Omit<Call, 'who'>, namespace: string): Call {
  if (who.namespaces.includes('*') || who.namespaces.includes(namespace)) return { who, ...call }
  const { resource = 'pods', name = '', subresource = '' } = call.object ?? {}
  const message = `${resource}${name && ` "${name}"`} is forbidden: User "${who.username}" cannot ${call.verb} resource "${resource}${subresource && `/${subresource}`}" in API group "" in the namespace "${namespace}"`
  const { response: _, lasts: __, ...rest } = call
  return { who, ...rest, code: 403, reason: 'Forbidden', message }
}

type Habit = (pod: Pod, workload: Workload, random: Random) => Omit<Call, 'who'>

const habit = weighted<Habit>([
  [
    30,
    ({ namespace }) => ({
      verb: 'list',
      uri: core(namespace, 'pods', '?limit=500'),
      level: 'Metadata',
      object: ref('pods', namespace, ''),
    }),
  ],
  [
    15,
    ({ namespace, name }) => ({
      verb: 'get',
      uri: core(namespace, 'pods', `/${name}`),
      level: 'Metadata',
      object: ref('pods', namespace, name),
    }),
  ],
  [
    14,
    ({ namespace, name }, { name: container }) => ({
      verb: 'get',
      uri: core(namespace, 'pods', `/${name}/log?container=${container}&follow=true`),
      level: 'Metadata',
      object: ref('pods', namespace, name, '', 'v1', 'log'),
      lasts: 25,
    }),
  ],
  [
    6,
    ({ namespace, name }, { name: container }) => ({
      verb: 'get',
      uri: core(
        namespace,
        'pods',
        `/${name}/exec?command=sh&command=-c&command=ls+%2Ftmp&container=${container}&stderr=true&stdout=true`,
      ),
      level: 'Request',
      code: 101,
      object: ref('pods', namespace, name, '', 'v1', 'exec'),
      lasts: 12,
      announced: true,
    }),
  ],
  [
    4,
    ({ namespace, name }) => ({
      verb: 'create',
      uri: core(namespace, 'pods', `/${name}/portforward`),
      level: 'Request',
      code: 101,
      object: ref('pods', namespace, name, '', 'v1', 'portforward'),
      lasts: 60,
    }),
  ],
  [
    8,
    ({ namespace }, _, random) => ({
      verb: 'get',
      uri: core(namespace, 'secrets', '/db-credentials'),
      level: 'RequestResponse',
      object: ref('secrets', namespace, 'db-credentials'),
      response: secretBody(namespace, 'db-credentials', random),
    }),
  ],
  [
    3,
    ({ namespace }) => ({
      verb: 'delete',
      uri: core(namespace, 'secrets', '/db-credentials'),
      level: 'Request',
      object: ref('secrets', namespace, 'db-credentials'),
    }),
  ],
  [
    6,
    ({ namespace }, { name, pods }) => ({
      verb: 'patch',
      uri: `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`,
      level: 'Request',
      object: ref('deployments', namespace, name, 'apps', 'v1', 'scale'),
      request: { spec: { replicas: pods.length + 1 } },
      announced: true,
    }),
  ],
  [
    3,
    ({ namespace, name }) => ({
      verb: 'create',
      uri: core(namespace, 'pods', `/${name}/eviction`),
      level: 'Request',
      code: 201,
      object: ref('pods', namespace, name, '', 'v1', 'eviction'),
      request: { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name, namespace } },
    }),
  ],
  [
    8,
    ({ namespace }) => ({
      verb: 'create',
      uri: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      level: 'Request',
      code: 201,
      object: ref('selfsubjectaccessreviews', '', '', 'authorization.k8s.io'),
      request: accessReviewBody('delete', 'pods', namespace),
    }),
  ],
  [
    3,
    ({ namespace }) => ({
      verb: 'list',
      uri: core(namespace, 'pods'),
      level: 'Metadata',
      object: ref('pods', namespace, ''),
      impersonated: { username: 'oidc:frank@example.com', groups: ['system:authenticated'] },
    }),
  ],
])

export const person: Scene = ({ people, workloads }, random) => {
  const who = random.pick(people)
  const mine = random.chance(0.94)
  const reachable = workloads.filter(
    ({ namespace }) => who.namespaces.includes('*') || who.namespaces.includes(namespace),
  )
  const workload = random.pick(mine ? reachable : workloads)
  const pod = random.pick(workload.pods)
  const discovery: Call[] = random.chance(0.3)
    ? [
        {
          who,
          verb: 'get',
          uri: random.pick(['/api?timeout=32s', '/apis?timeout=32s', '/version', '/openapi/v3']),
          level: 'Metadata',
        },
      ]
    : []
  return [...discovery, attempt(who, habit(random)(pod, workload, random), workload.namespace)]
}
