/**
 * One HTTP POST over a pool of kept connections. No retries, no redirects, no environment: what becomes of
 * a refusal is the caller's business.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { TlsOptions } from './client-settings.ts'

export interface PostResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** At most `MAX_RESPONSE_BYTES`; the rest is read and thrown away. */
  readonly body: Buffer
}

export interface HttpPoster {
  /** Rejects on socket errors and when `signal` aborts. Any status resolves. */
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<PostResponse>
  close(): void
}

const MAX_RESPONSE_BYTES = 64 * 1024

export function httpPoster(options: { readonly maxSockets: number; readonly tls?: TlsOptions }): HttpPoster {
  const pool = { keepAlive: true, maxSockets: options.maxSockets, keepAliveMsecs: 30_000, scheduling: 'lifo' as const }
  const plain = new HttpAgent(pool)
  const secure = new HttpsAgent({ ...pool, ...options.tls })

  const post: HttpPoster['post'] = (url, headers, body, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<PostResponse>()
    const isSecure = url.protocol === 'https:'
    const settings = { method: 'POST', headers: { ...headers, 'content-length': String(body.byteLength) }, signal }
    const onResponse = (response: IncomingMessage): void => collect(response, resolve, reject)
    const request: ClientRequest = isSecure
      ? httpsRequest(url, { ...settings, agent: secure }, onResponse)
      : httpRequest(url, { ...settings, agent: plain }, onResponse)
    // The reason of the signal says more than "This operation was aborted".
    request.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    request.end(body)
    return promise
  }

  return {
    post,
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function collect(
  response: IncomingMessage,
  resolve: (response: PostResponse) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    if (size < MAX_RESPONSE_BYTES) chunks.push(chunk)
    size += chunk.length
  })
  response.on('error', reject)
  response.on('end', () =>
    resolve({
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES),
    }),
  )
}

/** Milliseconds of a `Retry-After` header, given in seconds or as an HTTP date (RFC 9110, 10.2.3). At most an hour. */
export function retryAfterMs(value: string | string[] | undefined, now = Date.now()): number | undefined {
  if (typeof value !== 'string') return undefined
  const seconds = Number(value)
  const ms = Number.isFinite(seconds) && value.trim() !== '' ? seconds * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(3_600_000, Math.max(0, ms)) : undefined
}
