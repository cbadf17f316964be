/** One request as the audit log tells it: every field looked at once, cleaned, and in one fixed shape. */
import { type Actor, actorOf } from './actor.ts'
import { type AuditEvent, isMap, type JsonMap, statusCode } from './event.ts'
import { redactText } from './redact-text.ts'
import { readRequestUri } from './request-uri.ts'
import { bounded, boundedText, LIMITS } from './text.ts'
import { type UserAgent, userAgentOf } from './user-agent.ts'

/** Empty strings and zeros stand for "not said". */
export interface Request {
  readonly id: string
  readonly stage: string
  readonly level: string
  readonly verb: string
  readonly uri: string
  readonly path: string
  /** As sent, in escapes and not redacted. */
  readonly query: string
  readonly actor: Actor
  /** Set when the actor impersonated somebody. */
  readonly effective: Actor | undefined
  readonly address: string
  /** The address of the connection itself, where proxies reported another one for the client. */
  readonly peer: string
  readonly agent: UserAgent | undefined
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly object: JsonMap
  readonly code: number
  readonly reason: string
  readonly status: JsonMap
  readonly event: AuditEvent
}

/** Names this short hold no bearer token worth hiding; most names are. */
const SHORTEST_TOKEN = 40

const NOTHING: JsonMap = Object.freeze({})

/** Reads a validated event. `redact` replaces what looks like a credential in every field. */
export function readRequest(event: AuditEvent, redact: boolean): Request {
  const object = isMap(event.objectRef) ? event.objectRef : NOTHING
  const status = isMap(event.responseStatus) ? event.responseStatus : NOTHING
  const uri = readRequestUri(text(event.requestURI), redact)
  const sources = event.sourceIPs
  const verb = bounded(event.verb as string, LIMITS.name)
  const agent = event.userAgent
  return {
    id: bounded(event.auditID as string, LIMITS.name),
    stage: event.stage as string,
    level: bounded(text(event.level), LIMITS.name),
    verb,
    uri: uri.text,
    path: uri.path,
    query: uri.query,
    actor: actorOf(usernameOf(event.user)),
    effective: isMap(event.impersonatedUser) ? actorOf(usernameOf(event.impersonatedUser)) : undefined,
    address: Array.isArray(sources) ? shortName(sources[0], false) : '',
    peer: Array.isArray(sources) && sources.length > 1 ? shortName(sources[sources.length - 1], false) : '',
    agent: typeof agent === 'string' && agent !== '' ? userAgentOf(agent) : undefined,
    resource: shortName(object['resource'], redact),
    subresource: shortName(object['subresource'], redact),
    namespace: shortName(object['namespace'], redact),
    name: shortName(object['name'], redact) || nameOfCreated(verb, event.responseObject, redact),
    object,
    code: statusCode(event),
    reason: boundedText(status['reason'], LIMITS.name) ?? '',
    status,
    event,
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function usernameOf(user: unknown): string {
  return isMap(user) ? text(user['username']) : ''
}

function shortName(value: unknown, redact: boolean): string {
  if (typeof value !== 'string') return ''
  const name = bounded(value, LIMITS.name)
  return redact && name.length > SHORTEST_TOKEN ? redactText(name) : name
}

/** With `generateName` only the response knows what the new object is called. */
function nameOfCreated(verb: string, response: unknown, redact: boolean): string {
  if (verb !== 'create' || !isMap(response) || response['kind'] === 'Status') return ''
  const metadata = response['metadata']
  return isMap(metadata) ? shortName(metadata['name'], redact) : ''
}
