/** The channel to one destination: made anew when its certificates change, closed with the exporter. */
import { createSecureContext } from 'node:tls'
import type { ChannelCredentials, ChannelOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js'
import type { Context } from '../../src/component.ts'
import { credentials } from '../../src/net/credentials.ts'
import { readTls, type TlsOptions, tlsFiles } from '../../src/net/tls.ts'
import { type WatchedFiles, watchFiles } from '../../src/net/watched-files.ts'
import { EXPORT_LOGS, type Grpc, loadGrpc } from '../../src/otlp/grpc.ts'
import { type Config, targetOf } from './config.ts'
import type { Answer } from './judge.ts'

export interface Connection {
  open(): Promise<void>
  /** One request. Resolves with whatever the answer is; rejects with the signal's reason when it aborts. */
  send(body: Buffer, signal: AbortSignal): Promise<Answer>
  close(): void
}

const MAX_RESPONSE_BYTES = 64 * 1024
/** The library waits up to two minutes before it connects again; the chain has its own backoff. */
const MAX_RECONNECT_MS = 5000
const UNAUTHENTICATED = 16
/** Largest request that goes again by itself. */
const RESEND_BYTES = 8 * 1024 * 1024

/** Reads certificates and credentials. Throws one sentence that names the key and the file. */
export function createConnection(settings: Config, context: Context): Connection {
  const { auth, headers, timeout, tls } = settings
  if (auth !== undefined && Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) {
    throw new Error('headers::Authorization and auth both say who is sending: leave one of them out')
  }
  const { target, isSecure } = targetOf(settings)
  const certificates = watchFiles<TlsOptions | undefined>({
    paths: isSecure ? tlsFiles(tls) : [],
    load: () => (isSecure ? readTls(tls) : undefined),
    intervalMs: tls.reload_interval,
    onError: (error) =>
      context.log.warn('The certificate files cannot be used; the old certificates stay in use.', { error }),
  })
  const identity: WatchedFiles<string> | undefined =
    auth &&
    credentials(auth, (error) =>
      context.log.warn('The credentials cannot be read; the old ones stay in use.', { error }),
    )
  let grpc: Grpc | undefined
  let client: Client | undefined

  const connect = (library: Grpc): Client =>
    new library.Client(target, channelCredentials(library, certificates.value), channelOptions(settings))
  const metadata = (library: Grpc): Metadata => {
    const made = new library.Metadata()
    for (const [name, value] of Object.entries(headers)) made.set(name, value)
    if (identity !== undefined) made.set('authorization', identity.value)
    return made
  }
  const request = (body: Buffer, signal: AbortSignal): Promise<Answer> => {
    if (grpc === undefined || client === undefined) throw new Error('the exporter is not started')
    return callOnce({ client, metadata: metadata(grpc), timeout, body }, signal)
  }
  return {
    async open() {
      grpc = await loadGrpc()
      client = connect(grpc)
    },
    async send(body, signal) {
      signal.throwIfAborted()
      await identity?.refresh()
      if (grpc !== undefined && (await certificates.refresh())) {
        client?.close()
        client = connect(grpc)
      }
      const answer = await request(body, signal)
      context.count('weir_exporter_sent_bytes', body.length)
      if (answer.code !== UNAUTHENTICATED || !(await identity?.refresh(true))) return answer
      // The credentials were exchanged a moment ago.
      return request(body, signal)
    },
    close() {
      client?.close()
      client = undefined
    },
  }
}

interface Request {
  readonly client: Client
  readonly metadata: Metadata
  readonly timeout: number
  readonly body: Buffer
}

function callOnce({ client, metadata, timeout, body }: Request, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { path, requestSerialize, responseDeserialize } = EXPORT_LOGS
  const options = timeout > 0 ? { deadline: Date.now() + timeout } : {}
  const onAnswer = (error: ServiceError | null, answer?: Buffer): void => {
    signal.removeEventListener('abort', cancel)
    if (signal.aborted) reject(signal.reason)
    else resolve(answerOf(error, answer))
  }
  const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, body, metadata, options, onAnswer)
  const cancel = (): void => call.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  return promise
}

function answerOf(error: ServiceError | null, answer: Buffer | undefined): Answer {
  const status = error?.metadata?.get('grpc-status-details-bin')[0]
  return {
    code: error?.code ?? 0,
    details: error?.details ?? '',
    body: answer ?? Buffer.alloc(0),
    status: Buffer.isBuffer(status) ? status : undefined,
  }
}

function channelCredentials(grpc: Grpc, tls: TlsOptions | undefined): ChannelCredentials {
  if (tls === undefined) return grpc.ChannelCredentials.createInsecure()
  const { rejectUnauthorized, servername: _, ...context } = tls
  return grpc.ChannelCredentials.createFromSecureContext(createSecureContext(context), { rejectUnauthorized })
}

function channelOptions({ authority, balancer_name, compression, keepalive, tls }: Config): ChannelOptions {
  const { server_name_override } = tls
  return {
    'grpc.primary_user_agent': 'Weir',
    'grpc.default_compression_algorithm': compression === 'gzip' ? 2 : 0,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [balancer_name]: {} }] }),
    'grpc.service_config_disable_resolution': 1,
    'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_MS,
    // A proxy of the environment is not ours, as nothing else of the environment is.
    'grpc.enable_http_proxy': 0,
    // A stream that the server never looked at, as while it says goodbye, goes again at once over another connection;
    // everything else is tried again by the chain, because no policy is set here.
    'grpc.enable_retries': 1,
    'grpc.per_rpc_retry_buffer_size': RESEND_BYTES,
    'grpc.enable_channelz': 0,
    'grpc.use_local_subchannel_pool': 1,
    ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
    ...(server_name_override === undefined ? {} : { 'grpc.ssl_target_name_override': server_name_override }),
    ...(keepalive === undefined
      ? {}
      : {
          'grpc.keepalive_time_ms': keepalive.time,
          'grpc.keepalive_timeout_ms': keepalive.timeout,
          'grpc.keepalive_permit_without_calls': keepalive.permit_without_stream ? 1 : 0,
        }),
  }
}
