/**
 * One HTTP request over a pool of kept connections. No retries of what was answered, no redirects: what becomes of a
 * refusal is the caller's business.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Agents } from './agents.ts'

export interface PostResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** At most as long as the client allows. */
  readonly body: Buffer
  /** True when the body was longer and its end is missing. */
  readonly isCut: boolean
}

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Longest time that a proxy may take to reach the destination. */
const TUNNEL_MS = 15_000

/** What is read and thrown away behind the bound, so that the connection can be kept. */
const SPILL_BYTES = 1024 * 1024

/** What a connection ends with that the other side closed while a request was on its way to it. */
const CLOSED = new Set(['ECONNRESET', 'EPIPE'])

/**
 * Rejects on socket errors and, at once, with the reason of `signal` when it aborts. Any status resolves.
 *
 * Whoever keeps connections meets some that the other side closes just as a request leaves: such a request goes once
 * more at once, over another connection. It is no failure of the destination, and no reason to wait.
 */
export function sendOnce(
  agents: Agents,
  message: HttpRequest,
  maxResponseBytes: number,
  signal: AbortSignal,
  mayResend = true,
): Promise<PostResponse> {
  const { method, url, headers, body } = message
  const { promise, resolve, reject } = Promise.withResolvers<PostResponse>()
  if (signal.aborted) return Promise.reject(signal.reason)
  const { agent, isProxied } = agents.for(url)
  const settings = {
    method,
    agent,
    headers: { ...headers, 'content-length': String(body.byteLength) },
    ...(isProxied ? { timeout: TUNNEL_MS } : {}),
  }
  let isAnswered = false
  const onResponse = (response: IncomingMessage): void => {
    isAnswered = true
    collect(response, maxResponseBytes, resolve, reject)
  }
  const isSecure = url.protocol === 'https:'
  const request: ClientRequest = (isSecure ? httpsRequest : httpRequest)(url, settings, onResponse)
  const abort = (): void => {
    reject(signal.reason)
    // A request whose tunnel is still being dug says nothing of this until the proxy has answered, or TUNNEL_MS is over.
    request.destroy()
  }
  signal.addEventListener('abort', abort, { once: true })
  request.on('error', (error: NodeJS.ErrnoException) => {
    const isStale = request.reusedSocket && !isAnswered && CLOSED.has(error.code ?? '')
    if (!isStale || !mayResend || signal.aborted) reject(error)
    else resolve(sendOnce(agents, message, maxResponseBytes, signal, false))
  })
  request.on('close', () => signal.removeEventListener('abort', abort))
  request.end(body)
  return promise
}

function collect(
  response: IncomingMessage,
  maxBytes: number,
  resolve: (response: PostResponse) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  const done = (): void =>
    resolve({
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: Buffer.concat(chunks).subarray(0, maxBytes),
      isCut: size > maxBytes,
    })
  response.on('data', (chunk: Buffer) => {
    if (size < maxBytes) chunks.push(chunk)
    size += chunk.length
    if (size <= maxBytes + SPILL_BYTES) return
    done()
    response.destroy()
  })
  response.on('error', reject)
  response.on('end', done)
}

/** Milliseconds of a `Retry-After` header, given in seconds or as an HTTP date (RFC 9110, 10.2.3). At most an hour. */
export function retryAfterMs(value: string | string[] | undefined, now = Date.now()): number | undefined {
  if (typeof value !== 'string') return undefined
  const seconds = Number(value)
  const ms = Number.isFinite(seconds) && value.trim() !== '' ? seconds * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(3_600_000, Math.max(0, ms)) : undefined
}
