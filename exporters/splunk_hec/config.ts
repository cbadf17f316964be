/** The keys of the Collector's exporter of the same name, and `ack` and `token_file` of ours. */
import { z } from 'zod'
import { byteSize, duration } from '../../src/config/values.ts'
import { deliverySettings } from '../../src/exporting/settings.ts'
import { headerValue, httpUrl } from '../../src/net/client-settings.ts'
import { httpClientSettings } from '../../src/net/http-client.ts'

const { auth: _, ...client } = httpClientSettings()

const attributeName = (fallback: string, what: string) =>
  z.string().default(fallback).describe(`Attribute of the record or its resource that holds the ${what}.`)

const metadata = z.strictObject({
  source: attributeName('com.splunk.source', 'source'),
  sourcetype: attributeName('com.splunk.sourcetype', 'source type'),
  index: attributeName('com.splunk.index', 'index'),
  host: attributeName('host.name', 'host'),
})

const ack = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Whether records count as delivered only when an indexer has them. The token must use indexer acknowledgment.',
    ),
  poll_interval: duration().prefault('1s').describe('How often Splunk is asked.'),
  timeout: duration()
    .prefault('2m')
    .describe('Longest wait for an acknowledgment; after that the records are sent again.'),
})

export const config = z
  .strictObject({
    endpoint: httpUrl().describe('URL of the HTTP Event Collector; without a path `/services/collector` is appended.'),
    token: headerValue().min(1).optional().describe('Token of the HTTP Event Collector.'),
    token_file: z.string().optional().describe('File that holds the token; read again when it changes.'),
    source: z.string().optional().describe('Source of every event that names none itself.'),
    sourcetype: z.string().optional().describe('Source type of every event that names none itself.'),
    index: z
      .string()
      .optional()
      .describe('Index of every event that names none itself; without it the one of the token.'),
    otel_attrs_to_hec_metadata: metadata.prefault({}).describe('Where an event names its own metadata.'),
    event: z
      .enum(['body', 'record'])
      .default('body')
      .describe(
        '`body`: the line, with the attributes as indexed fields; `record`: the whole record as one JSON object, whose attributes Splunk extracts when it searches.',
      ),
    splunk_app_name: headerValue().default('Weir').describe('Name by which Splunk knows who is sending.'),
    splunk_app_version: headerValue().optional().describe('Version of what is sending.'),
    max_content_length_logs: byteSize()
      .refine((bytes) => bytes >= 1024 && bytes <= 838_860_800, { message: 'expected 1KiB to 800MiB' })
      .prefault('1MiB')
      .describe('Largest request before compression; an event that is larger alone goes to the dead-letter file.'),
    disable_compression: z.boolean().default(false).describe('Send requests without gzip.'),
    health_check_enabled: z
      .boolean()
      .default(false)
      .describe('Ask for the health of the HTTP Event Collector at the start, before there is anything to send.'),
    health_path: z.string().startsWith('/').default('/services/collector/health').describe('Path of that question.'),
    ack: ack.prefault({}).describe('Indexer acknowledgment (Splunk Enterprise).'),
    ...client,
    ...deliverySettings({ timeout: '30s' }),
  })
  .refine(({ token, token_file }) => (token === undefined) !== (token_file === undefined), {
    message: 'expected either token or token_file',
  })
  // One call makes several requests and may wait for their acknowledgments: each has its own limit.
  .transform(({ timeout, ...rest }) => ({ ...rest, request_timeout: timeout, timeout: 0 }))

export type Config = z.output<typeof config>

const LOGS_ONLY = 'Weir carries logs only'

export const UNSUPPORTED: Readonly<Record<string, string>> = {
  export_raw: 'only events are sent, because raw text has no time, host or fields; leave it out',
  use_multi_metric_format: LOGS_ONLY,
  max_content_length_metrics: LOGS_ONLY,
  max_content_length_traces: LOGS_ONLY,
  profiling_data_enabled: LOGS_ONLY,
  log_data_enabled: 'leave the exporter out of the pipelines instead',
  max_event_size: 'an event may be as large as max_content_length_logs; set that instead',
  otel_to_hec_fields: 'severity is otel.log.severity.number and otel.log.severity.text; rename fields in Splunk',
  hec_metadata_to_otel_attrs: 'it is called otel_attrs_to_hec_metadata',
  heartbeat: 'health and metrics of Weir say whether it lives; leave it out',
  telemetry: 'see docs/metrics.md for what is counted; leave it out',
  batcher: 'see sending_queue::batch',
  auth: 'Splunk knows tokens only: use token or token_file',
}
