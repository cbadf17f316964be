/** Verbs of the API in the three forms a sentence needs. */

/** `[to …, somebody …, started …]`: delete, deleted, deleting. */
export type Phrase = readonly [base: string, past: string, gerund: string]

/** What a request does: a verb, and the words after it. */
export interface Deed {
  readonly phrase: Phrase
  readonly rest: string
}

const VERBS = new Map<string, Phrase>([
  ['get', ['read', 'read', 'reading']],
  ['list', ['list', 'listed', 'listing']],
  ['watch', ['watch', 'watched', 'watching']],
  ['watchlist', ['watch', 'watched', 'watching']],
  ['create', ['create', 'created', 'creating']],
  ['update', ['update', 'updated', 'updating']],
  ['patch', ['patch', 'patched', 'patching']],
  ['apply', ['apply', 'applied', 'applying']],
  ['delete', ['delete', 'deleted', 'deleting']],
  ['deletecollection', ['delete', 'deleted', 'deleting']],
  ['connect', ['connect to', 'connected to', 'connecting to']],
  ['proxy', ['reach', 'reached', 'reaching']],
  ['impersonate', ['impersonate', 'impersonated', 'impersonating']],
  ['bind', ['bind', 'bound', 'binding']],
  ['escalate', ['escalate', 'escalated', 'escalating']],
  ['use', ['use', 'used', 'using']],
  ['approve', ['approve', 'approved', 'approving']],
  ['sign', ['sign', 'signed', 'signing']],
  ['attest', ['attest', 'attested', 'attesting']],
  ['post', ['post to', 'posted to', 'posting to']],
  ['put', ['put to', 'put to', 'putting to']],
  ['head', ['check', 'checked', 'checking']],
  ['options', ['ask for the options of', 'asked for the options of', 'asking for the options of']],
])

/** The phrase of a verb; an unknown one is quoted. */
export function phraseOf(verb: string): Phrase {
  const known = VERBS.get(verb)
  if (known !== undefined) return known
  const quoted = `"${verb.slice(0, 64)}" on`
  return [`perform ${quoted}`, `performed ${quoted}`, `performing ${quoted}`]
}

export const RUN: Phrase = ['run', 'ran', 'running']
export const ATTACH: Phrase = ['attach to', 'attached to', 'attaching to']
export const FORWARD: Phrase = ['forward', 'forwarded', 'forwarding']
export const FOLLOW: Phrase = ['follow', 'followed', 'following']
export const SEND: Phrase = ['send', 'sent', 'sending']
export const EVICT: Phrase = ['evict', 'evicted', 'evicting']
export const REQUEST: Phrase = ['request', 'requested', 'requesting']
export const SCALE: Phrase = ['scale', 'scaled', 'scaling']
export const BIND: Phrase = ['bind', 'bound', 'binding']
export const ADD: Phrase = ['add', 'added', 'adding']
export const RESIZE: Phrase = ['resize', 'resized', 'resizing']
export const FINALIZE: Phrase = ['finalize', 'finalized', 'finalizing']
export const APPROVE: Phrase = ['approve', 'approved', 'approving']
export const DENY: Phrase = ['deny', 'denied', 'denying']
export const DECIDE: Phrase = ['decide on', 'decided on', 'deciding on']
export const CHECK: Phrase = ['check', 'checked', 'checking']
export const VERIFY: Phrase = ['verify', 'verified', 'verifying']
export const ASK: Phrase = ['ask', 'asked', 'asking']

/** What the verbs of a connecting subresource say in HTTP; `connect` is `GET` as a browser's WebSocket sends it. */
export function methodOf(verb: string): string {
  switch (verb) {
    case 'create':
    case 'post':
      return 'POST'
    case 'update':
    case 'put':
      return 'PUT'
    case 'patch':
      return 'PATCH'
    case 'delete':
    case 'deletecollection':
      return 'DELETE'
    case 'get':
    case 'list':
    case 'watch':
    case 'connect':
    case 'proxy':
      return 'GET'
    default:
      return verb.slice(0, 16).toUpperCase()
  }
}
