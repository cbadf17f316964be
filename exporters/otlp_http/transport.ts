/**
 * The transport under the SDK's exporter: compresses, sends once and turns every answer into one of our errors.
 *
 * The SDK's own transport retries inside a timeout, hides status and Retry-After, reports a partial success as
 * a success and takes headers from the environment; none of that may reach a user.
 */
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base'
import { HoldError, PartialError, RejectedError } from '../../src/exporting/errors.ts'
import { type Compression, compress } from '../../src/net/compress.ts'
import type { HttpClient } from '../../src/net/http-client.ts'
import type { PostResponse } from '../../src/net/http-post.ts'
import { isSuccess, refusal } from '../../src/net/refusal.ts'
import { readErrorMessage, readPartialSuccess } from '../../src/otlp/response.ts'

export interface TransportOptions {
  readonly url: URL
  readonly contentType: 'application/json' | 'application/x-protobuf'
  readonly compression: Compression
  readonly level: number
  readonly client: HttpClient
  /** The body that was handed over is not needed any more. */
  readonly onAnswered: (body: Uint8Array) => void
  readonly onSent: (bytes: number) => void
  /** Whether a 400 means that the destination took what was valid of the request. */
  readonly isPartialOn400: boolean
  /** Nobody can tell which records of a request the destination has, and why. */
  readonly onUnknown: (records: number, reason: 'refused_in_part' | 'unreadable_answer') => void
}

/** What the SDK's interface has no place for. */
export interface Attempt {
  readonly records: number
  readonly signal: AbortSignal
}

export interface Transport extends IExporterTransport {
  /** About the request that is handed over next. */
  attempt: Attempt
}

export function createTransport(options: TransportOptions): Transport {
  const { url, contentType, compression, level, client, onSent, onAnswered } = options
  const headers = {
    'content-type': contentType,
    ...(compression === 'none' ? {} : { 'content-encoding': compression }),
  }
  return {
    attempt: { records: 0, signal: AbortSignal.abort() },
    async send(data): Promise<ExportResponse> {
      const { signal, records } = this.attempt
      try {
        const body = await compress(data, compression, level)
        signal.throwIfAborted()
        const response = await client.post(url, headers, body, signal)
        onSent(body.byteLength)
        onAnswered(data)
        judge(response, records, options)
        return { status: 'success' }
      } catch (error) {
        return { status: 'failure', error: error as Error }
      }
    },
    shutdown: () => client.close(),
  }
}

/** The table of outcomes in docs/delivery.md. Returns for "all there", throws for everything else. */
function judge(response: PostResponse, records: number, options: TransportOptions): void {
  const { status, body } = response
  if (isSuccess(status)) judgeAccepted(response, records, options)
  else if (status === 400 && options.isPartialOn400) throw refusedInPart(body, records, options)
  else throw refusal(response, readErrorMessage(body))
}

function judgeAccepted({ status, headers, body }: PostResponse, records: number, options: TransportOptions): void {
  const type = String(headers['content-type'] ?? '')
  if (type.startsWith('text/html')) {
    // A portal, a proxy or a user interface: it took nothing. To believe it would lose everything without a word.
    throw new HoldError(`the destination answered ${status} with a web page: is this the URL of an OTLP endpoint?`)
  }
  const isJson = type === '' ? options.contentType === 'application/json' : type.includes('json')
  const partial = readPartialSuccess(body, isJson)
  if (partial === undefined) options.onUnknown(records, 'unreadable_answer')
  // The specification forbids sending a partly accepted request again: nobody knows which records were refused.
  else if (partial.rejected > 0) throw new PartialError(partial.message, { rejectedCount: partial.rejected })
}

/** Loki keeps the valid entries of a push that it answers with 400: sent again, they would be there twice. */
function refusedInPart(body: Buffer, records: number, { onUnknown }: TransportOptions): Error {
  onUnknown(records, 'refused_in_part')
  const reason = readErrorMessage(body) || 'no reason given'
  return new RejectedError(`the destination answered 400 and took what was valid: ${reason}`, {
    reason: 'unknown_partial',
  })
}
