/** The `service` section: what is not about one component. */
import { z } from 'zod'
import type { Reference, ServiceConfig } from './config.ts'
import { byteSize, duration, secret } from './values.ts'

const logProcessor = z.strictObject({
  batch: z.strictObject({
    exporter: z.strictObject({
      otlp: z.strictObject({
        protocol: z.literal('http/json').default('http/json').describe('OTLP over HTTP, as JSON.'),
        endpoint: z
          .string()
          .regex(/^https?:\/\/[^/]+/, { error: 'expected a URL such as http://localhost:4318/v1/logs' })
          .describe('Full URL of the destination, e.g. http://localhost:4318/v1/logs.'),
        headers: z.record(z.string(), secret()).default({}).describe('Headers of every request.'),
      }),
    }),
  }),
})

const reader = z.strictObject({
  pull: z.strictObject({
    exporter: z.strictObject({
      prometheus: z
        .strictObject({
          host: z.string().min(1).default('localhost').describe('Address to listen on.'),
          port: z.int().min(0).max(65535).default(8888).describe('Port to listen on.'),
          without_scope_info: z.literal(true).optional().describe('Always true here.'),
          without_units: z.literal(true).optional().describe('Always true here: names carry no unit.'),
          without_type_suffix: z.literal(true).optional().describe('Always true here: names carry no `_total`.'),
        })
        .prefault({})
        .describe('Serves the metrics at /metrics in Prometheus format.'),
    }),
  }),
})

const telemetry = z.strictObject({
  logs: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The least level that is written.'),
      encoding: z
        .enum(['console', 'json'])
        .default('console')
        .describe('One line of text, or one JSON object, an event.'),
      processors: z
        .array(logProcessor)
        .default([])
        .describe('Where the log is sent besides stderr, best effort: it never holds up a pipeline.'),
    })
    .prefault({})
    .describe("Weir's own log, on stderr."),
  metrics: z
    .strictObject({
      level: z
        .enum(['none', 'basic', 'normal', 'detailed'])
        .default('normal')
        .describe('How much is measured; `none` switches metrics off.'),
      readers: z
        .array(reader)
        .min(1, { error: 'expected at least one reader; write level: none to have no metrics' })
        .prefault([{ pull: { exporter: { prometheus: {} } } }])
        .describe('Where the metrics can be read.'),
    })
    .prefault({})
    .describe("Weir's own metrics."),
  resource: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .default({})
    .describe("Attributes of Weir's own telemetry; null removes one that is set by default."),
})

/** All of `service` but its pipelines, which `pipelines.ts` reads. */
export const serviceSchema = z.strictObject({
  extensions: z.array(z.string()).default([]).describe('Extensions to start, in this order.'),
  shutdown_timeout: duration().default(30_000).describe('How long records in flight may take to arrive at a stop.'),
  telemetry: telemetry.prefault({}).describe("Weir's own logs and metrics."),
  memory: z
    .strictObject({
      budget: byteSize()
        .optional()
        .describe('Room for records in flight. Default: a share of the memory limit of the cgroup or machine.'),
    })
    .prefault({})
    .describe('Memory for records in flight.'),
})

export const SERVICE_UNSUPPORTED: Readonly<Record<string, string>> = {
  'telemetry.traces': 'Weir traces nothing about itself; remove this',
  'telemetry.metrics.address':
    'the Collector ignores this since v0.123; write readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]',
  'telemetry.metrics.views': 'metrics cannot be renamed or dropped here; do it where they are scraped',
  'telemetry.metrics.readers.*.periodic':
    'metrics are not pushed; let a scraper pull them: pull: {exporter: {prometheus: {host, port}}}',
  'telemetry.metrics.readers.*.pull.exporter.prometheus.with_resource_constant_labels':
    'resource attributes are served as target_info, never as labels; remove this',
  'telemetry.logs.output_paths': 'the log goes to stderr; redirect it where it is started',
  'telemetry.logs.error_output_paths': 'the log goes to stderr; redirect it where it is started',
  'telemetry.logs.sampling': 'warnings and errors that repeat are always counted and said once in 10s; remove this',
  'telemetry.logs.initial_fields': 'write the fields as attributes in service::telemetry::resource',
  'telemetry.logs.development': 'there is no development mode; remove this',
  'telemetry.logs.disable_caller': 'lines never name the caller; remove this',
  'telemetry.logs.disable_stacktrace': 'lines never carry a stack trace; remove this',
  'telemetry.logs.disable_zap_resource': 'lines never carry the resource; remove this',
}

export type ServiceValues = z.output<typeof serviceSchema>

/** The service as the program wants it. */
export function serviceConfig(
  values: ServiceValues,
  extensions: readonly Reference<'extension'>[],
  rest: Pick<ServiceConfig, 'raw' | 'fingerprint'>,
): ServiceConfig {
  const { logs, metrics, resource } = values.telemetry
  const readers = metrics.level === 'none' ? [] : metrics.readers.map(({ pull }) => pull.exporter.prometheus)
  return {
    extensions,
    shutdownTimeoutMs: values.shutdown_timeout,
    logs: {
      level: logs.level,
      encoding: logs.encoding,
      destinations: logs.processors.map(({ batch }) => batch.exporter.otlp),
    },
    metrics: { level: metrics.level, readers: readers.map(({ host, port }) => ({ host, port })) },
    resource,
    memoryBudget: values.memory.budget,
    ...rest,
  }
}
