/** Requests that only ask: what somebody may do, who they are, whether a token is good. */
import { isMap, type JsonMap } from './event.ts'
import type { Deed } from './phrases.ts'
import * as phrases from './phrases.ts'
import { redactText } from './redact-text.ts'
import type { Request } from './request.ts'
import { short } from './text.ts'

/** What creating a review says, by resource. */
export const REVIEWS = new Map<string, (request: Request) => Deed>([
  [
    'selfsubjectrulesreviews',
    (request) => ({ phrase: phrases.ASK, rest: `for all their permissions${reviewedIn(request)}` }),
  ],
  ['selfsubjectreviews', () => ({ phrase: phrases.ASK, rest: 'who they are' })],
  [
    'selfsubjectaccessreviews',
    (request) => ({ phrase: phrases.CHECK, rest: `whether they may ${permissionOf(request)}` }),
  ],
  ['subjectaccessreviews', othersPermission],
  ['localsubjectaccessreviews', othersPermission],
  ['tokenreviews', () => ({ phrase: phrases.VERIFY, rest: 'a token' })],
])

function reviewedIn(request: Request): string {
  const namespace = word(specOf(request)?.['namespace'])
  return namespace === '' ? '' : ` in ${namespace}`
}

function othersPermission(request: Request): Deed {
  const user = word(specOf(request)?.['user'])
  return { phrase: phrases.CHECK, rest: `whether ${user || 'another user'} may ${permissionOf(request)}` }
}

/** `get secrets/db in payments`, `get /metrics`, or `act` where the body is not in the log. */
function permissionOf(request: Request): string {
  const spec = specOf(request)
  const url = spec?.['nonResourceAttributes']
  if (isMap(url)) return `${word(url['verb']) || 'reach'} ${word(url['path'])}`
  const asked = spec?.['resourceAttributes']
  if (!isMap(asked)) return 'act'
  const name = word(asked['name'])
  const part = word(asked['subresource'])
  const namespace = word(asked['namespace'])
  const object = `${word(asked['resource']) || 'resources'}${part && `/${part}`}${name && ` ${name}`}`
  return `${word(asked['verb']) || 'touch'} ${object}${namespace && ` in ${namespace}`}`
}

function word(value: unknown): string {
  return typeof value === 'string' ? redactText(short(value)) : ''
}

/** `spec` of the request body, where the log has one. */
export function specOf(request: Request): JsonMap | undefined {
  const object = request.event.requestObject
  return isMap(object) && isMap(object['spec']) ? object['spec'] : undefined
}
