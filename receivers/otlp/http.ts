/** OTLP over HTTP: one path that takes POST, in protobuf or JSON, and answers after the outcome. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Context } from '../../src/component.ts'
import type { Room } from '../../src/flow/intake.ts'
import { type Authenticator, authenticator } from '../../src/net/server-auth.ts'
import {
  type BodyEncoding,
  BodyError,
  bodyEncoding,
  contentLength,
  readBody,
  unpack,
} from '../../src/net/server-body.ts'
import { followCertificates, listen, openDoorWarning } from '../../src/net/server-listen.ts'
import { parseEndpoint } from '../../src/net/server-settings.ts'
import { serverTls } from '../../src/net/server-tls.ts'
import { encodeAccepted } from '../../src/otlp/status.ts'
import type { HttpSettings } from './config.ts'
import type { Door } from './door.ts'
import { Growth } from './growth.ts'
import type { Reply } from './reply.ts'
import { createResponder, type Responder } from './respond.ts'

export interface Listener {
  readonly port: number
  /** Waits for open answers, then closes; aborting `signal` closes at once. */
  close(signal: AbortSignal): Promise<void>
}

/** Room for a body whose size is not known, until it is. */
const UNKNOWN_BYTES = 64 * 1024
/** Packed logs become ten to twenty times what they were. */
const PACKED_FACTOR = 16

export async function listenHttp(settings: HttpSettings, door: Door, context: Context): Promise<Listener> {
  const endpoint = parseEndpoint(settings.endpoint)
  const onError = (error: Error): void =>
    context.log.error('A certificate or credential cannot be read again; the old one stays.', { error })
  const tls = settings.tls && serverTls(settings.tls, onError)
  const auth = settings.auth && authenticator(settings.auth, onError)
  const options = {
    headersTimeout: earlier(settings.read_header_timeout, settings.read_timeout),
    requestTimeout: settings.read_timeout,
    keepAliveTimeout: settings.idle_timeout,
    connectionsCheckingInterval: 1000,
    // More than a client of OTLP has; each is kept until the request is over.
    maxHeaderSize: 32 * 1024,
    noDelay: true,
  }
  const server =
    tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls.value, handshakeTimeout: 10_000 })
  server.maxConnections = settings.max_connections
  const responder = createResponder(door.closing, context)
  const handler = new HttpHandler(settings, door, responder, auth)
  const take = (request: IncomingMessage, response: ServerResponse): void => void handler.take(request, response)
  server.on('request', take)
  server.on('checkContinue', take)
  const port = await listen(server, endpoint)
  if (tls !== undefined && server instanceof TlsServer) {
    followCertificates(server, tls, settings.tls?.reload_interval ?? 0, () =>
      context.log.info('Certificates were read again.'),
    )
  }
  const warning = openDoorWarning(endpoint, auth !== undefined || tls?.value.requestCert === true)
  if (warning !== undefined) context.log.warn(warning, { endpoint: settings.endpoint })
  context.log.info('Listening for OTLP over HTTP.', { endpoint: settings.endpoint, port })
  return {
    port,
    async close(signal) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const cut = (): void => server.closeAllConnections()
      if (signal.aborted) cut()
      else signal.addEventListener('abort', cut, { once: true })
      await responder.allAnswered(signal)
      cut()
      await closed
      signal.removeEventListener('abort', cut)
    },
  }
}

class HttpHandler {
  readonly #settings: HttpSettings
  readonly #door: Door
  readonly #responder: Responder
  readonly #auth: Authenticator | undefined
  readonly #growth = new Growth()

