/**
 * OTLP over gRPC: one method that takes the bytes of a message as they are.
 *
 * An interceptor holds a call back before its message is read, because there must be room first; it also gives the
 * answer, so that the handler has nothing to do.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { ServerOptions } from '@grpc/grpc-js'
import type { Context } from '../../src/component.ts'
import { type Authenticator, authenticator } from '../../src/net/server-auth.ts'
import { followCertificates, listen, openDoorWarning, trackSockets } from '../../src/net/server-listen.ts'
import { parseEndpoint } from '../../src/net/server-settings.ts'
import { serverTls } from '../../src/net/server-tls.ts'
import { EXPORT_LOGS, loadGrpc } from '../../src/otlp/grpc.ts'
import type { GrpcSettings } from './config.ts'
import type { Door } from './door.ts'
import { GrpcCalls } from './grpc-calls.ts'
import type { Listener } from './http.ts'

const MIB = 2 ** 20

export async function listenGrpc(settings: GrpcSettings, door: Door, context: Context): Promise<Listener> {
  const grpc = await loadGrpc()
  const endpoint = parseEndpoint(settings.endpoint)
  const onError = (error: Error): void =>
    context.log.error('A certificate or credential cannot be read again; the old one stays.', { error })
  const tls = settings.tls && serverTls(settings.tls, onError)
  const auth: Authenticator | undefined = settings.auth && authenticator(settings.auth, onError)
  const calls = new GrpcCalls(grpc, {
    door,
    context,
    auth,
    readTimeoutMs: settings.read_timeout,
    limit: limitOf(settings),
  })
  const server = new grpc.Server({ ...channelOptions(settings), interceptors: [calls.interceptor] })
  server.addService({ Export: EXPORT_LOGS }, { Export: () => {} })
  // Our own sockets, so that certificates, limits and endpoints are the same as everywhere.
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
  const accept = (socket: Socket): void => injector.injectConnection(socket.setNoDelay(true))
  const socketServer: Server =
    tls === undefined
      ? createServer(accept)
      : createTlsServer({ ...tls.value, ALPNProtocols: ['h2'], handshakeTimeout: 10_000 }, accept)
  socketServer.maxConnections = settings.max_connections
  const sockets = trackSockets(socketServer)
  const port = await listen(socketServer, endpoint)
  if (tls !== undefined && 'setSecureContext' in socketServer) {
    followCertificates(socketServer as never, tls, settings.tls?.reload_interval ?? 0, () =>
      context.log.info('Certificates were read again.'),
    )
  }
  const warning = openDoorWarning(endpoint, auth !== undefined || tls?.value.requestCert === true)
  if (warning !== undefined) context.log.warn(warning, { endpoint: settings.endpoint })
  context.log.info('Listening for OTLP over gRPC.', { endpoint: settings.endpoint, port })
  return {
    port,
    async close(signal) {
      const closed = new Promise<void>((resolve) => socketServer.close(() => resolve()))
      await calls.allAnswered(signal)
      // Says goodbye; a connection ends when its last answer has left.
      injector.drain(500)
      injector.destroy()
      const cut = (): void => {
        for (const socket of sockets) socket.destroy()
      }
      const late = setTimeout(cut, signal.aborted ? 0 : 500)
      await closed
      clearTimeout(late)
      server.forceShutdown()
    },
  }
}

function limitOf({ max_recv_msg_size_mib }: GrpcSettings): number {
  return max_recv_msg_size_mib * MIB
}

function channelOptions(settings: GrpcSettings): ServerOptions {
  const { max_connection_idle, max_connection_age, max_connection_age_grace, time, timeout } =
    settings.keepalive.server_parameters
  return {
    'grpc.max_receive_message_length': limitOf(settings),
    'grpc.max_concurrent_streams': settings.max_concurrent_streams,
    'grpc.max_connection_idle_ms': max_connection_idle,
    'grpc.keepalive_time_ms': time,
    'grpc.keepalive_timeout_ms': timeout,
    'grpc.enable_channelz': 0,
    ...(max_connection_age === undefined ? {} : { 'grpc.max_connection_age_ms': max_connection_age }),
    ...(max_connection_age_grace === undefined ? {} : { 'grpc.max_connection_age_grace_ms': max_connection_age_grace }),
  }
}
