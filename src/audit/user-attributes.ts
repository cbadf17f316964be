/** Who asked: the authenticated user as `user.*`, an impersonated one as `user.effective.*`. */
import type { Attributes } from '../records/record.ts'
import type { Actor } from './actor.ts'
import { isMap, type JsonMap } from './event.ts'
import { isSensitiveName, REDACTED, redactText } from './redact-text.ts'
import { bounded, LIMITS } from './text.ts'

const MAX_GROUPS = 64
const MAX_EXTRAS = 16
const MAX_EXTRA_VALUES = 8
const OWN_EXTRA = 'k8s.audit.user.extra.'

/** Adds what is known of the user besides the name; returns how many values found no room. */
export function addUser(attributes: Attributes, user: unknown, actor: Actor, redact: boolean): number {
  if (!isMap(user)) return 0
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
  return isMap(extra) ? dropped + addExtra(attributes, extra, OWN_EXTRA, redact) : dropped
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

function addExtra(attributes: Attributes, extra: JsonMap, prefix: string, redact: boolean): number {
  let kept = 0
  let dropped = 0
  for (const key in extra) {
    const values = extra[key]
    if (!Array.isArray(values) || values.length === 0) continue
    if (prefix === OWN_EXTRA && addCredential(attributes, key, values[0])) continue
    if (kept >= MAX_EXTRAS || key.length > 256) {
      dropped += 1
      continue
    }
    kept += 1
    attributes[prefix + (redact ? redactText(key) : key).toWellFormed()] = extraTexts(key, values, redact)
  }
  return dropped
}

/**
 * What the API server's own authenticators say of a credential: which one it is, and to which pod it was issued.
 * Returns false for everything else.
 */
function addCredential(attributes: Attributes, key: string, value: unknown): boolean {
  if (!key.startsWith('authentication.kubernetes.io/') || typeof value !== 'string') return false
  const text = bounded(value, LIMITS.name)
  switch (key) {
    case 'authentication.kubernetes.io/credential-id':
      attributes['k8s.audit.user.credential_id'] = text
      return true
    case 'authentication.kubernetes.io/pod-name':
      attributes['k8s.audit.user.pod.name'] = text
      return true
    case 'authentication.kubernetes.io/pod-uid':
      attributes['k8s.audit.user.pod.uid'] = text
      return true
    case 'authentication.kubernetes.io/node-name':
      attributes['k8s.audit.user.node.name'] = text
      return true
    case 'authentication.kubernetes.io/node-uid':
      attributes['k8s.audit.user.node.uid'] = text
      return true
    default:
      return false
  }
}

function extraTexts(key: string, values: readonly unknown[], redact: boolean): string[] {
  if (redact && isSensitiveName(key)) return [REDACTED]
  return values.slice(0, MAX_EXTRA_VALUES).map((value) => {
    const text = typeof value === 'string' ? bounded(value, LIMITS.name) : ''
    return redact ? redactText(text) : text
  })
}
