/** What ECS says of a Kubernetes audit event beyond its attributes: classes, outcome, bodies. */

import { quote } from '../records/json-text.ts'
import type { AnyValue, Attributes } from '../records/record.ts'
import type { DocumentBuilder } from './builder.ts'
import { fieldNumber } from './fields.ts'
import { objectText, opaqueText } from './free-form.ts'

const CATEGORY = fieldNumber('event.category')
const TYPE = fieldNumber('event.type')
const ACTION = fieldNumber('event.action')
const OUTCOME = fieldNumber('event.outcome')
const DURATION = fieldNumber('event.duration')
/** In seconds: as nanoseconds a number that is exact. */
const MAX_LATENCY = 9e6

const SOURCE_IPS = fieldNumber('kubernetes.audit.sourceIPs')
const STAGE_TIME = fieldNumber('kubernetes.audit.stageTimestamp')
const IMAGES = fieldNumber('container.image.name')
const REQUEST = fieldNumber('kubernetes.audit.requestObject')
const RESPONSE = fieldNumber('kubernetes.audit.responseObject')
const UNINDEXED = fieldNumber('weir.k8s.audit.unindexed')

const TYPES: Readonly<Record<string, string>> = {
  get: 'access',
  list: 'access',
  watch: 'access',
  create: 'creation',
  post: 'creation',
  update: 'change',
  patch: 'change',
  put: 'change',
  delete: 'deletion',
  deletecollection: 'deletion',
  impersonate: 'access',
  bind: 'change',
  escalate: 'change',
}

const CATEGORIES: Readonly<Record<string, string>> = {
  roles: '["iam","configuration"]',
  rolebindings: '["iam","configuration"]',
  clusterroles: '["iam","configuration"]',
  clusterrolebindings: '["iam","configuration"]',
  serviceaccounts: '["iam","configuration"]',
  certificatesigningrequests: '["iam","configuration"]',
  tokenreviews: '["authentication"]',
  subjectaccessreviews: '["iam"]',
  selfsubjectaccessreviews: '["iam"]',
  selfsubjectrulesreviews: '["iam"]',
  localsubjectaccessreviews: '["iam"]',
  networkpolicies: '["network","configuration"]',
  services: '["network","configuration"]',
  ingresses: '["network","configuration"]',
  endpoints: '["network","configuration"]',
  endpointslices: '["network","configuration"]',
}

/** Subresources through which a request reaches into a container. */
const PROCESSES = new Set(['exec', 'attach'])

function own<T>(table: Readonly<Record<string, T>>, key: AnyValue): T | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined
}

/** `time` is the record's, as JSON text. */
export function putAudit(attributes: Readonly<Attributes>, time: string, into: DocumentBuilder): void {
  const verb = attributes['k8s.audit.verb']
  const decision = attributes['k8s.audit.decision']
  const type = own(TYPES, verb) ?? 'info'
  into.set(CATEGORY, categoryOf(attributes))
  into.set(TYPE, decision === 'forbid' ? `["${type}","denied"]` : `["${type}"]`)
  if (typeof verb === 'string') into.set(ACTION, quote(verb))
  const outcome = outcomeOf(decision, attributes['k8s.audit.response.code'])
  if (outcome !== '') into.set(OUTCOME, outcome)
  const latency = attributes['k8s.audit.latency']
  if (typeof latency === 'number' && latency >= 0 && latency < MAX_LATENCY) {
    into.set(DURATION, String(Math.round(latency * 1e9)))
  }
  // One address or several: the event has a list.
  const addresses = attributes['client.address']
  if (typeof addresses === 'string' && attributes['k8s.audit.source_ips'] === undefined) {
    into.set(SOURCE_IPS, `[${quote(addresses)}]`)
  }
  into.set(STAGE_TIME, time)
  putBodies(attributes, into)
}

function categoryOf(attributes: Readonly<Attributes>): string {
  const resource = attributes['k8s.audit.object.resource']
  if (resource === undefined) return '["web"]'
  if (PROCESSES.has(attributes['k8s.audit.object.subresource'] as string)) return '["process","configuration"]'
  return own(CATEGORIES, resource) ?? '["configuration"]'
}

function outcomeOf(decision: AnyValue, code: AnyValue): string {
  if (decision === 'allow') return '"success"'
  if (decision === 'forbid') return '"failure"'
  if (typeof code !== 'number') return ''
  return code < 400 ? '"success"' : '"failure"'
}

/** The bodies of request and response, where the record carries them or the whole event. */
function putBodies(attributes: Readonly<Attributes>, into: DocumentBuilder): void {
  const request = attributes['k8s.audit.request_object']
  const response = attributes['k8s.audit.response_object']
  const original = attributes['log.record.original']
  if (request === undefined && response === undefined && original === undefined) return
  const event = request === undefined && response === undefined ? parsedObject(original) : undefined
  putBody(REQUEST, 'requestObject', request, event, into)
  putBody(RESPONSE, 'responseObject', response, event, into)
}

function putBody(
  field: number,
  name: string,
  given: AnyValue,
  event: JsonMap | undefined,
  into: DocumentBuilder,
): void {
  const object = given === undefined ? asMap(event?.[name]) : (parsedObject(given) ?? asMap(given))
  if (object !== undefined) {
    // The builder writes the braces of maps.
    into.set(field, objectText(object).slice(1, -1))
    if (field === REQUEST) putImages(object, into)
  } else if (given !== undefined && given !== null) {
    // Cut, or no object at all: kept as it is.
    into.add(UNINDEXED, `"${name}":${opaqueText(given)}`)
  }
}

function putImages(pod: JsonMap, into: DocumentBuilder): void {
  const containers = asMap(pod['spec'])?.['containers']
  if (!Array.isArray(containers)) return
  const images = containers.map((one) => asMap(one)?.['image']).filter((image) => typeof image === 'string')
  if (images.length > 0) into.fill(IMAGES, `[${images.map(quote).join(',')}]`)
}

type JsonMap = Readonly<Record<string, unknown>>

function asMap(value: unknown): JsonMap | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : undefined
}

function parsedObject(text: AnyValue): JsonMap | undefined {
  if (typeof text !== 'string' || !text.startsWith('{')) return undefined
  try {
    return asMap(JSON.parse(text))
  } catch {
    return undefined
  }
}
