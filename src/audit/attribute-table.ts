/**
 * Every attribute of an audit record, with its type and meaning: the documentation is made from this table, and a
 * test holds it equal to what the decoder emits. A trailing `*` stands for a key that the event supplies.
 *
 * They answer an auditor's seven questions: what (`verb`, `response`, `decision`), when (the record's time), who
 * (`user`, `user.effective`), on what (`object`), observed where (`host.name` and `k8s.cluster.name` of the resource,
 * `log.file.path` on request), from where (`client`, `network.peer`, `user_agent`), going to where (`target`).
 *
 * Names of OpenTelemetry's semantic conventions where they have one; `k8s.audit.*`, `user.groups` and
 * `user.effective.*` are ours (ECS has `user.effective.*` with the same meaning).
 */

export interface AttributeSpec {
  readonly type: 'string' | 'string[]' | 'int' | 'double'
  readonly unit?: string
  readonly meaning: string
}

const text = (meaning: string): AttributeSpec => ({ type: 'string', meaning })
const texts = (meaning: string): AttributeSpec => ({ type: 'string[]', meaning })

export const AUDIT_ATTRIBUTES: Readonly<Record<string, AttributeSpec>> = {
  'log.record.uid': text('`auditID/stage`: the same for every reading of the same event.'),
  'log.time.original': text(
    'The time as the event told it, where no record can have it: no such date, before 1970 or after July 2554. The record then has another time of the event, or that of its reading.',
  ),
  'k8s.audit.id': text('Audit ID of the request, shared by its stages.'),
  'k8s.audit.stage': text('`RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.'),
  'k8s.audit.level': text('Level of the audit policy: `Metadata`, `Request` or `RequestResponse`.'),
  'k8s.audit.verb': text('Kubernetes verb; for non-resource requests the lower-cased HTTP method.'),
  'k8s.audit.request_uri': text('Request URI as sent, credentials replaced.'),
  'k8s.audit.response.code': { type: 'int', meaning: 'HTTP status of the response.' },
  'k8s.audit.response.status': text('`Success` or `Failure`, where the response said so.'),
  'k8s.audit.response.reason': text('Machine-readable reason of a refusal: `Forbidden`, `NotFound`, …'),
  'k8s.audit.response.message': text('What the API server told the client about a refusal.'),
  'k8s.audit.latency': { type: 'double', unit: 's', meaning: 'From the arrival of the request to this stage.' },
  'k8s.audit.decision': text('`allow` or `forbid`, as the authorizer decided.'),
  'k8s.audit.decision.reason': text('Why: for RBAC the binding and the role.'),
  'k8s.audit.annotations.*': text('Any other annotation, by its key.'),
  'k8s.audit.object.resource': text('Resource of the request, plural: `pods`.'),
  'k8s.audit.object.subresource': text('`exec`, `status`, …'),
  'k8s.audit.object.namespace': text('Namespace of the object (not of the actor).'),
  'k8s.audit.object.name': text('Name of the object; for a new one that the server named, from the response.'),
  'k8s.audit.object.api_group': text('API group; absent for the core group.'),
  'k8s.audit.object.api_version': text('API version.'),
  'k8s.audit.object.uid': text('UID of the object.'),
  'k8s.audit.object.resource_version': text('Resource version of the object.'),
  'k8s.audit.request_object': text('Request body as JSON, redacted. On request.'),
  'k8s.audit.response_object': text('Response body as JSON, redacted. On request.'),
  'k8s.audit.cut': texts(
    'Which of the JSON attributes were longer than 1048576 characters and were cut; counted in `dropped_attributes_count`.',
  ),
  'log.record.original': text('The whole event as JSON, redacted. On request.'),
  'user.name': text('Authenticated user.'),
  'user.id': text('UID of the user, where the authenticator knows one.'),
  'user.groups': texts('Groups of the user.'),
  'k8s.service_account.name': text('Name of the service account, when the user is one.'),
  'k8s.service_account.namespace': text('Its namespace: that of the actor, not of the object.'),
  'k8s.audit.user.credential_id': text(
    'Which credential was used: `JTI=…` of a token, `X509SHA256=…` of a certificate.',
  ),
  'k8s.audit.user.pod.name': text('Pod that the token was issued to.'),
  'k8s.audit.user.pod.uid': text('UID of that pod.'),
  'k8s.audit.user.node.name': text('Node of that pod.'),
  'k8s.audit.user.node.uid': text('UID of that node.'),
  'k8s.audit.user.extra.*': texts('Whatever else the authenticator says, by its key.'),
  'user.effective.name': text('The user that was impersonated.'),
  'user.effective.id': text('UID of that user.'),
  'user.effective.groups': texts('Groups of that user.'),
  'k8s.audit.user.effective.extra.*': texts('Extra fields of that user.'),
  'client.address': text('First source address. All but the last of several are claims of the client or a proxy.'),
  'network.peer.address': text('Address of the connection itself, when there are several.'),
  'k8s.audit.source_ips': texts('All source addresses, when there are several.'),
  'user_agent.original': text('User agent, credentials replaced. Chosen by the client.'),
  'k8s.audit.target.kind': text('Where the request was going: `pod`, `node`, `service` or `url`.'),
  'k8s.audit.target.namespace': text('Namespace of that pod or service.'),
  'k8s.audit.target.name': text('Name of that pod, node or service.'),
  'k8s.audit.target.container': text('Container of `exec`, `attach` and `log`.'),
  'k8s.audit.target.command_args': texts('Command line of `exec`, credentials replaced.'),
  'k8s.audit.target.port': text('Port of `proxy`, number or name; ports of `portforward`, joined by commas.'),
  'k8s.audit.target.path': text('Path behind the proxy, or of a non-resource request.'),
}
