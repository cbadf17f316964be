/** What the HTTP Event Collector says of a request, by its status and by the code in its body. */
import { HoldError, RetryLaterError } from '../../src/exporting/errors.ts'
import type { PostResponse } from '../../src/net/http-post.ts'
import { isSuccess, refusal } from '../../src/net/refusal.ts'

export type Answer =
  | { readonly kind: 'taken'; readonly ackId: number | undefined; readonly isReadable: boolean }
  /** One event is to blame. `number` tells about which, and is 0 or 1 for the first, as the code would have it. */
  | { readonly kind: 'invalid'; readonly number: number | undefined; readonly code: number; readonly error: string }
  | { readonly kind: 'too large'; readonly error: string }
  /** The first events may have been taken: `number` is where Splunk stopped. */
  | { readonly kind: 'later'; readonly number: number; readonly error: Error }

/** Incorrect index: of the configuration, or of the event. */
export const INCORRECT_INDEX = 7

/** 400s of a token, a channel or a path: somebody must act, no event is to blame. */
const MISCONFIGURED = new Set([1, 2, 3, 4, 10, 11, 14, 16, 21, 22])

interface Body {
  readonly text?: unknown
  readonly code?: unknown
  readonly ackId?: unknown
  readonly 'invalid-event-number'?: unknown
}

export function judge(response: PostResponse): Answer {
  const { status, body } = response
  const said = parse(body)
  const code = integer(said?.code) ?? -1
  const reason = typeof said?.text === 'string' ? `${said.text.slice(0, 300)} (code ${code})` : plain(body)
  if (isSuccess(status)) return judgeAccepted(response, said, code, reason)
  const error = `the destination answered ${status}: ${reason || 'no reason given'}`
  const number = integer(said?.['invalid-event-number'])
  if (status === 413) return { kind: 'too large', error }
  if (status !== 400) return later(refusal(response, reason), number)
  return MISCONFIGURED.has(code) ? later(new HoldError(error)) : { kind: 'invalid', number, code, error }
}

function judgeAccepted(
  { status, headers }: PostResponse,
  said: Body | undefined,
  code: number,
  reason: string,
): Answer {
  if (code > 0) return later(new HoldError(`the destination answered ${status}, but not success: ${reason}`))
  if (said === undefined && String(headers['content-type'] ?? '').startsWith('text/html')) {
    return later(new HoldError(`the destination answered ${status} with a web page: is this the URL of a collector?`))
  }
  return { kind: 'taken', ackId: integer(said?.ackId), isReadable: code === 0 }
}

function later(error: Error, number = 0): Answer {
  return { kind: 'later', number, error }
}

/** What keeps records that shall be sent again. */
export function asReason(error: Error): RetryLaterError | HoldError {
  if (error instanceof RetryLaterError || error instanceof HoldError) return error
  return new RetryLaterError(error.message, { cause: error })
}

function parse(body: Buffer): Body | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function plain(body: Buffer): string {
  const text = body.subarray(0, 300).toString('utf8').trim()
  return /^[\x20-\x7e\s]*$/.test(text) ? text : ''
}

function integer(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}
