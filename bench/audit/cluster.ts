/** The cluster that the generated log is about: its nodes, workloads, people and machines. */
import type { Random } from './random.ts'

export interface Workload {
  readonly namespace: string
  readonly name: string
  readonly image: string
  readonly port: number
  readonly templateHash: string
  readonly pods: readonly Pod[]
}

export interface Pod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly ip: string
  readonly workload: string
}

export interface Identity {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
  readonly agent: string
  readonly addresses: readonly string[]
  /** Namespaces they may touch; the rest is forbidden to them. */
  readonly namespaces: readonly string[]
  /** The binding that lets them. */
  readonly binding: string
}

export interface Cluster {
  readonly nodes: readonly { readonly name: string; readonly ip: string; readonly identity: Identity }[]
  readonly workloads: readonly Workload[]
  readonly pods: readonly Pod[]
  readonly people: readonly Identity[]
  readonly ci: readonly Identity[]
  readonly controllers: Readonly<
    Record<'manager' | 'scheduler' | 'deployment' | 'replicaset' | 'endpointslice' | 'gc', Identity>
  >
  readonly operators: readonly Identity[]
  readonly apiserver: Identity
  readonly proxy: Identity
}

export const NAMESPACES = ['payments', 'checkout', 'catalog', 'search', 'platform', 'monitoring'] as const
const APPS: readonly (readonly [namespace: string, name: string, replicas: number, port: number])[] = [
  ['payments', 'api', 4, 8080],
  ['payments', 'ledger', 3, 9000],
  ['payments', 'fraud-scorer', 2, 8500],
  ['checkout', 'cart', 4, 8080],
  ['checkout', 'web', 5, 3000],
  ['catalog', 'products', 3, 8080],
  ['catalog', 'images', 2, 8081],
  ['search', 'query', 3, 9200],
  ['search', 'indexer', 2, 9300],
  ['platform', 'ingress-controller', 2, 8443],
  ['platform', 'cert-manager', 1, 9402],
  ['monitoring', 'prometheus', 2, 9090],
  ['monitoring', 'grafana', 1, 3000],
]
const COMMIT = '5864a4677267e6adeae276ad85882a8714d69d9d'
const VERSION = 'v1.31.2'

export function createCluster(random: Random): Cluster {
  const nodes = Array.from({ length: 6 }, (_, i) => createNode(`worker-${i + 1}`, `10.0.1.${11 + i}`, random))
  const workloads = APPS.map(([namespace, name, replicas, port], i) => {
    const templateHash = random.suffix(9)
    const pods = Array.from({ length: replicas }, (): Pod => {
      const node = random.pick(nodes)
      const ip = `10.244.${1 + random.below(6)}.${2 + random.below(250)}`
      const full = `${name}-${templateHash}-${random.suffix(5)}`
      return { namespace, name: full, uid: random.uuid(), node: node.name, ip, workload: name }
    })
    return { namespace, name, image: `registry.example.com/${namespace}/${name}:2.${i}.7`, port, templateHash, pods }
  })
  const pods = workloads.flatMap((workload) => workload.pods)
  return {
    nodes,
    workloads,
    pods,
    people: createPeople(),
    ci: createCi(random, pods),
    operators: createOperators(random, pods),
    controllers: {
      manager: controlPlane('system:kube-controller-manager', 'kube-controller-manager', 'leader-election'),
      scheduler: controlPlane('system:kube-scheduler', 'kube-scheduler', 'scheduler'),
      deployment: controller('deployment-controller', random),
      replicaset: controller('replicaset-controller', random),
      endpointslice: controller('endpointslice-controller', random),
      gc: controller('generic-garbage-collector', random),
    },
    apiserver: {
      username: 'system:apiserver',
      uid: random.uuid(),
      groups: ['system:authenticated', 'system:masters'],
      agent: `kube-apiserver/${VERSION} (linux/amd64) kubernetes/5864a46`,
      addresses: ['::1'],
      namespaces: ['*'],
      binding: '',
    },
    proxy: serviceAccount(
      'kube-system',
      'kube-proxy',
      `kube-proxy/${VERSION} (linux/amd64) kubernetes/5864a46`,
      '10.0.1.12',
      'system:node-proxier',
      random,
    ),
  }
}

