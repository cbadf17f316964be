/** What a status other than 2xx means for the records of the request: one table for every exporter over HTTP. */
import { HoldError, RejectedError, RetryLaterError, TooLargeError } from '../exporting/errors.ts'
import { type PostResponse, retryAfterMs } from './http-post.ts'

/**
 * The error to throw for an answer. `reason` is what the destination said, in words; it must be bounded.
 *
 * 408, 429 and 5xx: later. 400 and 422: one of the records is to blame. 413: too many at once. Everything else
 * (credentials, a wrong path, redirects, a proxy's page) is a mistake in somebody's configuration, not in the records.
 */
export function refusal({ status, headers }: Pick<PostResponse, 'status' | 'headers'>, reason: string): Error {
  const message = `the destination answered ${status}: ${reason || 'no reason given'}`
  if (status === 413) return new TooLargeError(message)
  if (status === 408 || status === 429 || status >= 500) {
    return new RetryLaterError(message, { retryAfterMs: retryAfterMs(headers['retry-after']) })
  }
  if (status === 400 || status === 422) return new RejectedError(message, { reason: `http_${status}`, bisect: true })
  return new HoldError(message)
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
