/**
 * The wire form of an audit event, as far as it may be believed: every field of an untrusted line is `unknown`
 * until it was looked at.
 *
 * Fields: `k8s.io/apiserver/pkg/apis/audit/v1` (types.go), `Event` and `EventList`; `v1beta1` adds `metadata` and
 * `timestamp` to the same fields.
 */

export type JsonMap = Record<string, unknown>

export interface AuditEvent {
  readonly kind?: unknown
  readonly apiVersion?: unknown
  readonly metadata?: unknown
  readonly timestamp?: unknown
  readonly level?: unknown
  readonly auditID?: unknown
  readonly stage?: unknown
  readonly requestURI?: unknown
  readonly verb?: unknown
  readonly user?: unknown
  readonly impersonatedUser?: unknown
  readonly sourceIPs?: unknown
  readonly userAgent?: unknown
  readonly objectRef?: unknown
  readonly responseStatus?: unknown
  readonly requestObject?: unknown
  readonly responseObject?: unknown
  readonly requestReceivedTimestamp?: unknown
  readonly stageTimestamp?: unknown
  readonly annotations?: unknown
}

export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

/** `None` never reaches a log: it is listed because a policy may name it. */
export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The HTTP status that the event tells of, also where it came as text; 0 when it is none. */
export function statusCode({ responseStatus }: AuditEvent): number {
  const told = isMap(responseStatus) ? responseStatus['code'] : undefined
  const code = typeof told === 'string' && /^\d{3}$/.test(told) ? Number(told) : told
  return typeof code === 'number' && code > 0 && code < 1000 ? Math.trunc(code) : 0
}

/** Says whether `apiVersion` is one of those this decoder reads. */
export function isAuditVersion(apiVersion: unknown): boolean {
  return apiVersion === 'audit.k8s.io/v1' || apiVersion === 'audit.k8s.io/v1beta1'
}

/** What makes `value` no audit event, in words; undefined when it is one. `listed` items inherit kind and version. */
export function whyNotAnEvent(value: unknown, listed: boolean): string | undefined {
  if (!isMap(value)) return 'not an audit event: expected a JSON object'
  if (!(listed && value['kind'] === undefined)) {
    if (value['kind'] !== 'Event') return 'not an audit event: kind is neither Event nor EventList'
    if (!isAuditVersion(value['apiVersion'])) {
      return 'not an audit event: apiVersion is neither audit.k8s.io/v1 nor audit.k8s.io/v1beta1'
    }
  }
  return whyIncomplete(value)
}

function whyIncomplete(event: AuditEvent): string | undefined {
  if (typeof event.auditID !== 'string' || event.auditID === '') return 'audit event without auditID'
  if (typeof event.verb !== 'string') return 'audit event without verb'
  const { stage } = event
  if (stage === 'ResponseComplete' || stage === 'ResponseStarted' || stage === 'RequestReceived' || stage === 'Panic') {
    return undefined
  }
  return 'audit event without a known stage'
}
