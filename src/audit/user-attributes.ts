/** Who asked: the authenticated user as `user.*`, an impersonated one as `user.effective.*`. */
import type { Attributes } from '../records/record.ts'
import type { Actor } from './actor.ts'
import { isMap, type JsonMap } from './event.ts'
import { isSensitiveName, REDACTED, redactText } from './redact-text.ts'
import { bounded, boundedCache, LIMITS } from './text.ts'

const MAX_GROUPS = 64
const MAX_EXTRAS = 16
const MAX_EXTRA_VALUES = 8

/** Adds the user's attributes; returns how many values found no room. */
export function addUser(attributes: Attributes, user: unknown, actor: Actor, redact: boolean): number {
  if (!isMap(user)) return 0
  if (actor.name !== '') attributes['user.name'] = actor.name
  const id = user['uid']
  if (typeof id === 'string' && id !== '') attributes['user.id'] = bounded(id, LIMITS.name)
  let dropped = 0
  const groups = user['groups']
  if (Array.isArray(groups) && groups.length > 0) {
    attributes['user.groups'] = boundedList(groups, MAX_GROUPS)
    if (groups.length > MAX_GROUPS) dropped += groups.length - MAX_GROUPS
  }
  if (actor.accountName !== '') {
    attributes['k8s.service_account.name'] = actor.accountName
    attributes['k8s.service_account.namespace'] = actor.accountNamespace
  }
  const extra = user['extra']
  return isMap(extra) ? dropped + addExtra(attributes, extra, 'k8s.audit.user.extra.', redact) : dropped
}

/** Adds whom the user acted as; returns how many values found no room. */
export function addEffectiveUser(attributes: Attributes, user: unknown, actor: Actor, redact: boolean): number {
  if (!isMap(user)) return 0
  if (actor.name !== '') attributes['user.effective.name'] = actor.name
  const id = user['uid']
  if (typeof id === 'string' && id !== '') attributes['user.effective.id'] = bounded(id, LIMITS.name)
  let dropped = 0
  const groups = user['groups']
  if (Array.isArray(groups) && groups.length > 0) {
    attributes['user.effective.groups'] = boundedList(groups, MAX_GROUPS)
    if (groups.length > MAX_GROUPS) dropped += groups.length - MAX_GROUPS
  }
  const extra = user['extra']
  return isMap(extra) ? dropped + addExtra(attributes, extra, 'k8s.audit.user.effective.extra.', redact) : dropped
}

/** The array itself where it is fit to travel, else a cleaned copy. */
export function boundedList(values: unknown[], most: number): string[] {
  let fit = values.length <= most
  for (let i = 0; fit && i < values.length; i++) {
    const value = values[i]
    fit = typeof value === 'string' && value.length <= LIMITS.name && value.isWellFormed()
  }
  if (fit) return values as string[]
  const clean: string[] = []
  for (const value of values.slice(0, most)) if (typeof value === 'string') clean.push(bounded(value, LIMITS.name))
  return clean
}

/** What the authenticator says of a credential: which pod it was issued to, and which one it is. */
const KNOWN_EXTRA: Record<string, string> = {
  'authentication.kubernetes.io/pod-name': 'k8s.audit.user.pod.name',
  'authentication.kubernetes.io/pod-uid': 'k8s.audit.user.pod.uid',
  'authentication.kubernetes.io/node-name': 'k8s.audit.user.node.name',
  'authentication.kubernetes.io/node-uid': 'k8s.audit.user.node.uid',
  'authentication.kubernetes.io/credential-id': 'k8s.audit.user.credential_id',
}
const OWN_PREFIX = 'k8s.audit.user.extra.'

const attributeOfExtra = boundedCache<string>(512, (key) =>
  Object.hasOwn(KNOWN_EXTRA, key) ? (KNOWN_EXTRA[key] as string) : '',
)

function addExtra(attributes: Attributes, extra: JsonMap, prefix: string, redact: boolean): number {
  let kept = 0
  let dropped = 0
  for (const key in extra) {
    const values = extra[key]
    if (!Array.isArray(values) || values.length === 0) continue
    if (kept >= MAX_EXTRAS || key.length > 256) {
      dropped += 1
      continue
    }
    kept += 1
    const known = prefix === OWN_PREFIX ? attributeOfExtra(key) : ''
    if (known !== '') attributes[known] = extraText(values[0], redact)
    else attributes[prefix + key.toWellFormed()] = extraTexts(key, values, redact)
  }
  return dropped
}

function extraText(value: unknown, redact: boolean): string {
  const text = typeof value === 'string' ? bounded(value, LIMITS.name) : ''
  return redact ? redactText(text) : text
}

function extraTexts(key: string, values: readonly unknown[], redact: boolean): string[] {
  if (redact && isSensitiveName(key)) return [REDACTED]
  return values.slice(0, MAX_EXTRA_VALUES).map((value) => extraText(value, redact))
}
