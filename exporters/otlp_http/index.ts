/** OTLP over HTTP: Grafana's Loki and Tempo gateways, Elasticsearch's OTLP endpoint, any Collector, any SIEM that speaks it. */
import type { ISerializer } from '@opentelemetry/otlp-transformer'
import { z } from 'zod'
import { type Context, defineExporter, type Exporter } from '../../src/component.ts'
import { encodeOrReject } from '../../src/exporting/errors.ts'
import { deliverySettings, UNSUPPORTED_QUEUE_KEYS } from '../../src/exporting/settings.ts'
import { httpUrl, UNSUPPORTED_CLIENT_KEYS } from '../../src/net/client-settings.ts'
import { createHttpClient, httpClientSettings } from '../../src/net/http-client.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { createEncoder } from './encoder.ts'
import { createTransport, type Transport } from './transport.ts'

const config = z
  .strictObject({
    endpoint: httpUrl().optional().describe('Base URL of the destination; `/v1/logs` is appended.'),
    logs_endpoint: httpUrl().optional().describe('Full URL for logs; wins over `endpoint`.'),
    encoding: z.enum(['proto', 'json']).default('proto').describe('Encoding of the request.'),
    compression: z.enum(['gzip', 'zstd', 'none']).default('gzip').describe('Compression of the request.'),
    compression_params: z
      .strictObject({ level: z.int().min(1).max(19).default(1).describe('1 is fastest; gzip goes to 9, zstd to 19.') })
      .prefault({})
      .describe('How hard to compress.'),
    partial_on_400: z
      .boolean()
      .optional()
      .describe(
        'Whether a 400 means that the valid records of the request were taken, as Loki does it: nothing is sent again, and the whole request goes to the dead-letter file as `unknown_partial`. By default true where the path ends in `/otlp/v1/logs` (Loki), else false.',
      ),
    ...httpClientSettings(),
    ...deliverySettings({ timeout: '30s' }),
  })
  .refine(({ endpoint, logs_endpoint }) => endpoint !== undefined || logs_endpoint !== undefined, {
    message: 'endpoint or logs_endpoint must be set, for example endpoint: http://localhost:4318',
  })

type Config = z.output<typeof config>

export const otlpHttp = defineExporter({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  stability: 'beta',
  summary: 'Sends records by OTLP over HTTP.',
  config,
  unsupported: {
    ...UNSUPPORTED_QUEUE_KEYS,
    traces_endpoint: 'Weir carries logs only',
    metrics_endpoint: 'Weir carries logs only',
    profiles_endpoint: 'Weir carries logs only',
    ...UNSUPPORTED_CLIENT_KEYS,
  },
  examples: [
    { endpoint: 'http://localhost:4318' },
    {
      logs_endpoint: 'https://loki.example.com/otlp/v1/logs',
      encoding: 'json',
      compression: 'zstd',
      headers: { 'X-Scope-OrgID': 'security' },
      auth: { bearer_token_file: '/var/run/secrets/tokens/loki' },
      tls: { ca_file: '/etc/ssl/loki-ca.pem' },
    },
  ],
  create: (settings, context) => createExporter(settings, context),
})

function createExporter(settings: Config, context: Context): Exporter {
  const { encoding, compression, compression_params, sending_queue } = settings
  const client = createHttpClient(settings, { maxSockets: sending_queue.num_consumers, log: context.log })
  const encoder = createEncoder(encoding)
  const url = urlOf(settings)
  const transport = createTransport({
    url,
    isPartialOn400: settings.partial_on_400 ?? url.pathname.endsWith('/otlp/v1/logs'),
    contentType: encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    compression,
    level: compression === 'gzip' ? Math.min(9, compression_params.level) : compression_params.level,
    client,
    onAnswered: (body) => encoder.release(body),
    onSent: (bytes) => context.count('weir_exporter_sent_bytes', bytes),
    onUnknown(records, reason) {
      context.count('weir_exporter_partial_unknown', records, { reason })
      if (reason === 'refused_in_part') context.health('recoverable', 'the destination refused a part of a request')
      else
        context.log.warn(
          'The destination accepted a request, but its answer is not OTLP: refused records cannot be seen.',
        )
    },
  })
  const serializer: ISerializer<readonly LogRecord[], never> = {
    serializeRequest: (records) => encodeOrReject(() => encoder.encode(records)),
    deserializeResponse: () => {
      throw new Error('answers are read by the transport')
    },
  }
  let exporter: Awaited<ReturnType<typeof sdkExporter>> | undefined
  return {
    async start() {
      exporter = await sdkExporter(serializer, transport, sending_queue.num_consumers)
    },
    // Async, because the SDK may throw by itself, which is a failure like any other.
    async export(records, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      transport.attempt = { records: records.length, signal }
      exporter?.export(records, ({ error }) => (error === undefined ? resolve() : reject(error)))
      await promise
    },
    async stop() {
      client.close()
    },
  }
}

/** The SDK's exporter over our serialiser and transport, loaded when there is a pipeline that needs it. */
async function sdkExporter(serializer: ISerializer<readonly LogRecord[], never>, transport: Transport, limit: number) {
  const { OTLPExporterBase, ExporterMetrics, createOtlpNetworkExportDelegate } = await import(
    '@opentelemetry/otlp-exporter-base'
  )
  const metrics = new ExporterMetrics<readonly LogRecord[]>({
    componentType: 'otlp_http_log_exporter',
    metricsHelper: { name: 'log', countItems: (records: readonly LogRecord[]) => records.length } as never,
    url: undefined,
    meterProvider: undefined,
    responseAttributesFromError: () => ({}),
  } as never)
  // The delegate refuses a call above its limit instead of queueing it: one above ours is never reached.
  const options = { timeoutMillis: 0, concurrencyLimit: limit + 1, compression: 'none' as never }
  return new OTLPExporterBase(createOtlpNetworkExportDelegate(options, serializer, metrics, transport))
}

function urlOf({ endpoint, logs_endpoint }: Config): URL {
  if (logs_endpoint !== undefined) return new URL(logs_endpoint)
  return new URL(`${endpoint?.replace(/\/+$/, '')}/v1/logs`)
}
