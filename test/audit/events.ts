/** Events to test with, written the way kube-apiserver writes them. */
import { createAuditDecoder, type Decoded, emptyDecoded } from '../../src/audit/decode.ts'
import { type AuditOptions, defaultAuditOptions } from '../../src/audit/options.ts'
import type { LogRecord } from '../../src/records/record.ts'

export type Fields = Record<string, unknown>

/** Alice lists pods in payments; `fields` replace whole fields of the event, undefined removes one. */
export function event(fields: Fields = {}): Fields {
  const whole: Fields = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: '5c2b4a3e-0000-4000-8000-000000000001',
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/payments/pods',
    verb: 'list',
    user: { username: 'alice', groups: ['developers', 'system:authenticated'] },
    sourceIPs: ['203.0.113.7'],
    userAgent: 'kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46',
    objectRef: { resource: 'pods', namespace: 'payments', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: '2026-01-02T03:04:05.000100Z',
    stageTimestamp: '2026-01-02T03:04:05.123456Z',
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    ...fields,
  }
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined))
}

export const FORBIDDEN = {
  responseStatus: { metadata: {}, status: 'Failure', reason: 'Forbidden', message: 'secrets is forbidden', code: 403 },
}

/** Everything a decoder makes of these lines (or values, which are written as lines first). */
export function decode(
  lines: readonly (string | unknown)[],
  options: Parameters<typeof defaultAuditOptions>[0] = {},
): Decoded {
  const settings: AuditOptions = defaultAuditOptions({ default_ignores: false, ...options })
  const decoder = createAuditDecoder(settings)
  const into = emptyDecoded()
  for (const line of lines)
    decoder.line(typeof line === 'string' ? line : JSON.stringify(line), [1_800_000_000, 7], into)
  return into
}

/** The one record of an event; the options keep every stage. */
export function recordOf(fields: Fields = {}, options: Parameters<typeof defaultAuditOptions>[0] = {}): LogRecord {
  const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
  const { records, malformed, filtered } = decode([event(fields)], { stages: [...stages], ...options })
  const [record] = records
  if (record !== undefined) return record
  throw new Error(`no record: ${JSON.stringify({ malformed, filtered })}`)
}
