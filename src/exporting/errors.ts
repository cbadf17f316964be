/**
 * What an exporter throws to say what should happen to the records it was given.
 * Anything else that it throws means: try the same records again later.
 */
import type { LogRecord } from '../records/record.ts'

/** The destination is there but not now. `retryAfterMs` is its own wish (Retry-After), which overrides a shorter backoff. */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError'
  readonly retryAfterMs: number | undefined
  constructor(message: string, options?: ErrorOptions & { retryAfterMs?: number | undefined }) {
    super(message, options)
    this.retryAfterMs = options?.retryAfterMs
  }
}

/** Somebody must act (401, 403, certificates): hold everything, try again, and report the component unhealthy. */
export class HoldError extends Error {
  override readonly name = 'HoldError'
}

/** The request was too large (413): halve it and send both; a single record goes to the dead-letter file. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

/**
 * The destination refuses these records and always will.
 * With `bisect`, one bad record among good ones may be to blame (a 400): the chain cuts the batch in halves
 * until the bad one is alone.
 */
export class RejectedError extends Error {
  override readonly name = 'RejectedError'
  readonly reason: string
  readonly bisect: boolean
  constructor(message: string, options?: ErrorOptions & { reason?: string; bisect?: boolean }) {
    super(message, options)
    this.reason = options?.reason ?? 'rejected'
    this.bisect = options?.bisect ?? false
  }
}

/**
 * Runs an encoder. A record that cannot be encoded will never be: the batch is bisected until it is alone in the
 * dead-letter file, and the others go on.
 */
export function encodeOrReject<T>(encode: () => T): T {
  try {
    return encode()
  } catch (error) {
    throw new RejectedError(`a record cannot be encoded: ${(error as Error).message}`, {
      reason: 'unencodable',
      bisect: true,
      cause: error,
    })
  }
}

/** Some records arrived and some did not. Only `retry` is sent again. */
export class PartialError extends Error {
  override readonly name = 'PartialError'
  /** Refused for good, each with its reason: counted and dead-lettered. */
  readonly rejected: readonly { readonly record: LogRecord; readonly reason: string; readonly error: string }[]
  /** Refused for good by number only: the destination did not say which ones. Counted. */
  readonly rejectedCount: number
  /** Left out on purpose; the exporter has counted them as filtered. */
  readonly filtered: number
  /** Not now: sent again. */
  readonly retry: readonly LogRecord[]
  /** What keeps them: a RetryLaterError that says when, or a HoldError when somebody must act. */
  readonly why: RetryLaterError | HoldError | undefined
  constructor(
    message: string,
    parts: {
      rejected?: PartialError['rejected']
      rejectedCount?: number
      filtered?: number
      retry?: readonly LogRecord[]
      why?: RetryLaterError | HoldError
    },
  ) {
    super(message)
    this.rejected = parts.rejected ?? []
    this.rejectedCount = parts.rejectedCount ?? 0
    this.filtered = parts.filtered ?? 0
    this.retry = parts.retry ?? []
    this.why = parts.why
  }
}
