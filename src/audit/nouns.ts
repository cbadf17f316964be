/** What resources are called in English, one and many, and which of them live outside namespaces. */
import { boundedCache } from '../records/bounded-cache.ts'

export interface Noun {
  readonly one: string
  readonly many: string
  /** False for resources known to be cluster-scoped, undefined for those nobody told us about. */
  readonly namespaced: boolean | undefined
}

// Built-in resources whose names are several words, or no regular plural.
const NAMESPACED: Record<string, string> = {
  configmaps: 'configmap',
  controllerrevisions: 'controller revision',
  cronjobs: 'cronjob',
  csistoragecapacities: 'CSI storage capacity',
  daemonsets: 'daemonset',
  deployments: 'deployment',
  endpoints: 'endpoints',
  endpointslices: 'endpoint slice',
  events: 'event',
  horizontalpodautoscalers: 'horizontal pod autoscaler',
  ingresses: 'ingress',
  jobs: 'job',
  leases: 'lease',
  limitranges: 'limit range',
  localsubjectaccessreviews: 'local subject access review',
  networkpolicies: 'network policy',
  persistentvolumeclaims: 'persistent volume claim',
  poddisruptionbudgets: 'pod disruption budget',
  pods: 'pod',
  podtemplates: 'pod template',
  replicasets: 'replicaset',
  replicationcontrollers: 'replication controller',
  resourceclaims: 'resource claim',
  resourceclaimtemplates: 'resource claim template',
  resourcequotas: 'resource quota',
  rolebindings: 'role binding',
  roles: 'role',
  secrets: 'secret',
  serviceaccounts: 'service account',
  services: 'service',
  statefulsets: 'statefulset',
}

const CLUSTER_SCOPED: Record<string, string> = {
  apiservices: 'API service',
  certificatesigningrequests: 'certificate signing request',
  clusterrolebindings: 'cluster role binding',
  clusterroles: 'cluster role',
  clustertrustbundles: 'cluster trust bundle',
  componentstatuses: 'component status',
  csidrivers: 'CSI driver',
  csinodes: 'CSI node',
  customresourcedefinitions: 'custom resource definition',
  deviceclasses: 'device class',
  flowschemas: 'flow schema',
  groups: 'group',
  ingressclasses: 'ingress class',
  ipaddresses: 'IP address',
  mutatingadmissionpolicies: 'mutating admission policy',
  mutatingadmissionpolicybindings: 'mutating admission policy binding',
  mutatingwebhookconfigurations: 'mutating webhook configuration',
  namespaces: 'namespace',
  nodes: 'node',
  persistentvolumes: 'persistent volume',
  podsecuritypolicies: 'pod security policy',
  priorityclasses: 'priority class',
  prioritylevelconfigurations: 'priority level configuration',
  resourceslices: 'resource slice',
  runtimeclasses: 'runtime class',
  selfsubjectaccessreviews: 'self subject access review',
  selfsubjectreviews: 'self subject review',
  selfsubjectrulesreviews: 'self subject rules review',
  servicecidrs: 'service CIDR',
  storageclasses: 'storage class',
  subjectaccessreviews: 'subject access review',
  tokenreviews: 'token review',
  users: 'user',
  validatingadmissionpolicies: 'validating admission policy',
  validatingadmissionpolicybindings: 'validating admission policy binding',
  validatingwebhookconfigurations: 'validating webhook configuration',
  volumeattachments: 'volume attachment',
  volumeattributesclasses: 'volume attributes class',
}

const IRREGULAR_ONE: Record<string, string> = { prometheuses: 'prometheus', caches: 'cache', metrics: 'metrics' }

/** The noun for a resource as a URL spells it: `networkpolicies` -> network policy, network policies. */
export const nounOf = boundedCache<Noun>(1024, (resource) => {
  const inNamespace = Object.hasOwn(NAMESPACED, resource) ? NAMESPACED[resource] : undefined
  const inCluster = Object.hasOwn(CLUSTER_SCOPED, resource) ? CLUSTER_SCOPED[resource] : undefined
  const known = inNamespace ?? inCluster
  if (known === undefined) return { one: singular(resource), many: resource.slice(0, 200), namespaced: undefined }
  return { one: known, many: plural(known), namespaced: inNamespace !== undefined }
})

/** Custom resources: by rule where the plural looks regular, else the resource's own name. */
function singular(resource: string): string {
  const irregular = Object.hasOwn(IRREGULAR_ONE, resource) ? IRREGULAR_ONE[resource] : undefined
  if (irregular !== undefined) return irregular
  const name = resource.slice(0, 200)
  if (name.length < 4) return name
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`
  if (/(?:ss|sh|ch|x|zz)es$/.test(name)) return name.slice(0, -2)
  return name.endsWith('s') && !/(?:ss|us|is)$/.test(name) ? name.slice(0, -1) : name
}

function plural(noun: string): string {
  if (noun.endsWith('endpoints')) return noun
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`
  return /(?:s|x|sh|ch)$/.test(noun) ? `${noun}es` : `${noun}s`
}

/** `a pod`, `an ingress`: by the first letter, which is right for every noun above except `user`. */
export function withArticle(noun: string): string {
  return /^[aeio]/i.test(noun) ? `an ${noun}` : `a ${noun}`
}
