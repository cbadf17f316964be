/**
 * The marked attack: the token of a workload is used from elsewhere to look around, to read secrets, to start a
 * privileged pod and to run commands in it. Every event of it carries the annotation `weir.dev/scenario`, which no
 * API server would write: tests find the events by it, detections must not use it.
 */
import { podBody, secretBody } from './bodies.ts'
import type { Cluster, Identity, Pod, Workload } from './cluster.ts'
import type { Call } from './event.ts'
import type { Random } from './random.ts'

export const SCENARIO_ANNOTATION = 'weir.dev/scenario'
export const SCENARIO = 'stolen-service-account-token'

/** The calls of the attack, in their order. */
export function attackCalls(cluster: Cluster, random: Random): Call[] {
  const workload = cluster.workloads.find(({ name }) => name === 'fraud-scorer') as Workload
  const victim = workload.pods[0] as Pod
  const thief = identityOf(victim, random)
  const { namespace } = workload
  const annotations = { [SCENARIO_ANNOTATION]: SCENARIO }
  const evil: Pod = { ...victim, name: 'node-debugger', uid: random.uuid() }
  const body = podBody({ ...workload, image: 'docker.io/library/alpine:3' }, evil, random, true)
  const pods = `/api/v1/namespaces/${namespace}/pods`
  const exec = (command: string): Call => ({
    who: thief,
    verb: 'create',
    uri: `${pods}/node-debugger/exec?command=${command.split(' ').map(encodeURIComponent).join('&command=')}&container=fraud-scorer&stdin=true&stdout=true&tty=true`,
    level: 'Request',
    code: 101,
    object: { resource: 'pods', namespace, name: 'node-debugger', apiVersion: 'v1', subresource: 'exec' },
    lasts: 8,
  })
  const denied = (uri: string, object: Record<string, string>): Call => ({
    who: thief,
    verb: 'list',
    uri,
    level: 'Metadata',
    object,
    code: 403,
    reason: 'Forbidden',
    message: `${object['resource']} is forbidden: User "${thief.username}" cannot list resource "${object['resource']}" in API group "" at the cluster scope`,
  })
  const calls: Call[] = [
    { who: thief, verb: 'get', uri: '/version', level: 'Metadata' },
    {
      who: thief,
      verb: 'create',
      uri: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      level: 'Request',
      code: 201,
      object: { resource: 'selfsubjectrulesreviews', apiGroup: 'authorization.k8s.io', apiVersion: 'v1' },
      request: { kind: 'SelfSubjectRulesReview', apiVersion: 'authorization.k8s.io/v1', spec: { namespace } },
    },
    denied('/api/v1/nodes?limit=500', { resource: 'nodes', apiVersion: 'v1' }),
    denied('/api/v1/secrets?limit=500', { resource: 'secrets', apiVersion: 'v1' }),
    {
      who: thief,
      verb: 'list',
      uri: `/api/v1/namespaces/${namespace}/secrets?limit=500`,
      level: 'RequestResponse',
      object: { resource: 'secrets', namespace, apiVersion: 'v1' },
      response: {
        kind: 'SecretList',
        apiVersion: 'v1',
        metadata: { resourceVersion: '1' },
        items: [secretBody(namespace, 'db-credentials', random)],
      },
    },
    {
      who: thief,
      verb: 'get',
      uri: `/api/v1/namespaces/${namespace}/secrets/db-credentials`,
      level: 'RequestResponse',
      object: { resource: 'secrets', namespace, name: 'db-credentials', apiVersion: 'v1' },
      response: secretBody(namespace, 'db-credentials', random),
    },
    {
      who: thief,
      verb: 'create',
      uri: pods,
      level: 'RequestResponse',
      code: 201,
      object: { resource: 'pods', namespace, name: 'node-debugger', apiVersion: 'v1' },
      request: body,
      response: body,
      announced: true,
    },
    exec('chroot /host sh -c id'),
    exec('cat /host/etc/kubernetes/admin.conf'),
    {
      who: thief,
      verb: 'delete',
      uri: `${pods}/node-debugger`,
      level: 'Request',
      object: { resource: 'pods', namespace, name: 'node-debugger', apiVersion: 'v1' },
    },
  ]
  return calls.map((call) => ({ ...call, annotations }))
}

function identityOf(pod: Pod, random: Random): Identity {
  return {
    username: `system:serviceaccount:${pod.namespace}:${pod.workload}`,
    uid: random.uuid(),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${pod.namespace}`, 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${random.uuid()}`],
      'authentication.kubernetes.io/node-name': [pod.node],
      'authentication.kubernetes.io/pod-name': [pod.name],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
    },
    agent: 'curl/8.5.0',
    addresses: ['192.0.2.199'],
    namespaces: [pod.namespace],
    binding: 'legacy-edit',
  }
}
