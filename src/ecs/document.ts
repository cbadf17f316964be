/** A record as a document of the Elastic Common Schema. */
import type { AnyValue, LogRecord, Resource } from '../records/record.ts'
import { putAudit } from './audit.ts'
import { DocumentBuilder } from './builder.ts'
import { classOf, isFromKernel } from './events.ts'
import { fieldNumber } from './fields.ts'
import { opaqueText } from './free-form.ts'
import { AUDIT_PLANS, RECORD_PLANS, RESOURCE_PLANS } from './plans.ts'
import { quote, timeText } from './text.ts'
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
const TRACE = fieldNumber('trace.id')
const SPAN = fieldNumber('span.id')
const ORCHESTRATOR = fieldNumber('orchestrator.type')
const CLUSTER = fieldNumber('orchestrator.cluster.name')
const NAMESPACE = fieldNumber('kubernetes.namespace')
const POD = fieldNumber('kubernetes.pod.name')
const NODE = fieldNumber('kubernetes.node.name')

/** Fields with ready texts, to be set one after the other. */
type Part = readonly (readonly [field: number, text: string])[]

const builder = new DocumentBuilder()
const resourceParts = new WeakMap<Resource, Part>()
const eventParts = new Map<string, Part>()
const streamParts = new WeakMap<DataStream, Part>()
const levels: string[] = []

/** One JSON object on one line. Total: every record becomes a document that the shipped index template takes. */
export function toEcsJson(record: LogRecord, stream: DataStream): string {
  const { attributes, eventName, severityNumber } = record
  const isAudit = eventName === 'k8s.audit'
  setAll(partOfResource(record.resource))
  setAll(partOfEvent(eventName))
  setAll(partOfStream(stream))
  const time = timeText(record.hrTime)
  builder.set(TIME, time)
  builder.set(CREATED, timeText(record.hrTimeObserved))
  builder.set(SEVERITY, String(severityNumber | 0))
  builder.set(LEVEL, levelText(record))
  builder.set(SCOPE, quote(record.instrumentationScope.name))
  putBody(record.body)
  const plans = isAudit ? AUDIT_PLANS : RECORD_PLANS
  for (const name in attributes) plans.put(name, attributes[name], builder)
  if (isAudit) putAudit(attributes, time, builder)
  if (record.droppedAttributesCount > 0) builder.set(DROPPED, String(record.droppedAttributesCount | 0))
  if (record.spanContext !== undefined) {
    builder.set(TRACE, quote(record.spanContext.traceId))
    builder.set(SPAN, quote(record.spanContext.spanId))
  }
  if (isAudit || isOfKubernetes()) builder.set(ORCHESTRATOR, '"kubernetes"')
  return builder.finish()
}

function setAll(part: Part): void {
  for (let i = 0; i < part.length; i++) {
    const [field, text] = part[i] as Part[number]
    builder.set(field, text)
  }
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

/** What `fill` sets, as a part of its own. */
function partFrom(fill: (into: DocumentBuilder) => void): Part {
  const scratch = new Recorder()
  fill(scratch)
  return scratch.part()
}

class Recorder extends DocumentBuilder {
  readonly #texts = new Map<number, string>()
  override set(field: number, text: string): void {
    this.#texts.set(field, text)
  }
  override has(field: number): boolean {
    return this.#texts.has(field)
  }
  override add(field: number, entries: string): void {
    const before = this.#texts.get(field)
    this.#texts.set(field, before === undefined ? entries : `${before},${entries}`)
  }
  part(): Part {
    return [...this.#texts]
  }
}

function partOfResource(resource: Resource): Part {
  const known = resourceParts.get(resource)
  if (known !== undefined) return known
  const { attributes } = resource
  const part = partFrom((into) => {
    for (const name of Object.keys(attributes)) RESOURCE_PLANS.put(name, attributes[name] as AnyValue, into)
  })
  resourceParts.set(resource, part)
  return part
}

function partOfEvent(eventName: string): Part {
  const known = eventParts.get(eventName)
  if (known !== undefined) return known
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
  }
  const part = Object.entries(texts).map(([name, text]): Part[number] => [fieldNumber(name), text])
  // The list of names is closed, but a processor may have renamed events.
  if (eventParts.size < 1024) eventParts.set(eventName, part)
  return part
}

function partOfStream(stream: DataStream): Part {
  const known = streamParts.get(stream)
  if (known !== undefined) return known
  const part: Part = [
    [fieldNumber('data_stream.type'), '"logs"'],
    [fieldNumber('data_stream.dataset'), quote(stream.dataset)],
    [fieldNumber('data_stream.namespace'), quote(stream.namespace)],
    [fieldNumber('event.dataset'), quote(stream.dataset)],
  ]
  streamParts.set(stream, part)
  return part
}
