/**
 * What a healthy cluster says to itself all day. Only successful requests, made in nobody else's name, by users that
 * the control plane owns; a refusal, an impersonation or a stranger doing the same always passes.
 */
import type { IgnoreRule } from './ignore.ts'

const CONTROL_PLANE = [
  'system:apiserver',
  'system:kube-controller-manager',
  'system:cloud-controller-manager',
  'system:kube-scheduler',
  'system:kube-proxy',
  'system:node:*',
  'system:serviceaccount:kube-system:*',
]
const READ = ['get', 'list', 'watch']
const WRITE = ['create', 'update', 'patch', 'delete']

export const DEFAULT_IGNORES: readonly IgnoreRule[] = [
  // Probes and scrapes.
  {
    non_resource_urls: ['/healthz', '/healthz/*', '/livez', '/livez/*', '/readyz', '/readyz/*'],
    verbs: ['get', 'head'],
  },
  { non_resource_urls: ['/metrics', '/metrics/*'], verbs: ['get'], groups: ['system:authenticated'] },
  // Heartbeats and leader election.
  { resources: ['leases.coordination.k8s.io'], users: CONTROL_PLANE, verbs: [...READ, 'create', 'update', 'patch'] },
  // Events that components record.
  { resources: ['events', 'events.events.k8s.io'], users: CONTROL_PLANE, verbs: ['create', 'update', 'patch'] },
  // Kubelets reporting on their own node and its pods.
  { resources: ['nodes', 'nodes/status'], users: ['system:node:*'], verbs: ['get', 'update', 'patch'] },
  { resources: ['pods/status'], users: ['system:node:*'], verbs: ['get', 'update', 'patch'] },
  {
    resources: ['csinodes.storage.k8s.io', 'runtimeclasses.node.k8s.io', 'csidrivers.storage.k8s.io'],
    users: ['system:node:*'],
    verbs: READ,
  },
  // A kubelet asking whether its own caller may do what it asks.
  {
    resources: ['subjectaccessreviews.authorization.k8s.io', 'tokenreviews.authentication.k8s.io'],
    users: ['system:node:*'],
    verbs: ['create'],
  },
  // Service routing.
  {
    resources: ['endpoints', 'endpointslices.discovery.k8s.io', 'services', 'nodes', 'servicecidrs.networking.k8s.io'],
    users: ['system:kube-proxy', 'system:serviceaccount:kube-system:kube-proxy'],
    verbs: READ,
  },
  {
    resources: ['endpoints', 'endpointslices.discovery.k8s.io'],
    users: [
      'system:apiserver',
      'system:kube-controller-manager',
      'system:serviceaccount:kube-system:endpoint-controller',
      'system:serviceaccount:kube-system:endpointslice-controller',
      'system:serviceaccount:kube-system:endpointslicemirroring-controller',
    ],
    verbs: [...READ, ...WRITE],
  },
  // The API server talking to itself over loopback: reads only, its writes are rare and worth seeing.
  { resources: ['*'], users: ['system:apiserver'], verbs: READ },
].map((rule) => ({ ...rule, only_successful: true }))
