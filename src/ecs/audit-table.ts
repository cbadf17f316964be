/**
 * Kubernetes audit events: what stands here counts before `table.ts`.
 *
 * The raw names below `kubernetes.audit` are those of the event itself, dots in the keys of annotations written as `_`:
 * the shape that Elastic's Kubernetes integration stores and its detection rules read.
 */
import { double, flat, ip, keyword, long, longKeyword, type Targets } from './types.ts'

const raw = (path: string) => keyword(`kubernetes.audit.${path}`)
const annotation = (key: string) => longKeyword(`kubernetes.audit.annotations.${key.replaceAll('.', '_')}`)

/** Annotations that the API server and its own admission plugins write; others go where unknown attributes go. */
const ANNOTATIONS = [
  'authentication.k8s.io/legacy-token',
  'authentication.k8s.io/stale-token',
  'apiserver.latency.k8s.io/etcd',
  'apiserver.latency.k8s.io/response-write',
  'apiserver.latency.k8s.io/serialize-response-object',
  'apiserver.latency.k8s.io/total',
  'k8s.io/deprecated',
  'k8s.io/removed-release',
  'pod-security.kubernetes.io/audit-violations',
  'pod-security.kubernetes.io/enforce-policy',
  'pod-security.kubernetes.io/exempt',
  'validation.policy.admission.k8s.io/validation_failure',
]

export const AUDIT_TABLE: Readonly<Record<string, Targets>> = {
  'k8s.audit.id': raw('auditID'),
  'k8s.audit.stage': raw('stage'),
  'k8s.audit.level': raw('level'),
  'k8s.audit.verb': raw('verb'),
  'k8s.audit.request_uri': [longKeyword('kubernetes.audit.requestURI'), longKeyword('url.original')],
  'k8s.audit.response.code': [long('kubernetes.audit.responseStatus.code'), long('http.response.status_code')],
  'k8s.audit.response.status': raw('responseStatus.status'),
  'k8s.audit.response.reason': raw('responseStatus.reason'),
  'k8s.audit.response.message': longKeyword('kubernetes.audit.responseStatus.message'),
  'k8s.audit.latency': double('weir.k8s.audit.latency'),
  'k8s.audit.decision': annotation('authorization.k8s.io/decision'),
  'k8s.audit.decision.reason': annotation('authorization.k8s.io/reason'),
  ...Object.fromEntries(ANNOTATIONS.map((key) => [`k8s.audit.annotations.${key}`, annotation(key)])),
  'k8s.audit.object.resource': [raw('objectRef.resource'), keyword('orchestrator.resource.type')],
  'k8s.audit.object.subresource': raw('objectRef.subresource'),
  'k8s.audit.object.namespace': [
    raw('objectRef.namespace'),
    keyword('orchestrator.namespace'),
    keyword('kubernetes.namespace'),
  ],
  'k8s.audit.object.name': [raw('objectRef.name'), keyword('orchestrator.resource.name')],
  'k8s.audit.object.api_group': raw('objectRef.apiGroup'),
  'k8s.audit.object.api_version': [raw('objectRef.apiVersion'), keyword('orchestrator.api_version')],
  'k8s.audit.object.uid': [raw('objectRef.uid'), keyword('orchestrator.resource.id')],
  'k8s.audit.object.resource_version': raw('objectRef.resourceVersion'),
  // The resource of the orchestrator is the object, not the pod that somebody's enrichment found.
  'k8s.namespace.name': keyword('kubernetes.namespace'),
  'k8s.pod.name': keyword('kubernetes.pod.name'),
  'k8s.pod.uid': keyword('kubernetes.pod.uid'),
  'k8s.audit.cut': keyword('weir.k8s.audit.cut'),
  'user.name': [raw('user.username'), keyword('user.name')],
  'user.id': [raw('user.uid'), keyword('user.id')],
  'user.groups': [raw('user.groups'), keyword('user.group.name')],
  'k8s.audit.user.credential_id': keyword('weir.k8s.audit.user.credential_id'),
  'k8s.audit.user.pod.name': keyword('weir.k8s.audit.user.pod.name'),
  'k8s.audit.user.pod.uid': keyword('weir.k8s.audit.user.pod.uid'),
  'k8s.audit.user.node.name': keyword('weir.k8s.audit.user.node.name'),
  'k8s.audit.user.node.uid': keyword('weir.k8s.audit.user.node.uid'),
  'k8s.audit.user.extra.*': flat('kubernetes.audit.user.extra'),
  'user.effective.name': [raw('impersonatedUser.username'), keyword('user.effective.name')],
  'user.effective.id': [raw('impersonatedUser.uid'), keyword('user.effective.id')],
  'user.effective.groups': [raw('impersonatedUser.groups'), keyword('user.effective.group.name')],
  'k8s.audit.user.effective.extra.*': flat('kubernetes.audit.impersonatedUser.extra'),
  // It also fills `kubernetes.audit.sourceIPs`, as a list.
  'client.address': [keyword('client.address'), ip('client.ip'), keyword('source.address'), ip('source.ip')],
  'k8s.audit.source_ips': raw('sourceIPs'),
  'user_agent.original': [keyword('user_agent.original'), raw('userAgent')],
  'k8s.audit.target.kind': keyword('weir.k8s.audit.target.kind'),
  'k8s.audit.target.namespace': keyword('weir.k8s.audit.target.namespace'),
  'k8s.audit.target.name': keyword('weir.k8s.audit.target.name'),
  'k8s.audit.target.container': keyword('weir.k8s.audit.target.container'),
  'k8s.audit.target.command_args': longKeyword('weir.k8s.audit.target.command_args'),
  'k8s.audit.target.port': keyword('weir.k8s.audit.target.port'),
  'k8s.audit.target.path': longKeyword('weir.k8s.audit.target.path'),
}