  constructor(settings: HttpSettings, door: Door, responder: Responder, auth: Authenticator | undefined) {
    this.#settings = settings
    this.#door = door
    this.#responder = responder
    this.#auth = auth
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const done = this.#responder.begin(request, response)
    const isJson = isJsonType(request)
    try {
      const problem = this.#problem(request) ?? (await this.#stranger(request))
      if (problem !== undefined) {
        this.#responder.refuse(request, response, isJson === true, problem)
        return
      }
      const reply = await this.#serve(request, response, isJson === true)
      this.#answer(request, response, isJson === true, reply)
    } catch (error) {
      this.#fail(request, response, isJson === true, error as Error)
    } finally {
      done()
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, isJson: boolean): Promise<Reply> {
    const { max_request_body_size: limit, compression_algorithms } = this.#settings
    const encoding = bodyEncoding(request, compression_algorithms)
    const length = contentLength(request)
    if (length !== undefined && length > limit) throw new BodyError(413, tooLong(limit))
    const estimate = Math.min(limit, estimateOf(length, encoding))
    return this.#door.serve(estimate, isJson, async (room) => {
      if (request.headers.expect !== undefined) response.writeContinue()
      return this.#body(request, encoding, estimate, room)
    })
  }

  /** The unpacked body. What is larger than its room waits for the one place where bodies may grow. */
  async #body(request: IncomingMessage, encoding: BodyEncoding, estimate: number, room: Room): Promise<Buffer> {
    const { max_request_body_size: limit } = this.#settings
    const growth = this.#growth.of(room, this.#door.closing)
    try {
      const body = await readBody(request, limit, this.#door.closing, (bytes) =>
        bytes <= estimate ? undefined : growth.to(bytes),
      )
      if (encoding === '') return body
      if (estimate >= limit) return await unpack(body, encoding, limit)
      try {
        return await unpack(body, encoding, estimate)
      } catch (error) {
        if (!(error instanceof BodyError) || error.status !== 413) throw error
      }
      await growth.to(limit)
      return await unpack(body, encoding, limit)
    } finally {
      growth.end()
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse, isJson: boolean, reply: Reply): void {
    if (reply.kind === 'taken') this.#responder.answer(response, 200, isJson, encodeAccepted(isJson, reply.message))
    else this.#responder.refuse(request, response, isJson, { status: STATUS[reply.kind], ...reply })
  }

  #fail(request: IncomingMessage, response: ServerResponse, isJson: boolean, error: Error): void {
    if (error instanceof BodyError) {
      this.#responder.refuse(request, response, isJson, { status: error.status, message: error.message })
    } else this.#responder.broken(request, response, isJson, error)
  }

  /** What is wrong with a request before its body matters. */
  #problem(request: IncomingMessage): Problem | undefined {
    const path = request.url?.split('?', 1)[0]
    if (path !== this.#settings.logs_url_path) {
      return { status: 404, message: `only ${this.#settings.logs_url_path} is served here: Weir takes logs` }
    }
    if (request.method !== 'POST')
      return { status: 405, message: 'only POST is served here', headers: { allow: 'POST' } }
    if (isJsonType(request) === undefined) {
      return { status: 415, message: 'expected content type application/x-protobuf or application/json' }
    }
    return undefined
  }

  async #stranger(request: IncomingMessage): Promise<Problem | undefined> {
    if (this.#auth === undefined || (await this.#auth.admits(request.headers.authorization))) return undefined
    return {
      status: 401,
      message: 'credentials are missing or wrong',
      headers: { 'www-authenticate': this.#auth.challenge },
    }
  }
}

const STATUS = { taken: 200, full: 429, unavailable: 503, invalid: 400, too_large: 413, unauthenticated: 401 } as const

export interface Problem {
  readonly status: number
  readonly message: string
  readonly retryAfterMs?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Undefined for a content type that is not OTLP. */
function isJsonType({ headers }: IncomingMessage): boolean | undefined {
  const type = headers['content-type']
  if (type === 'application/x-protobuf') return false
  if (type === 'application/json') return true
  const name = (type ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (name === 'application/x-protobuf' || name === 'application/protobuf') return false
  return name === 'application/json' ? true : undefined
}

/** 0 means no limit. */
function earlier(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.min(a, b) : a
}

function estimateOf(length: number | undefined, encoding: BodyEncoding): number {
  if (length === undefined) return UNKNOWN_BYTES
  return encoding === '' ? Math.max(1024, length) : Math.max(UNKNOWN_BYTES, length * PACKED_FACTOR)
}

function tooLong(limit: number): string {
  return `the body is larger than ${limit} bytes: send smaller batches, or raise max_request_body_size`
}
