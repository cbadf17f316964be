/**
 * The transport under the SDK's exporter: compresses, sends once and turns every answer into one of our errors.
 *
 * The SDK's own transport retries inside a timeout, hides status and Retry-After, reports a partial success as
 * a success and takes headers from the environment; none of that may reach a user.
 */
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base'
import { PartialError } from '../../src/exporting/errors.ts'
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
  readonly onUnreadable: () => void
}

export interface Transport extends IExporterTransport {
  /** The signal of the request that is handed over next: the SDK's interface has no place for one. */
  signal: AbortSignal
}

export function createTransport(options: TransportOptions): Transport {
  const { url, contentType, compression, level, client, onSent, onAnswered } = options
  const headers = {
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
        const response = await client.post(url, headers, body, signal)
        onSent(body.byteLength)
        onAnswered(data)
        judge(response, options)
        return { status: 'success' }
      } catch (error) {
        return { status: 'failure', error: error as Error }
      }
    },
    shutdown: () => client.close(),
  }
}

/** The table of outcomes in docs/delivery.md. Returns for "all there", throws for everything else. */
function judge(response: PostResponse, options: TransportOptions): void {
  if (isSuccess(response.status)) judgeAccepted(response.body, options)
  else throw refusal(response, readErrorMessage(response.body))
}

function judgeAccepted(body: Buffer, { contentType, onUnreadable }: TransportOptions): void {
  const partial = readPartialSuccess(body, contentType === 'application/json')
  if (partial === undefined) onUnreadable()
  // The specification forbids sending a partly accepted request again: nobody knows which records were refused.
  else if (partial.rejected > 0) throw new PartialError(partial.message, { rejectedCount: partial.rejected })
}
