/** What a request does, as a verb in three forms and the words after it. */
import { isMap } from './event.ts'
import { nounOf, withArticle } from './nouns.ts'
import * as phrases from './phrases.ts'
import { type Deed, phraseOf } from './phrases.ts'
import type { Request } from './request.ts'
import { REVIEWS, specOf } from './reviews.ts'
import type { Target } from './target.ts'
import { short } from './text.ts'

const MAX_COMMAND = 200

/** What `request` does. Target is `targetOf(request)`. */
export function deedOf(request: Request, target: Target | undefined): Deed {
  if (request.resource === '') {
    return { phrase: phraseOf(request.verb), rest: short(target?.path ?? 'an unknown URL') }
  }
  if (request.subresource !== '') {
    const special = SUBRESOURCES.get(request.subresource)
    return special?.(request, target) ?? partDeed(request)
  }
  const review = request.verb === 'create' ? REVIEWS.get(request.resource) : undefined
  if (review !== undefined) return review(request)
  if (request.resource === 'bindings' && request.verb === 'create') return bindDeed(request, target)
  return { phrase: phraseOf(request.verb), rest: objectOf(request) }
}

/** `pod payments/api-0`, `a pod in payments`, `pods in all namespaces`, `nodes`. */
function objectOf({ verb, resource, namespace, name }: Request): string {
  const noun = nounOf(resource)
  const home = noun.namespaced === false ? '' : short(namespace)
  if (name !== '') return home === '' ? `${noun.one} ${short(name)}` : `${noun.one} ${home}/${short(name)}`
  const thing = verb === 'create' ? withArticle(noun.one) : verb === 'deletecollection' ? `all ${noun.many}` : noun.many
  if (home !== '') return `${thing} in ${home}`
  if (noun.namespaced === false || verb === 'create') return thing
  return noun.namespaced ? `${thing} in all namespaces` : `${thing} in the whole cluster`
}

/** The object as a place: `pod payments/api-0 container app`. */
function placeOf(request: Request, target: Target | undefined): string {
  const container = target?.container ?? ''
  return container === '' ? objectOf(request) : `${objectOf(request)} container ${short(container)}`
}

/** `read the status of deployment payments/api`: any subresource that has no words of its own. */
function partDeed(request: Request): Deed {
  return { phrase: phraseOf(request.verb), rest: `the ${short(request.subresource)} of ${objectOf(request)}` }
}

function isWrite(verb: string): boolean {
  return verb === 'create' || verb === 'update' || verb === 'patch' || verb === 'apply'
}

type Special = (request: Request, target: Target | undefined) => Deed | undefined

const SUBRESOURCES = new Map<string, Special>([
  [
    'exec',
    (request, target) => {
      const command = target === undefined || target.command.length === 0 ? '' : target.command.join(' ')
      const shown = command.length <= MAX_COMMAND ? command : `${command.slice(0, MAX_COMMAND)}…`
      return {
        phrase: phrases.RUN,
        rest: `${shown === '' ? 'a command' : `"${shown}"`} in ${placeOf(request, target)}`,
      }
    },
  ],
  ['attach', (request, target) => ({ phrase: phrases.ATTACH, rest: placeOf(request, target) })],
  [
    'portforward',
    (request, target) => {
      const port = target?.port ?? ''
      const what = port === '' ? 'ports' : port.includes(',') ? `ports ${short(port)}` : `port ${short(port)}`
      return { phrase: phrases.FORWARD, rest: `${what} to ${objectOf(request)}` }
    },
  ],
  [
    'log',
    (request, target) => {
      const phrase = request.query.includes('follow=true') ? phrases.FOLLOW : phraseOf(request.verb)
      return { phrase, rest: `the logs of ${placeOf(request, target)}` }
    },
  ],
  ['proxy', (request, target) => (target === undefined ? undefined : proxyDeed(request, target))],
  [
    'eviction',
    (request) => (request.verb === 'create' ? { phrase: phrases.EVICT, rest: objectOf(request) } : undefined),
  ],
  [
    'token',
    (request) =>
      request.verb === 'create' ? { phrase: phrases.REQUEST, rest: `a token for ${objectOf(request)}` } : undefined,
  ],
  ['scale', (request) => (isWrite(request.verb) ? scaleDeed(request) : undefined)],
  ['binding', (request, target) => (request.verb === 'create' ? bindDeed(request, target) : undefined)],
  ['approval', (request) => (isWrite(request.verb) ? approvalDeed(request) : undefined)],
  [
    'ephemeralcontainers',
    (request) =>
      isWrite(request.verb)
        ? { phrase: phrases.ADD, rest: `an ephemeral container to ${objectOf(request)}` }
        : { phrase: phraseOf(request.verb), rest: `the ephemeral containers of ${objectOf(request)}` },
  ],
  ['resize', (request) => (isWrite(request.verb) ? { phrase: phrases.RESIZE, rest: objectOf(request) } : undefined)],
  [
    'finalize',
    (request) => (isWrite(request.verb) ? { phrase: phrases.FINALIZE, rest: objectOf(request) } : undefined),
  ],
])

function proxyDeed({ verb }: Request, { kind, namespace, name, port, path }: Target): Deed {
  const home = namespace === '' ? '' : `${short(namespace)}/`
  const at = port === '' ? '' : `:${short(port)}`
  const what = `${phrases.methodOf(verb)} ${path === '' ? '/' : short(path)}`
  return { phrase: phrases.SEND, rest: `${what} to ${kind} ${home}${short(name)}${at} through the API server` }
}

function scaleDeed(request: Request): Deed {
  const replicas = specOf(request)?.['replicas']
  const size = typeof replicas === 'number' && Number.isSafeInteger(replicas) ? ` to ${counted(replicas)}` : ''
  return { phrase: phrases.SCALE, rest: `${objectOf(request)}${size}` }
}

function counted(replicas: number): string {
  return replicas === 1 ? '1 replica' : `${replicas} replicas`
}

function bindDeed(request: Request, target: Target | undefined): Deed {
  const pod = objectOf({ ...request, resource: 'pods' })
  return {
    phrase: phrases.BIND,
    rest: target === undefined ? `${pod} to a node` : `${pod} to node ${short(target.name)}`,
  }
}

/** The last condition of the request body says which way the decision went. */
function approvalDeed(request: Request): Deed {
  const object = request.event.requestObject
  const status = isMap(object) && isMap(object['status']) ? object['status'] : undefined
  const conditions = status?.['conditions']
  const last = Array.isArray(conditions) ? conditions.at(-1) : undefined
  const type = isMap(last) ? last['type'] : undefined
  const phrase = type === 'Approved' ? phrases.APPROVE : type === 'Denied' ? phrases.DENY : phrases.DECIDE
  return { phrase, rest: objectOf(request) }
}
