/** OTLP over gRPC: a Collector, Grafana Alloy, another Weir. */
import { type Context, defineExporter, type Exporter } from '../../src/component.ts'
import { encodeOrReject } from '../../src/exporting/errors.ts'
import { UNSUPPORTED_QUEUE_KEYS } from '../../src/exporting/settings.ts'
import { UNSUPPORTED_CLIENT_KEYS } from '../../src/net/client-settings.ts'
import { ProtoWriter } from '../../src/otlp/proto-writer.ts'
import { encodeOtlpProtobuf } from '../../src/otlp/protobuf.ts'
import { type Config, config } from './config.ts'
import { createConnection } from './connection.ts'
import { judgeAnswer } from './judge.ts'

const { 'tls.insecure': _, ...UNSUPPORTED_TLS_KEYS } = Object.fromEntries(
  Object.entries(UNSUPPORTED_CLIENT_KEYS).filter(([key]) => /^(tls|auth)\./.test(key)),
)

export const otlpGrpc = defineExporter({
  type: 'otlp_grpc',
  aliases: ['otlp'],
  stability: 'beta',
  summary: 'Sends records by OTLP over gRPC.',
  config,
  unsupported: {
    ...UNSUPPORTED_QUEUE_KEYS,
    ...UNSUPPORTED_TLS_KEYS,
    wait_for_ready: 'a request that finds no connection is tried again; leave it out',
    read_buffer_size: 'buffers have the size that a request needs; leave it out',
    write_buffer_size: 'buffers have the size that a request needs; leave it out',
    middlewares: 'middlewares are not available; leave it out',
    'tls.server_name': 'use server_name_override',
  },
  examples: [
    { endpoint: 'localhost:4317', tls: { insecure: true } },
    {
      endpoint: 'gateway.example.com:4317',
      tls: { ca_file: '/etc/weir/ca.crt', cert_file: '/etc/weir/tls.crt', key_file: '/etc/weir/tls.key' },
      keepalive: { time: '30s' },
    },
  ],
  create: (settings, context) => createExporter(settings, context),
})

function createExporter(settings: Config, context: Context): Exporter {
  const connection = createConnection(settings, context)
  // A writer is used again once its request was answered: until then its bytes are being sent.
  const free: ProtoWriter[] = []
  return {
    start: () => connection.open(),
    async export(records, signal) {
      const writer = free.pop() ?? new ProtoWriter()
      const body = encodeOrReject(() => encodeOtlpProtobuf(records, writer))
      const answer = await connection.send(body, signal)
      free.push(writer)
      judgeAnswer(answer, () => {
        context.count('weir_exporter_partial_unknown', records.length, { reason: 'unreadable_answer' })
        context.log.warn(
          'The destination accepted a request, but its answer is not OTLP: refused records would not be seen.',
        )
      })
    },
    async stop() {
      connection.close()
    },
  }
}