function createNode(name: string, ip: string, random: Random): Cluster['nodes'][number] {
  const identity: Identity = {
    username: `system:node:${name}`,
    groups: ['system:nodes', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${random.hex(64)}`] },
    agent: `kubelet/${VERSION} (linux/amd64) kubernetes/5864a46`,
    addresses: [ip],
    namespaces: ['*'],
    binding: '',
  }
  return { name, ip, identity }
}

function controlPlane(username: string, agent: string, part: string): Identity {
  return {
    username,
    groups: ['system:authenticated'],
    agent: `${agent}/${VERSION} (linux/amd64) kubernetes/5864a46/${part}`,
    addresses: ['10.0.0.10'],
    namespaces: ['*'],
    binding: username,
  }
}

function controller(name: string, random: Random): Identity {
  const agent = `kube-controller-manager/${VERSION} (linux/amd64) kubernetes/5864a46/system:serviceaccount:kube-system:${name}`
  return serviceAccount('kube-system', name, agent, '10.0.0.10', `system:controller:${name}`, random)
}

function serviceAccount(
  namespace: string,
  name: string,
  agent: string,
  address: string,
  binding: string,
  random: Random,
  pod?: Pod,
): Identity {
  const extra: Record<string, readonly string[]> = {
    'authentication.kubernetes.io/credential-id': [`JTI=${random.uuid()}`],
  }
  if (pod !== undefined) {
    extra['authentication.kubernetes.io/node-name'] = [pod.node]
    extra['authentication.kubernetes.io/node-uid'] = [random.uuid()]
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid: random.uuid(),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra,
    agent,
    addresses: [address],
    namespaces: ['*'],
    binding,
  }
}

function createPeople(): Identity[] {
  const people: readonly (readonly [string, readonly string[], readonly string[], string, string])[] = [
    ['alice', ['payments-admins', 'developers'], ['payments'], 'v1.31.0', '203.0.113.7'],
    ['bob', ['developers'], ['checkout', 'catalog'], 'v1.30.4', '203.0.113.21'],
    ['carol', ['sre', 'developers'], ['*'], 'v1.31.2', '198.51.100.4'],
    ['dave', ['search-team', 'developers'], ['search'], 'v1.29.9', '198.51.100.33'],
    ['erin', ['sre', 'developers'], ['*'], 'v1.31.1', '203.0.113.90'],
    ['frank', ['developers'], ['catalog'], 'v1.28.3', '192.0.2.44'],
  ]
  return people.map(([name, groups, namespaces, version, address], i) => ({
    username: `oidc:${name}@example.com`,
    groups: [...groups.map((group) => `oidc:${group}`), 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${name}-session-${i}`] },
    agent: `kubectl/${version} (${i % 2 === 0 ? 'darwin/arm64' : 'linux/amd64'}) kubernetes/${COMMIT.slice(0, 7)}`,
    addresses: i % 3 === 0 ? [address] : [address, '10.0.0.5'],
    namespaces,
    binding: groups[0] as string,
  }))
}

function createCi(random: Random, pods: readonly Pod[]): Identity[] {
  return ['payments', 'checkout', 'catalog'].map((namespace, i) => ({
    ...serviceAccount(
      'ci',
      `deployer-${namespace}`,
      'helm/v3.16.2 (linux/amd64) kubernetes/$Format',
      `10.244.9.${20 + i}`,
      `deployer-${namespace}`,
      random,
      pods[i],
    ),
    namespaces: [namespace],
  }))
}

function createOperators(random: Random, pods: readonly Pod[]): Identity[] {
  const find = (workload: string): Pod | undefined => pods.find((pod) => pod.workload === workload)
  return [
    serviceAccount(
      'monitoring',
      'prometheus',
      'Prometheus/2.55.0',
      '10.244.3.17',
      'prometheus',
      random,
      find('prometheus'),
    ),
    serviceAccount(
      'platform',
      'cert-manager',
      'cert-manager-controller/v1.16.1 (linux/amd64) cert-manager/7d0ea4b',
      '10.244.2.41',
      'cert-manager-controller',
      random,
      find('cert-manager'),
    ),
    serviceAccount(
      'platform',
      'ingress-controller',
      'nginx-ingress-controller/v1.11.3 (linux/amd64) ingress-nginx/0106de6',
      '10.244.5.8',
      'ingress-controller',
      random,
      find('ingress-controller'),
    ),
  ]
}
