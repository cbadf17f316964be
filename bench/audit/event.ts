/** One request of the generated log, written as the audit events of its stages. */
import type { Identity } from './cluster.ts'
import type { Random } from './random.ts'

export type Level = 'None' | 'Metadata' | 'Request' | 'RequestResponse'

/** What a scene says about a request; the rest is filled in. */
export interface Call {
  readonly who: Identity
  readonly verb: string
  readonly uri: string
  readonly level: Level
  readonly object?: Readonly<Record<string, string>>
  readonly impersonated?: { readonly username: string; readonly groups: readonly string[] }
  readonly request?: unknown
  readonly response?: unknown
  /** 200 when absent. */
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Long-running: told when it starts, and again this many events later. */
  readonly lasts?: number
  /** Told when it is received as well. */
  readonly announced?: boolean
  readonly panics?: boolean
}

export interface Written {
  readonly line: string
  /** Events to wait before it is written. */
  readonly after: number
}

/** Time of the log, in microseconds since the epoch. */
export interface Clock {
  micros: number
}

/** The events of one call, in the order of their stages. */
export function writeCall(call: Call, clock: Clock, random: Random): Written[] {
  const id = random.uuid()
  const received = rfc3339(clock.micros)
  const micros = 400 + random.below(call.verb === 'list' ? 90_000 : 9_000)
  const written: Written[] = []
  if (call.announced) written.push({ line: stage(call, id, 'RequestReceived', received, received), after: 0 })
  const answered = rfc3339(clock.micros + micros)
  if (call.lasts !== undefined) {
    written.push({ line: stage(call, id, 'ResponseStarted', received, answered), after: 0 })
    const ended = rfc3339(clock.micros + micros + call.lasts * 1_000_000)
    written.push({ line: stage(call, id, 'ResponseComplete', received, ended), after: call.lasts })
  } else {
    written.push({ line: stage(call, id, call.panics ? 'Panic' : 'ResponseComplete', received, answered), after: 0 })
  }
  return written
}

// The fields come in the order in which Go's encoder writes the struct.
function stage(call: Call, auditID: string, name: string, received: string, reached: string): string {
  const { who, level } = call
  const isAnswered = name !== 'RequestReceived'
  const hasRequest = level === 'Request' || level === 'RequestResponse'
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID,
    stage: name,
    requestURI: call.uri,
    verb: call.verb,
    user: { username: who.username, uid: who.uid, groups: who.groups, extra: who.extra },
    impersonatedUser: call.impersonated,
    sourceIPs: who.addresses,
    userAgent: who.agent,
    objectRef: call.object,
    responseStatus: isAnswered ? statusOf(call, name) : undefined,
    requestObject: isAnswered && hasRequest ? call.request : undefined,
    responseObject: isAnswered && level === 'RequestResponse' ? call.response : undefined,
    requestReceivedTimestamp: received,
    stageTimestamp: reached,
    annotations: isAnswered ? annotationsOf(call) : call.annotations,
  })
}

function statusOf(call: Call, stageName: string): unknown {
  if (stageName === 'Panic') {
    return {
      metadata: {},
      status: 'Failure',
      message: "APIServer panic'd: runtime error: invalid memory address",
      reason: 'InternalError',
      code: 500,
    }
  }
  const code = call.code ?? 200
  if (code < 400) return { metadata: {}, code }
  return { metadata: {}, status: 'Failure', message: call.message, reason: call.reason, code }
}

function annotationsOf({ who, code, annotations }: Call): Record<string, string> {
  if (code === 403)
    return { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '', ...annotations }
  const reason =
    who.binding === ''
      ? ''
      : `RBAC: allowed by ClusterRoleBinding "${who.binding}" of ClusterRole "${who.binding}" to ${subject(who.username)}`
  return { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': reason, ...annotations }
}

function subject(username: string): string {
  const [, kind, namespace, name] = username.split(':')
  return kind === 'serviceaccount' ? `ServiceAccount "${name}/${namespace}"` : `User "${username}"`
}

// Dates change once in many events.
let second = -1
let prefix = ''

function rfc3339(micros: number): string {
  const whole = Math.floor(micros / 1_000_000)
  if (whole !== second) {
    second = whole
    prefix = new Date(whole * 1000).toISOString().slice(0, 19)
  }
  return `${prefix}.${String(micros - whole * 1_000_000).padStart(6, '0')}Z`
}
