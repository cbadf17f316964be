/**
 * An audit request as flat attributes. Which ones, with type and meaning: `attribute-table.ts`.
 *
 * They are added in one order, most common first, so that records of one kind share a hidden class.
 */
import type { Attributes, HrTime } from '../records/record.ts'
import { isMap, type JsonMap } from './event.ts'
import { redactText } from './redact-text.ts'
import type { Request } from './request.ts'
import type { Target } from './target.ts'
import { bounded, boundedCache, boundedText, LIMITS } from './text.ts'
import { parseTimestamp, secondsBetween } from './timestamp.ts'
import { addEffectiveUser, addUser, boundedList } from './user-attributes.ts'

const MAX_ANNOTATIONS = 24
const MAX_ADDRESSES = 16

const DECISION = 'authorization.k8s.io/decision'
const REASON = 'authorization.k8s.io/reason'

export interface Shaped {
  readonly attributes: Attributes
  /** Values that found no room. */
  readonly dropped: number
}

/** The attributes of `request`, as of `time`. `target` is `targetOf(request)`. */
export function shapeAttributes(request: Request, target: Target | undefined, time: HrTime, redact: boolean): Shaped {
  const { event, actor, effective, agent } = request
  const attributes: Attributes = {
    'log.record.uid': `${request.id}/${request.stage}`,
    'k8s.audit.id': request.id,
    'k8s.audit.stage': request.stage,
    'k8s.audit.level': request.level,
    'k8s.audit.verb': request.verb,
    'k8s.audit.request_uri': request.uri,
  }
  let dropped = addUser(attributes, event.user, actor, redact)
  if (request.address !== '') attributes['client.address'] = request.address
  if (agent !== undefined) attributes['user_agent.original'] = redact ? agent.redacted : agent.original
  if (request.resource !== '') addObject(attributes, request)
  addResponse(attributes, request, redact)
  const received = parseTimestamp(event.requestReceivedTimestamp)
  if (received !== undefined) attributes['k8s.audit.latency'] = secondsBetween(received, time)
  if (isMap(event.annotations)) dropped += addAnnotations(attributes, event.annotations, redact)
  if (effective !== undefined) dropped += addEffectiveUser(attributes, event.impersonatedUser, effective, redact)
  if (request.peer !== '') addProxies(attributes, request, event.sourceIPs as unknown[])
  if (target !== undefined) addTarget(attributes, target)
  return { attributes, dropped }
}

function addObject(attributes: Attributes, { object, resource, subresource, namespace, name }: Request): void {
  attributes['k8s.audit.object.resource'] = resource
  if (namespace !== '') attributes['k8s.audit.object.namespace'] = namespace
  if (name !== '') attributes['k8s.audit.object.name'] = name
  const group = object['apiGroup']
  if (typeof group === 'string' && group !== '') attributes['k8s.audit.object.api_group'] = bounded(group, LIMITS.name)
  const version = object['apiVersion']
  if (typeof version === 'string' && version !== '') {
    attributes['k8s.audit.object.api_version'] = bounded(version, LIMITS.name)
  }
  if (subresource !== '') attributes['k8s.audit.object.subresource'] = subresource
  const uid = object['uid']
  if (typeof uid === 'string' && uid !== '') attributes['k8s.audit.object.uid'] = bounded(uid, LIMITS.name)
  const revision = object['resourceVersion']
  if (typeof revision === 'string' && revision !== '') {
    attributes['k8s.audit.object.resource_version'] = bounded(revision, LIMITS.name)
  }
}

function addResponse(attributes: Attributes, { code, reason, status }: Request, redact: boolean): void {
  if (code !== 0) attributes['k8s.audit.response.code'] = code
  const state = boundedText(status['status'], LIMITS.name)
  if (state !== undefined) attributes['k8s.audit.response.status'] = state
  if (reason !== '') attributes['k8s.audit.response.reason'] = reason
  const message = boundedText(status['message'], LIMITS.message)
  if (message !== undefined) attributes['k8s.audit.response.message'] = redact ? redactText(message) : message
}

const annotationName = boundedCache<string>(512, (key) => {
  if (key === DECISION) return 'k8s.audit.decision'
  if (key === REASON) return 'k8s.audit.decision.reason'
  return `k8s.audit.annotations.${key.toWellFormed()}`
})

function addAnnotations(attributes: Attributes, annotations: JsonMap, redact: boolean): number {
  let kept = 0
  let dropped = 0
  for (const key in annotations) {
    const value = annotations[key]
    if (typeof value !== 'string') continue
    if (kept >= MAX_ANNOTATIONS || key.length > 256) {
      dropped += 1
      continue
    }
    kept += 1
    const text = bounded(value, LIMITS.value)
    attributes[annotationName(key)] = redact && text.length > 16 ? redactText(text) : text
  }
  return dropped
}

/** All but the last address are what the client or a proxy claimed; the last is the connection's own. */
function addProxies(attributes: Attributes, { peer }: Request, addresses: unknown[]): void {
  attributes['network.peer.address'] = peer
  attributes['k8s.audit.source_ips'] = boundedList(addresses, MAX_ADDRESSES)
}

function addTarget(attributes: Attributes, target: Target): void {
  attributes['k8s.audit.target.kind'] = target.kind
  if (target.namespace !== '') attributes['k8s.audit.target.namespace'] = target.namespace
  if (target.name !== '') attributes['k8s.audit.target.name'] = target.name
  if (target.container !== '') attributes['k8s.audit.target.container'] = target.container
  if (target.command.length > 0) attributes['k8s.audit.target.command_args'] = [...target.command]
  if (target.port !== '') attributes['k8s.audit.target.port'] = target.port
  if (target.path !== '') attributes['k8s.audit.target.path'] = bounded(target.path, LIMITS.uri)
}
