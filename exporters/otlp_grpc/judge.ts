/** What a status of gRPC means for the records of the request (OTLP specification, "OTLP/gRPC Response"). */
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { readPartialSuccess, readRetryDelayMs } from '../../src/otlp/response.ts'

export interface Answer {
  /** 0 is OK. */
  readonly code: number
  readonly details: string
  /** The message of an OK. */
  readonly body: Buffer
  /** `google.rpc.Status` of everything else, where there is one. */
  readonly status: Buffer | undefined
}

const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** Those that the specification calls retryable, and those that a server answers when it fails by itself. */
const AGAIN = new Set([
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNKNOWN',
  'INTERNAL',
])
const TOO_LARGE = /larger than|too large|message size|max(imum)? (message )?size/i
const CERTIFICATE = /certificate|CERT_|self.signed|unable to (get|verify)|ERR_TLS|SSL routines|alert number/i

/** Returns for "all there", throws for everything else. */
export function judgeAnswer({ code, details, body, status }: Answer, onUnreadable: () => void): void {
  if (code === 0) {
    const partial = readPartialSuccess(body, false)
    if (partial === undefined) onUnreadable()
    // The specification forbids sending a partly accepted request again: nobody knows which records were refused.
    else if (partial.rejected > 0) throw new PartialError(partial.message, { rejectedCount: partial.rejected })
    return
  }
  throw refusal(NAMES[code] ?? `status ${code}`, details.slice(0, 500), status)
}

function refusal(name: string, details: string, status: Buffer | undefined): Error {
  const message = `the destination answered ${name}: ${details || 'no reason given'}`
  const retryAfterMs = status === undefined ? undefined : readRetryDelayMs(status)
  if (name === 'RESOURCE_EXHAUSTED') {
    // Without a time to come again it may be the request itself that is too much.
    if (retryAfterMs === undefined && TOO_LARGE.test(details)) return new TooLargeError(message)
    return new RetryLaterError(message, { retryAfterMs })
  }
  if (name === 'INVALID_ARGUMENT') return new RejectedError(message, { reason: 'grpc_invalid_argument', bisect: true })
  if (name === 'UNAVAILABLE' && CERTIFICATE.test(details))
    return new HoldError(`the TLS connection was refused: ${details}`)
  // UNAUTHENTICATED, PERMISSION_DENIED, UNIMPLEMENTED and the like: a mistake in somebody's configuration.
  return AGAIN.has(name) ? new RetryLaterError(message, { retryAfterMs }) : new HoldError(message)
}
