/** What the control plane and the kubelets say all day. */
import { tokenRequestBody } from './bodies.ts'
import { core, ref, type Scene } from './call.ts'
import { type Identity, NAMESPACES } from './cluster.ts'

export const lease: Scene = ({ nodes, controllers }, random) => {
  const node = random.pick(nodes)
  const isNode = random.chance(0.6)
  const who = isNode ? node.identity : random.pick([controllers.manager, controllers.scheduler])
  const namespace = isNode ? 'kube-node-lease' : 'kube-system'
  const name = isNode ? node.name : who.username.slice('system:'.length)
  return [
    {
      who,
      verb: random.chance(0.6) ? 'update' : 'get',
      uri: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}?timeout=10s`,
      level: 'Metadata',
      object: ref('leases', namespace, name, 'coordination.k8s.io'),
    },
  ]
}

export const probe: Scene = ({ nodes }, random) => {
  const who: Identity = {
    username: 'system:anonymous',
    groups: ['system:unauthenticated'],
    agent: 'kube-probe/1.31',
    addresses: [random.pick(nodes).ip],
    namespaces: [],
    binding: 'system:public-info-viewer',
  }
  return [{ who, verb: 'get', uri: random.pick(['/livez', '/readyz', '/healthz?timeout=32s']), level: 'Metadata' }]
}

export const nodeStatus: Scene = ({ nodes }, random) => {
  const { name, identity } = random.pick(nodes)
  const patch = {
    status: {
      conditions: [{ lastHeartbeatTime: '2026-11-02T03:04:05Z', type: 'Ready' }],
      allocatable: { cpu: '7910m' },
    },
  }
  return [
    {
      who: identity,
      verb: 'get',
      uri: `/api/v1/nodes/${name}?resourceVersion=0&timeout=10s`,
      level: 'Metadata',
      object: ref('nodes', '', name),
    },
    {
      who: identity,
      verb: 'patch',
      uri: `/api/v1/nodes/${name}/status?timeout=10s`,
      level: 'Request',
      object: ref('nodes', '', name, '', 'v1', 'status'),
      request: patch,
    },
  ]
}

export const recordEvent: Scene = ({ nodes, pods }, random) => {
  const pod = random.pick(pods)
  const who = nodes.find(({ name }) => name === pod.node)?.identity as Identity
  return [
    {
      who,
      verb: 'create',
      uri: core(pod.namespace, 'events'),
      level: 'Metadata',
      code: 201,
      object: ref('events', pod.namespace, `${pod.name}.${random.hex(16)}`),
    },
  ]
}

export const endpoints: Scene = ({ controllers, workloads }, random) => {
  const { namespace, name } = random.pick(workloads)
  const slice = `${name}-${random.suffix(5)}`
  return [
    {
      who: controllers.endpointslice,
      verb: 'update',
      uri: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${slice}`,
      level: 'Metadata',
      object: ref('endpointslices', namespace, slice, 'discovery.k8s.io'),
    },
  ]
}

export const watch: Scene = ({ nodes, proxy, controllers, operators }, random) => {
  const resource = random.pick(['pods', 'services', 'configmaps', 'secrets', 'endpoints', 'nodes'])
  const who = random.pick([random.pick(nodes).identity, proxy, controllers.manager, random.pick(operators)])
  const seconds = 300 + random.below(300)
  const uri = `/api/v1/${resource}?allowWatchBookmarks=true&resourceVersion=${41_000_000 + random.below(900_000)}&timeout=${Math.floor(seconds / 60)}m${seconds % 60}s&timeoutSeconds=${seconds}&watch=true`
  return [{ who, verb: 'watch', uri, level: 'Metadata', object: ref(resource, '', ''), lasts: seconds }]
}

export const loopback: Scene = ({ apiserver }, random) => {
  const resource = random.pick(['resourcequotas', 'limitranges', 'serviceaccounts'])
  const namespace = random.pick(NAMESPACES)
  return [
    {
      who: apiserver,
      verb: 'list',
      uri: core(namespace, resource, '?limit=500&resourceVersion=0'),
      level: 'Metadata',
      object: ref(resource, namespace, ''),
    },
  ]
}

export const token: Scene = ({ nodes, pods }, random) => {
  const pod = random.pick(pods)
  const who = nodes.find(({ name }) => name === pod.node)?.identity as Identity
  return [
    {
      who,
      verb: 'create',
      uri: core(pod.namespace, 'serviceaccounts', `/${pod.workload}/token`),
      level: random.chance(0.3) ? 'RequestResponse' : 'Metadata',
      code: 201,
      object: ref('serviceaccounts', pod.namespace, pod.workload, '', 'v1', 'token'),
      request: tokenRequestBody(random, pod, false),
      response: tokenRequestBody(random, pod, true),
    },
  ]
}
