/**
 * How loud an audit event is.
 *
 * | severity | when |
 * | --- | --- |
 * | error (17) | the API server panicked |
 * | warn (13) | refused: 401, 403 or an authorizer's `forbid`; failed: 5xx |
 * | low (10) | reaches into a workload (`exec`, `attach`, `portforward`, `proxy`, ephemeral containers), writes a secret, changes who may do what (roles and bindings, webhooks, API services, certificate approvals, tokens asked for by others than nodes), deletes a whole collection, or acts as somebody else |
 * | info (9) | everything else; 404, 409 and the like are everyday answers to controllers |
 */
import { SEVERITY } from '../records/severity.ts'
import type { Request } from './request.ts'

const REACHES_IN = new Set(['exec', 'attach', 'portforward', 'proxy'])

const GUARDED = new Set([
  'secrets',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'apiservices',
  'podsecuritypolicies',
])

/** The severity of a request, by the table above. */
export function severityOf(request: Request, decision: string): number {
  const { code, stage } = request
  if (stage === 'Panic') return SEVERITY.error
  if (code === 403 || code === 401 || code >= 500 || decision === 'forbid') return SEVERITY.warn
  if (request.effective !== undefined) return SEVERITY.low
  return isSensitive(request) ? SEVERITY.low : SEVERITY.info
}

function isSensitive({ verb, resource, subresource, actor }: Request): boolean {
  if (subresource !== '' && REACHES_IN.has(subresource)) return true
  if (verb === 'get' || verb === 'list' || verb === 'watch') return false
  switch (subresource) {
    case '':
      return verb === 'deletecollection' || GUARDED.has(resource)
    case 'approval':
    case 'ephemeralcontainers':
      return true
    case 'token':
      return !actor.name.startsWith('system:node:')
    default:
      return false
  }
}
