/**
 * The transport under the SDK's exporter: compresses, sends once and turns every answer into one of our errors.
 *
 * The SDK's own transport retries inside a timeout, hides status and Retry-After, reports a partial success as
 * a success and takes headers from the environment; none of that may reach a user.
 */
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base'
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { type Compression, compress } from '../../src/net/compress.ts'
import { type HttpPoster, type PostResponse, retryAfterMs } from '../../src/net/http-post.ts'
import { readErrorMessage, readPartialSuccess } from '../../src/otlp/response.ts'

export interface TransportOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: 'application/json' | 'application/x-protobuf'
  readonly compression: Compression
  readonly level: number
  readonly poster: HttpPoster
  /** The body that was handed over is not needed any more. */
  readonly onAnswered: (body: Uint8Array) => void
  readonly onSent: (bytes: number) => void
  readonly onUnreadable: () => void
}

export interface Transport extends IExporterTransport {
  /** The signal of the request that is handed over next: the SDK's interface has no place for one. */
  signal: AbortSignal
}

export function createTransport(options: TransportOptions): Transport {
  const { url, contentType, compression, level, poster, onSent, onAnswered } = options
  const headers = {
    'user-agent': 'Weir OTLP exporter',
    ...options.headers,
    'content-type': contentType,
    ...(compression === 'none' ? {} : { 'content-encoding': compression }),
  }
  return {
    signal: AbortSignal.abort(),
    async send(data): Promise<ExportResponse> {
      const { signal } = this
      try {
        const body = await compress(data, compression, level)
        signal.throwIfAborted()
        const response = await poster.post(url, headers, body, signal)
        onSent(body.byteLength)
        onAnswered(data)
        judge(response, options)
        return { status: 'success' }
      } catch (error) {
        return { status: 'failure', error: holdOnBadCertificate(error as Error) }
      }
    },
    shutdown: () => poster.close(),
  }
}

/** The table of outcomes in docs/delivery.md. Returns for "all there", throws for everything else. */
function judge({ status, headers, body }: PostResponse, options: TransportOptions): void {
  if (status >= 200 && status < 300) judgeAccepted(body, options)
  else throw refusal(status, headers, body)
}

function judgeAccepted(body: Buffer, { contentType, onUnreadable }: TransportOptions): void {
  const partial = readPartialSuccess(body, contentType === 'application/json')
  if (partial === undefined) onUnreadable()
  // The specification forbids sending a partly accepted request again: nobody knows which records were refused.
  else if (partial.rejected > 0) throw new PartialError(partial.message, { rejectedCount: partial.rejected })
}

const AGAIN = new Set([408, 429, 500, 502, 503, 504])
const POISONED = new Set([400, 422])
const TOO_LARGE = 413

function refusal(status: number, headers: PostResponse['headers'], body: Buffer): Error {
  const message = `the destination answered ${status}: ${readErrorMessage(body) || 'no reason given'}`
  if (status === TOO_LARGE) return new TooLargeError(message)
  if (AGAIN.has(status)) return new RetryLaterError(message, { retryAfterMs: retryAfterMs(headers['retry-after']) })
  if (POISONED.has(status)) return new RejectedError(message, { reason: `http_${status}`, bisect: true })
  // 401 and 403, a wrong path, a proxy's page: a mistake in somebody's configuration, not in the records.
  return new HoldError(message)
}

const CERTIFICATE_ERRORS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/

function holdOnBadCertificate(error: Error & { code?: string }): Error {
  if (!CERTIFICATE_ERRORS.test(error.code ?? '')) return error
  return new HoldError(`the TLS connection was refused: ${error.message}`, { cause: error })
}
