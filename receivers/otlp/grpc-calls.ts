/** Calls of gRPC, from the headers to the answer. */
import type {
  Metadata,
  ServerInterceptingCall,
  ServerInterceptingCallInterface,
  ServerInterceptor,
} from '@grpc/grpc-js'
import type { Context } from '../../src/component.ts'
import type { Authenticator } from '../../src/net/server-auth.ts'
import type { Grpc } from '../../src/otlp/grpc.ts'
import { CODE, encodeAccepted, encodeStatus } from '../../src/otlp/status.ts'
import type { Door } from './door.ts'
import { Refusal, type Reply } from './reply.ts'

export interface GrpcCallsOptions {
  readonly door: Door
  readonly context: Context
  readonly auth: Authenticator | undefined
  readonly readTimeoutMs: number
  /** Largest message. */
  readonly limit: number
}

/** Room for a message, until its size is known. As many are read at once as there is room for so. */
const UNKNOWN_BYTES = 256 * 1024

const CODES = {
  taken: CODE.ok,
  full: CODE.resourceExhausted,
  unavailable: CODE.unavailable,
  invalid: CODE.invalidArgument,
  too_large: CODE.invalidArgument,
  unauthenticated: CODE.unauthenticated,
} as const

const STRANGER: Reply = { kind: 'unauthenticated', message: 'credentials are missing or wrong' }
const SLOW: Reply = { kind: 'unavailable', message: 'the message did not arrive in time', retryAfterMs: 1000 }

export class GrpcCalls {
  readonly interceptor: ServerInterceptor
  readonly #grpc: Grpc
  readonly #options: GrpcCallsOptions
  #owed = 0
  #onNone: (() => void) | undefined

  constructor(grpc: Grpc, options: GrpcCallsOptions) {
    this.#grpc = grpc
    this.#options = options
    this.interceptor = (_method, call) => this.#intercept(call)
  }

  /** Resolves when every call was answered, or `signal` aborts. */
  async allAnswered(signal: AbortSignal): Promise<void> {
    if (this.#owed === 0 || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onNone = resolve
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
  }

  #intercept(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const { promise: message, resolve, reject } = Promise.withResolvers<Buffer>()
    // Nobody may be waiting for it any more.
    message.catch(() => {})
    let isGone = false
    return new this.#grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            void this.#serve(call, metadata, {
              read: () => {
                proceed(metadata)
                return this.#inTime(message, reject)
              },
              isGone: () => isGone,
            })
          },
          onReceiveMessage(bytes, proceed) {
            resolve(bytes as Buffer)
            proceed(bytes)
          },
          onCancel() {
            isGone = true
            reject(new Refusal(SLOW))
          },
        }),
    })
  }

  async #inTime(message: Promise<Buffer>, reject: (reason: Error) => void): Promise<Buffer> {
    const { closing } = this.#options.door
    const stop = (): void => reject(closing.reason as Error)
    const timer = setTimeout(() => reject(new Refusal(SLOW)), this.#options.readTimeoutMs)
    closing.addEventListener('abort', stop)
    try {
      return await message
    } finally {
      clearTimeout(timer)
      closing.removeEventListener('abort', stop)
    }
  }

  async #serve(
    call: ServerInterceptingCallInterface,
    metadata: Metadata,
    { read, isGone }: { readonly read: () => Promise<Buffer>; readonly isGone: () => boolean },
  ): Promise<void> {
    const { door, auth, context, limit } = this.#options
    this.#owed += 1
    try {
      const isWelcome = auth === undefined || (await auth.admits(metadata.get('authorization')[0]?.toString()))
      const reply = isWelcome ? await door.serve(Math.min(UNKNOWN_BYTES, limit), false, read) : STRANGER
      this.#answer(call, reply, isGone())
    } catch (error) {
      context.log.error('A request could not be served; its client is asked to send it again.', { error })
      this.#answer(call, { kind: 'unavailable', message: 'could not be served: send again later' }, isGone())
    } finally {
      this.#owed -= 1
      if (this.#owed === 0) this.#onNone?.()
    }
  }

  #answer(call: ServerInterceptingCallInterface, reply: Reply, isGone: boolean): void {
    const code = CODES[reply.kind]
    const status = isGone ? 'gone' : (this.#grpc.status[code] as string)
    this.#options.context.count('weir_receiver_requests', 1, { transport: 'grpc', status })
    if (isGone) return
    if (reply.kind === 'taken') {
      call.sendMessage(encodeAccepted(false, reply.message), () => call.sendStatus({ code: CODE.ok, details: '' }))
      return
    }
    const { message, retryAfterMs } = reply
    const metadata = new this.#grpc.Metadata()
    if (retryAfterMs !== undefined) {
      metadata.set('grpc-status-details-bin', encodeStatus(false, { code, message, retryAfterMs }))
    }
    call.sendStatus({ code, details: message, metadata })
  }
}
