/**
 * An audit request as flat attributes. Which ones, with type and meaning: `attribute-table.ts`.
 *
 * They are added in one order, most common first, so that records of one kind share a hidden class.
 */

import { boundedCache } from '../records/bounded-cache.ts'
import type { Attributes, HrTime } from '../records/record.ts'
import { isMap, type JsonMap } from './event.ts'
import { redactText } from './redact-text.ts'
import type { Request } from './request.ts'
import type { Target } from './target.ts'
import { bounded, boundedText, LIMITS } from './text.ts'
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
  const { event, actor, effective } = request
  const received = parseTimestamp(event.requestReceivedTimestamp)
  const attributes = begin(request, received === undefined ? -1 : secondsBetween(received, time), redact)
  let dropped = addUser(attributes, event.user, actor, redact)
  if (request.resource !== '') addObject(attributes, request)
  if (isMap(event.annotations)) dropped += addAnnotations(attributes, event.annotations, redact)
  if (request.code >= 400 || request.code === 0) addRefusal(attributes, request, redact)
  if (effective !== undefined) dropped += addEffectiveUser(attributes, event.impersonatedUser, effective, redact)
  if (request.peer !== '') addProxies(attributes, request, event.sourceIPs as unknown[])
  if (target !== undefined) addTarget(attributes, target)
  return { attributes, dropped }
}

/**
 * What nearly every event has, as one literal: V8 then keeps these in the object itself, and what is added later is
 * little enough for the object not to become a hash table.
 */
function begin(request: Request, latency: number, redact: boolean): Attributes {
  const { id, stage, level, verb, uri, actor, address, agent, code } = request
  if (actor.name !== '' && address !== '' && agent !== undefined && code !== 0 && latency >= 0) {
    return {
      'log.record.uid': `${id}/${stage}`,
      'k8s.audit.id': id,
      'k8s.audit.stage': stage,
      'k8s.audit.level': level,
      'k8s.audit.verb': verb,
      'k8s.audit.request_uri': uri,
      'k8s.audit.response.code': code,
      'k8s.audit.latency': latency,
      'client.address': address,
      'user_agent.original': redact ? agent.redacted : agent.original,
      'user.name': actor.name,
    }
  }
  const attributes: Attributes = {
    'log.record.uid': `${id}/${stage}`,
    'k8s.audit.id': id,
    'k8s.audit.stage': stage,
    'k8s.audit.level': level,
    'k8s.audit.verb': verb,
    'k8s.audit.request_uri': uri,
  }
  if (code !== 0) attributes['k8s.audit.response.code'] = code
  if (latency >= 0) attributes['k8s.audit.latency'] = latency
  if (address !== '') attributes['client.address'] = address
  if (agent !== undefined) attributes['user_agent.original'] = redact ? agent.redacted : agent.original
  if (actor.name !== '') attributes['user.name'] = actor.name
  return attributes
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

function addRefusal(attributes: Attributes, { reason, status }: Request, redact: boolean): void {
  const state = boundedText(status['status'], LIMITS.name)
  if (state !== undefined) attributes['k8s.audit.response.status'] = state
  if (reason !== '') attributes['k8s.audit.response.reason'] = reason
  const message = boundedText(status['message'], LIMITS.message)
  if (message !== undefined) attributes['k8s.audit.response.message'] = redact ? redactText(message) : message
}

const annotationName = boundedCache<string>(512, (key) => `k8s.audit.annotations.${key.toWellFormed()}`)

const cleanAnnotationName = boundedCache<string>(512, (key) => annotationName(redactText(key)))

function annotationKey(key: string, redact: boolean): string {
  return redact ? cleanAnnotationName(key) : annotationName(key)
}

/** The authorizer's two by name, the rest by their keys; returns how many found no room. */
function addAnnotations(attributes: Attributes, annotations: JsonMap, redact: boolean): number {
  let kept = 0
  let dropped = 0
  for (const key in annotations) {
    const value = annotations[key]
    if (typeof value !== 'string') continue
    if (key === DECISION) attributes['k8s.audit.decision'] = bounded(value, LIMITS.value)
    else if (key === REASON) addReason(attributes, value, redact)
    else if (kept >= MAX_ANNOTATIONS || key.length > 256) dropped += 1
    else {
      kept += 1
      attributes[annotationKey(key, redact)] = annotationText(value, redact)
    }
  }
  return dropped
}

function addReason(attributes: Attributes, reason: string, redact: boolean): void {
  if (reason === '') return
  // What the RBAC authorizer writes holds names of bindings, roles and subjects: nothing to look for, and in every event.
  const isOwnWords = reason.startsWith('RBAC: allowed by ')
  attributes['k8s.audit.decision.reason'] = annotationText(reason, redact && !isOwnWords)
}

function annotationText(value: string, redact: boolean): string {
  const text = bounded(value, LIMITS.value)
  return redact ? redactText(text) : text
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
