/**
 * Takes logs by OTLP, from applications, SDKs, Collectors and other Weirs.
 *
 * A client is answered when every destination has its records, or when they are in a queue on disk: what it is told
 * is true, and what it is not told it sends again.
 */
import { type Context, defineReceiver, type Receiver } from '../../src/component.ts'
import { unsupportedServerKeys } from '../../src/net/server-settings.ts'
import { type Config, config, grpcSettings, httpSettings } from './config.ts'
import { Door } from './door.ts'
import { listenGrpc } from './grpc.ts'
import { type Listener, listenHttp } from './http.ts'

export const otlp = defineReceiver({
  type: 'otlp',
  stability: 'beta',
  summary: 'Takes logs by OTLP over gRPC and HTTP, and answers when they are delivered.',
  delivery: 'respond',
  ends: false,
  config,
  unsupported: {
    ...unsupportedServerKeys('protocols.grpc.'),
    ...unsupportedServerKeys('protocols.http.'),
    'protocols.http.traces_url_path': 'Weir takes logs only; leave it out',
    'protocols.http.metrics_url_path': 'Weir takes logs only; leave it out',
    'protocols.http.profiles_url_path': 'Weir takes logs only; leave it out',
    'protocols.http.cors': 'browsers are not served; let a proxy add the headers',
    'protocols.http.response_headers': 'answers have no further headers; leave it out',
    'protocols.http.write_timeout': 'an answer waits for delivery; leave it out',
    'protocols.http.keep_alives_enabled': 'connections are kept; set idle_timeout to a short time instead',
    'protocols.http.transport': 'TCP is the only transport; leave it out',
    'protocols.grpc.transport': 'TCP is the only transport; leave it out',
    'protocols.grpc.read_buffer_size': 'buffers have the size that a request needs; leave it out',
    'protocols.grpc.write_buffer_size': 'buffers have the size that a request needs; leave it out',
    'protocols.grpc.keepalive.enforcement_policy': 'pings of clients are not limited; leave it out',
    'protocols.arrow': 'OTLP over Arrow is not available; use grpc or http',
  },
  examples: [
    { protocols: { grpc: {}, http: {} } },
    {
      protocols: {
        grpc: {
          endpoint: '0.0.0.0:4317',
          tls: { cert_file: '/etc/weir/tls.crt', key_file: '/etc/weir/tls.key', client_ca_file: '/etc/weir/ca.crt' },
        },
        http: {
          endpoint: '0.0.0.0:4318',
          tls: { cert_file: '/etc/weir/tls.crt', key_file: '/etc/weir/tls.key' },
          auth: { bearer_token_file: '/var/run/secrets/weir/token' },
        },
      },
    },
  ],
  create: (settings, context) => createReceiver(settings, context),
})

function createReceiver({ protocols, admission_timeout }: Config, context: Context): Receiver {
  const door = new Door(context, admission_timeout)
  const listeners: Listener[] = []
  return {
    async start() {
      const { http, grpc } = protocols
      if (http !== undefined) listeners.push(await listenHttp(http ?? httpSettings.parse({}), door, context))
      if (grpc !== undefined) listeners.push(await listenGrpc(grpc ?? grpcSettings.parse({}), door, context))
    },
    async run(intake, signal) {
      door.open(intake)
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      await door.close()
    },
    async stop(signal) {
      await Promise.all(listeners.splice(0).map((listener) => listener.close(signal)))
    },
  }
}
