/**
 * The one line that answers an auditor's questions in English:
 * `alice deleted secret payments/db-credentials (403 forbidden) from 203.0.113.7 with kubectl/v1.31`.
 *
 * A request that was refused is told like one that was not, with the refusal in brackets. A request that is only
 * announced (`RequestReceived`) "is asking to", one that goes on (`ResponseStarted`) "started".
 */
import { oneLine } from '../records/one-line.ts'
import { deedOf } from './deed.ts'
import type { Request } from './request.ts'
import type { Target } from './target.ts'
import { bounded, LIMITS } from './text.ts'

/** The line of one request; `target` is `targetOf(request)`. Printable and bounded whatever the request holds. */
export function sentenceOf(request: Request, target: Target | undefined): string {
  const { phrase, rest } = deedOf(request, target)
  const did =
    request.stage === 'RequestReceived'
      ? `is asking to ${phrase[0]}`
      : request.stage === 'ResponseStarted'
        ? `started ${phrase[2]}`
        : phrase[1]
  return bounded(oneLine(`${who(request)} ${did} ${rest}${refusal(request)}${origin(request)}`), LIMITS.body)
}

function who({ actor, effective }: Request): string {
  return effective === undefined ? actor.called : `${actor.called} as ${effective.called}`
}

function origin({ address, peer, agent }: Request): string {
  const from = address === '' ? '' : peer === '' ? ` from ${address}` : ` from ${address} via ${peer}`
  return agent === undefined ? from : `${from} with ${agent.short}`
}

// Names of http status codes as apimachinery's StatusReasons spell them, for events that carry only the code.
const CODES = new Map<number, string>([
  [400, 'bad request'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not found'],
  [405, 'method not allowed'],
  [406, 'not acceptable'],
  [409, 'conflict'],
  [410, 'gone'],
  [413, 'request entity too large'],
  [415, 'unsupported media type'],
  [422, 'invalid'],
  [429, 'too many requests'],
  [500, 'internal error'],
  [502, 'bad gateway'],
  [503, 'service unavailable'],
  [504, 'timeout'],
])

function refusal({ stage, code, reason, status }: Request): string {
  if (stage === 'Panic') return ' (the API server panicked)'
  if (code >= 400) {
    const words = reason === '' ? (CODES.get(code) ?? '') : inWords(reason)
    return words === '' ? ` (${code})` : ` (${code} ${words})`
  }
  if (code === 0 && status['status'] === 'Failure') return reason === '' ? ' (failed)' : ` (${inWords(reason)})`
  return ''
}

/** `AlreadyExists` -> `already exists`. */
function inWords(reason: string): string {
  return reason
    .slice(0, 64)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
}
