/** One audit event as a log record. */
import { internScope } from '../records/interning.ts'
import type { HrTime, LogRecord, Resource } from '../records/record.ts'
import { severityName } from '../records/severity.ts'
import { type Shaped, shapeAttributes } from './attributes.ts'
import { type AuditEvent, isMap } from './event.ts'
import { redactText } from './redact-text.ts'
import { type Request, readRequest } from './request.ts'
import { sentenceOf } from './sentence.ts'
import { severityOf } from './severity.ts'
import { targetOf } from './target.ts'
import { bounded } from './text.ts'
import { parseTimestamp } from './timestamp.ts'

const SCOPE = internScope('weir.k8s_audit')
/** Go's word for no time. */
const ZERO_TIME = '0001-01-01T00:00:00Z'
const MAX_TIME = 64
const SEVERITY_NAMES = Array.from({ length: 25 }, (_, severity) => severityName(severity))

/** Shapes a validated event (`whyNotAnEvent` says undefined). Total: whatever else the event holds is bounded or left out. */
export function toRecord(event: AuditEvent, resource: Resource, observed: HrTime, redact: boolean): LogRecord {
  const request: Request = readRequest(event, redact)
  const target = targetOf(request, redact)
  const time = timeOf(event) ?? observed
  const { attributes, dropped }: Shaped = shapeAttributes(request, target, time, redact)
  const unknown = unknownTime(event)
  if (unknown !== undefined) attributes['log.time.original'] = redact ? redactText(unknown) : unknown
  const severity = severityOf(request, (attributes['k8s.audit.decision'] as string | undefined) ?? '')
  return {
    hrTime: time,
    hrTimeObserved: observed,
    eventName: 'k8s.audit',
    severityNumber: severity,
    severityText: SEVERITY_NAMES[severity] as string,
    body: sentenceOf(request, target),
    attributes,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: dropped,
  }
}

/** When the stage was reached; events of before Kubernetes 1.10 say only when the request came. */
function timeOf(event: AuditEvent): HrTime | undefined {
  return (
    parseTimestamp(event.stageTimestamp) ??
    parseTimestamp(event.timestamp) ??
    parseTimestamp(event.requestReceivedTimestamp) ??
    (isMap(event.metadata) ? parseTimestamp(event.metadata['creationTimestamp']) : undefined)
  )
}

/** What is told as the time and is none that a record can have. */
function unknownTime({ stageTimestamp, timestamp, requestReceivedTimestamp }: AuditEvent): string | undefined {
  const told = stageTimestamp ?? timestamp ?? requestReceivedTimestamp
  if (told === undefined || told === null || told === '' || told === ZERO_TIME) return undefined
  if (parseTimestamp(told) !== undefined) return undefined
  return bounded(typeof told === 'object' ? '(object)' : String(told), MAX_TIME)
}
