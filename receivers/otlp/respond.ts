/** Writes answers of HTTP, counts them, and knows which are still owed. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from '../../src/component.ts'
import { CODE, encodeStatus } from '../../src/otlp/status.ts'
import type { Problem } from './http.ts'

export interface Responder {
  /** A request came. The result says that it was answered. */
  begin(request: IncomingMessage, response: ServerResponse): () => void
  answer(response: ServerResponse, status: number, isJson: boolean, body: Buffer, headers?: Problem['headers']): void
  refuse(request: IncomingMessage, response: ServerResponse, isJson: boolean, problem: Problem): void
  /** Something failed that should not have: the client is told to come again. */
  broken(request: IncomingMessage, response: ServerResponse, isJson: boolean, error: Error): void
  /** Resolves when every request was answered, or `signal` aborts. */
  allAnswered(signal: AbortSignal): Promise<void>
}

/** How long what is left of a body is thrown away, so that its sender gets to read the answer. */
const LINGER_MS = 3000

const CODES: Readonly<Record<number, number>> = {
  400: CODE.invalidArgument,
  401: CODE.unauthenticated,
  404: CODE.notFound,
  405: CODE.unimplemented,
  413: CODE.invalidArgument,
  415: CODE.invalidArgument,
  429: CODE.resourceExhausted,
  503: CODE.unavailable,
}

export function createResponder(closing: AbortSignal, context: Context): Responder {
  let owed = 0
  let onNone: (() => void) | undefined
  const count = (status: string): void => context.count('weir_receiver_requests', 1, { transport: 'http', status })

  const head = (response: ServerResponse, status: number, isJson: boolean, body: Buffer, more: object): void => {
    if (closing.aborted) response.shouldKeepAlive = false
    response.writeHead(status, {
      'content-type': isJson ? 'application/json' : 'application/x-protobuf',
      'content-length': body.length,
      ...more,
    })
  }
  const isGone = (response: ServerResponse): boolean => {
    if (!response.destroyed && response.socket?.destroyed === false) return false
    count('gone')
    return true
  }
  const refuse: Responder['refuse'] = (request, response, isJson, { status, message, retryAfterMs, headers }) => {
    if (isGone(response)) return
    count(String(status))
    const body = encodeStatus(isJson, { code: CODES[status] ?? CODE.internal, message, retryAfterMs })
    const retry = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }
    if (!request.complete) response.shouldKeepAlive = false
    head(response, status, isJson, body, { ...retry, ...headers })
    if (request.complete) response.end(body)
    else linger(request, response, body)
  }
  return {
    begin() {
      owed += 1
      return () => {
        owed -= 1
        if (owed === 0) onNone?.()
      }
    },
    answer(response, status, isJson, body, headers = {}) {
      if (isGone(response)) return
      count(String(status))
      head(response, status, isJson, body, headers)
      response.end(body)
    },
    refuse,
    broken(request, response, isJson, error) {
      if (isGone(response)) return
      context.log.error('A request could not be served; its client is asked to send it again.', { error })
      refuse(request, response, isJson, {
        status: 503,
        message: 'could not be served: send again later',
        retryAfterMs: 5000,
      })
    },
    async allAnswered(signal) {
      if (owed === 0 || signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      onNone = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
    },
  }
}

/** A connection that is closed while its client is still sending takes the answer with it. */
function linger(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  if (body.length > 0) response.write(body)
  else response.flushHeaders()
  const end = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  request.once('end', end).once('close', end).once('error', end)
  request.resume()
}
