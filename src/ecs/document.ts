/** A record as a document of the Elastic Common Schema. */

import { quote } from '../records/json-text.ts'
import type { AnyValue, LogRecord, Resource, Scope } from '../records/record.ts'
import { putAudit } from './audit.ts'
import { DocumentBuilder, Kind } from './builder.ts'
import { classOf, isFromKernel } from './events.ts'
import { fieldNumber } from './fields.ts'
import { opaqueText } from './free-form.ts'
import { AUDIT_PLANS, RECORD_PLANS, RESOURCE_PLANS } from './plans.ts'
import { timeText } from './text.ts'
import { KEYWORD_LIMIT } from './types.ts'

export const ECS_VERSION = '8.17.0'

/** Where a document goes: `logs-<dataset>-<namespace>`. */
export interface DataStream {
  readonly dataset: string
  readonly namespace: string
}

const TIME = fieldNumber('@timestamp')
const MESSAGE = fieldNumber('message')
const CREATED = fieldNumber('event.created')
const SEVERITY = fieldNumber('event.severity')
const LEVEL = fieldNumber('log.level')
const SCOPE = fieldNumber('weir.scope')
const DROPPED = fieldNumber('weir.dropped_attributes_count')
const DIRECTION = fieldNumber('network.direction')
const TRACE = fieldNumber('trace.id')
const SPAN = fieldNumber('span.id')
const ORCHESTRATOR = fieldNumber('orchestrator.type')
const CLUSTER = fieldNumber('orchestrator.cluster.name')
const NAMESPACE = fieldNumber('kubernetes.namespace')
const POD = fieldNumber('kubernetes.pod.name')
const NODE = fieldNumber('kubernetes.node.name')

const builder = new DocumentBuilder()
const levels: string[] = []

/** One JSON object on one line. Total: every record becomes a document that the shipped index template takes. */
export function toEcsJson(record: LogRecord, stream: DataStream | undefined): string {
  const { attributes, eventName, severityNumber } = record
  const isAudit = eventName === 'k8s.audit'
  builder.begin(kindOf(record, stream))
  const time = timeText(record.hrTime)
  builder.set(TIME, time)
  builder.set(CREATED, timeText(record.hrTimeObserved))
  builder.set(SEVERITY, String(severityNumber | 0))
  builder.set(LEVEL, levelText(record))
  putBody(record.body)
  const plans = isAudit ? AUDIT_PLANS : RECORD_PLANS
  for (const name in attributes) plans.put(name, attributes[name], builder)
  const direction = attributes['network.io.direction']
  if (direction === 'transmit') builder.fill(DIRECTION, '"egress"')
  else if (direction === 'receive') builder.fill(DIRECTION, '"ingress"')
  if (isAudit) putAudit(attributes, time, builder)
  if (record.droppedAttributesCount > 0) builder.set(DROPPED, String(record.droppedAttributesCount | 0))
  if (record.spanContext !== undefined) {
    builder.set(TRACE, quote(record.spanContext.traceId))
    builder.set(SPAN, quote(record.spanContext.spanId))
  }
  if (!isAudit && isOfKubernetes()) builder.set(ORCHESTRATOR, '"kubernetes"')
  return builder.finish()
}

function isOfKubernetes(): boolean {
  return builder.has(CLUSTER) || builder.has(NAMESPACE) || builder.has(POD) || builder.has(NODE)
}

function putBody(body: AnyValue): void {
  if (typeof body === 'string') builder.set(MESSAGE, quote(body))
  else if (body !== undefined && body !== null) builder.set(MESSAGE, quote(opaqueText(body)))
}

function levelText({ severityNumber, severityText }: LogRecord): string {
  const known = levels[severityNumber]
  if (known !== undefined) return known
  const text = quote(severityText.toLowerCase().slice(0, KEYWORD_LIMIT))
  if (severityNumber > 0 && severityNumber <= 24 && /^"[a-z]+[2-4]?"$/.test(text)) levels[severityNumber] = text
  return text
}

/** Ready texts of fields. */
type Part = readonly (readonly [field: number, text: string])[]

const resourceParts = new WeakMap<Resource, Part>()
let kinds = new WeakMap<Resource, Map<string, Kind>>()
const MAX_KINDS = 2048
let kindCount = 0
let last:
  | { resource: Resource; scope: Scope; eventName: string; stream: DataStream | undefined; kind: Kind }
  | undefined

/** Records come in runs of one kind, so the last one is asked first. */
function kindOf(record: LogRecord, stream: DataStream | undefined): Kind {
  const { resource, instrumentationScope: scope, eventName } = record
  if (
    last !== undefined &&
    last.resource === resource &&
    last.eventName === eventName &&
    last.scope === scope &&
    last.stream === stream
  ) {
    return last.kind
  }
  const kind = knownKind(resource, scope, eventName, stream)
  last = { resource, scope, eventName, stream, kind }
  return kind
}

function knownKind(resource: Resource, scope: Scope, eventName: string, stream: DataStream | undefined): Kind {
  const key = JSON.stringify([eventName, scope.name, stream?.dataset, stream?.namespace])
  let ofResource = kinds.get(resource)
  const known = ofResource?.get(key)
  if (known !== undefined) return known
  const kind = new Kind([
    ...partOfResource(resource),
    [SCOPE, quote(scope.name)] as const,
    ...partOfEvent(eventName),
    ...(stream === undefined ? [] : partOfStream(stream)),
  ])
  if (kindCount >= MAX_KINDS || ofResource === undefined) {
    // Names of events are a closed list, but a processor may have made more: then all start anew.
    if (kindCount >= MAX_KINDS) {
      kinds = new WeakMap()
      kindCount = 0
    }
    ofResource = new Map()
    kinds.set(resource, ofResource)
  }
  ofResource.set(key, kind)
  kindCount += 1
  return kind
}

function partOfResource(resource: Resource): Part {
  const known = resourceParts.get(resource)
  if (known !== undefined) return known
  const scratch = new DocumentBuilder()
  for (const name of Object.keys(resource.attributes)) {
    RESOURCE_PLANS.put(name, resource.attributes[name] as AnyValue, scratch)
  }
  const part = scratch.take()
  resourceParts.set(resource, part)
  return part
}

function partOfEvent(eventName: string): Part {
  const { kind, category, type, action, outcome } = classOf(eventName)
  const texts: Record<string, string> = {
    'ecs.version': quote(ECS_VERSION),
    'event.kind': quote(kind),
    'event.type': JSON.stringify(type),
    'event.action': quote(action),
    'event.code': quote(eventName.slice(0, KEYWORD_LIMIT)),
    'event.module': eventName === 'k8s.audit' ? '"kubernetes"' : '"weir"',
    ...(category.length === 0 ? {} : { 'event.category': JSON.stringify(category) }),
    ...(outcome === undefined ? {} : { 'event.outcome': quote(outcome) }),
    ...(isFromKernel(eventName) ? { 'host.os.type': '"linux"' } : {}),
    ...(eventName === 'k8s.audit' ? { 'orchestrator.type': '"kubernetes"', 'kubernetes.audit.kind': '"Event"' } : {}),
  }
  return Object.entries(texts).map(([name, text]) => [fieldNumber(name), text] as const)
}

function partOfStream({ dataset, namespace }: DataStream): Part {
  return [
    [fieldNumber('data_stream.type'), '"logs"'],
    [fieldNumber('data_stream.dataset'), quote(dataset)],
    [fieldNumber('data_stream.namespace'), quote(namespace)],
    [fieldNumber('event.dataset'), quote(dataset)],
  ]
}
