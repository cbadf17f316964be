/** Small components with the shapes that real ones have. None of them is ever started. */
import { map } from 'rxjs'
import { z } from 'zod'
import {
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type Registry,
} from '../../src/component.ts'
import { byteSize, duration, glob, reference, regex, secret } from '../../src/config/values.ts'

const common = { stability: 'alpha', examples: [] } as const

const fileLog = defineReceiver({
  ...common,
  type: 'file_log',
  aliases: ['filelog'],
  summary: 'Follows files.',
  delivery: 'replay',
  ends: true,
  config: z.strictObject({
    include: z.array(glob()).min(1).describe('Files to follow.'),
    start_at: z.enum(['beginning', 'end']).default('end').describe('Where to begin in a new file.'),
    poll_interval: duration().default(200).describe('How often to look.'),
    max_log_size: byteSize()
      .default(1024 * 1024)
      .describe('Longest line.'),
    multiline: z.strictObject({ line_start_pattern: regex() }).optional(),
    storage: reference('extension').optional(),
    resource: z.record(z.string(), z.string()).default({}),
  }),
  unsupported: {
    operators: 'operators are not run here; use the processors instead',
    'retry_on_failure.max_elapsed_time': 'reading is repeated for ever; remove this',
  },
  create: () => ({ run: async () => {} }),
})

const push = defineReceiver({
  ...common,
  type: 'push',
  summary: 'Takes what it is sent.',
  delivery: 'respond',
  ends: false,
  config: z.strictObject({
    protocols: z.strictObject({
      grpc: z.strictObject({ endpoint: z.string().default('localhost:4317') }).optional(),
      http: z
        .strictObject({ endpoint: z.string().default('localhost:4318'), port: z.int().min(1).max(65535).optional() })
        .optional(),
    }),
  }),
  create: () => ({ run: async () => {} }),
})

const filter = defineProcessor({
  ...common,
  type: 'filter',
  summary: 'Drops records.',
  config: z.strictObject({
    mode: z.enum(['keep', 'drop']).default('drop'),
    conditions: z
      .array(
        z.discriminatedUnion('op', [
          z.strictObject({
            op: z.literal('equals'),
            attribute: z.string(),
            value: z.union([z.string(), z.number(), z.boolean()]),
          }),
          z.strictObject({ op: z.literal('below'), attribute: z.string(), limit: z.number() }),
        ]),
      )
      .default([]),
  }),
  create: () => ({ operator: () => map((batch) => batch) }),
})

const http = defineExporter({
  ...common,
  type: 'otlp_http',
  aliases: ['otlphttp'],
  summary: 'Sends records.',
  config: z
    .strictObject({
      endpoint: z.url().optional(),
      logs_endpoint: z.url().optional(),
      headers: z.record(z.string(), secret()).default({}),
      compression: z.enum(['none', 'gzip', 'zstd']).default('gzip'),
      timeout: duration().default(10_000),
      auth: z
        .union([z.strictObject({ bearer: secret() }), z.strictObject({ user: z.string(), password: secret() })])
        .optional(),
      tls: z.strictObject({ insecure: z.boolean().default(false), ca_file: z.string().optional() }).prefault({}),
      sending_queue: z
        .strictObject({ enabled: z.boolean().default(true), queue_size: byteSize().default(64 * 1024 * 1024) })
        .prefault({}),
    })
    .refine(({ endpoint, logs_endpoint }) => endpoint !== undefined || logs_endpoint !== undefined, {
      error: 'one of endpoint and logs_endpoint is required',
    }),
  create: () => ({ export: async () => {} }),
})

const stdout = defineExporter({
  ...common,
  type: 'stdout',
  summary: 'Prints records.',
  config: z.strictObject({ format: z.enum(['pretty', 'json']).default('pretty') }),
  create: () => ({ export: async () => {} }),
})

const forward = defineConnector({
  ...common,
  type: 'forward',
  summary: 'Joins pipelines.',
  config: z.strictObject({}),
  create: () => ({ route: () => [] }),
})

const split = defineConnector({
  ...common,
  type: 'split',
  summary: 'Chooses pipelines.',
  config: z.strictObject({ to: z.array(z.string()), rest: reference('pipeline').optional() }),
  pipelinesOf: ({ to }) => to,
  create: () => ({ route: () => [] }),
})

const health = defineExtension({
  ...common,
  type: 'health_check',
  aliases: ['healthcheck'],
  summary: 'Says whether all is well.',
  config: z.strictObject({ endpoint: z.string().default('localhost:13133'), path: z.string().default('/') }),
  create: () => ({}),
})

export const registry: Registry = {
  receivers: [fileLog, push],
  processors: [filter],
  exporters: [http, stdout],
  connectors: [forward, split],
  extensions: [health],
}
