/** The keys of the exporter; those of the Collector's `elasticsearch` exporter where it has them. */
import { z } from 'zod'
import { secret } from '../../src/config/values.ts'
import { cloudUrl } from '../../src/elastic/cloud-id.ts'
import { deliverySettings } from '../../src/exporting/settings.ts'
import { headerValue, httpUrl } from '../../src/net/client-settings.ts'
import { httpClientSettings } from '../../src/net/http-client.ts'

const FORBIDDEN = 'in lower case, without "-", spaces and any of \\ / * ? " < > | , # :'

/** A dataset or a namespace. */
function namePart() {
  return z
    .string()
    .max(100)
    .regex(/^[^\sA-Z\\/*?"<>|,#:-]+$/, `expected a name ${FORBIDDEN}`)
}

function dynamicPart(example: string, what: string) {
  return z
    .strictObject({
      attribute: z.string().min(1).describe(`Attribute of the record, else of its resource, e.g. \`${example}\`.`),
      allow: z
        .array(namePart())
        .min(1)
        .describe('Values that may be used. Any other leads to the default and is counted: no event makes a stream.'),
    })
    .describe(`Takes the ${what} from an attribute.`)
}

const dataStream = z.strictObject({
  dataset: namePart()
    .optional()
    .describe(
      'Dataset of every record. By default `kubernetes.audit_logs` for audit events, `weir.alerts` for findings, `weir.<kind>` for the rest.',
    ),
  namespace: namePart().default('default').describe('Namespace of the data streams.'),
  dynamic: z
    .strictObject({
      dataset: dynamicPart('data_stream.dataset', 'dataset').optional(),
      namespace: dynamicPart('k8s.namespace.name', 'namespace').optional(),
    })
    .prefault({})
    .describe('Names from attributes.'),
})

export const config = z
  .strictObject({
    endpoint: httpUrl().optional().describe('URL of the cluster, e.g. `https://elasticsearch:9200`.'),
    endpoints: z
      .array(httpUrl())
      .min(1)
      .optional()
      .describe('URLs of several nodes: used in turn, one that fails is left out for a while.'),
    cloudid: z
      .string()
      .refine((text) => cloudUrl(text) !== undefined, { message: 'expected a cloud ID: name:base64' })
      .optional()
      .describe('Cloud ID of an Elastic Cloud deployment, instead of an endpoint.'),
    user: z
      .string()
      .regex(/^[^:\p{Cc}]+$/u, 'a user name cannot hold a colon or a control character')
      .optional()
      .describe('User name of HTTP basic authentication.'),
    password: secret().optional().describe('Its password.'),
    api_key: headerValue()
      .min(1)
      .optional()
      .describe('API key in its encoded form, sent as `Authorization: ApiKey …`.'),
    ...httpClientSettings(),
    compression: z.enum(['gzip', 'none']).default('gzip').describe('Compression of requests.'),
    compression_params: z
      .strictObject({ level: z.int().min(1).max(9).default(1).describe('1 is fastest.') })
      .prefault({})
      .describe('How hard to compress.'),
    mapping: z
      .strictObject({
        mode: z
          .enum(['ecs', 'otel', 'raw'])
          .default('ecs')
          .describe("Shape of the documents: Elastic Common Schema, the Collector's OTel mode, or Weir's own JSON."),
      })
      .prefault({})
      .describe('How a record becomes a document.'),
    data_stream: dataStream.prefault({}).describe('Where documents go: `logs-<dataset>-<namespace>`.'),
    logs_index: z
      .string()
      .min(1)
      .max(255)
      .regex(/^[^-_+.\sA-Z\\/*?"<>|,#:][^\sA-Z\\/*?"<>|,#:]*$/, 'expected the name of an index or data stream')
      .optional()
      .describe('One index, alias or data stream for every record, instead of `data_stream`.'),
    logs_dynamic_id: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe(
            'Whether the attribute `elasticsearch.document_id`, where present, is the `_id`. Whoever may set it can make events count as copies of others.',
          ),
      })
      .prefault({})
      .describe('Ids from an attribute.'),
    pipeline: z.string().min(1).optional().describe('Ingest pipeline that every document goes through.'),
    dedupe: z
      .boolean()
      .default(true)
      .describe(
        'Whether `log.record.uid`, with the time of the record, becomes the `_id`, so that a record that is sent twice is stored once (within one backing index).',
      ),
    ...deliverySettings({ timeout: '90s' }),
  })
  .refine((given) => [given.endpoint, given.endpoints, given.cloudid].filter((one) => one !== undefined).length === 1, {
    message: 'set exactly one of endpoint, endpoints and cloudid, for example endpoint: http://localhost:9200',
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    message: 'user and password belong together',
  })
  .refine(({ user, api_key, auth }) => [user, api_key, auth].filter((one) => one !== undefined).length <= 1, {
    message: 'user, api_key and auth all say who is sending: set one of them',
  })
  .refine(({ logs_index, data_stream }) => logs_index === undefined || data_stream.dataset === undefined, {
    message: 'logs_index names one index for everything: leave out data_stream::dataset',
  })

export type Config = z.output<typeof config>

export const UNSUPPORTED: Readonly<Record<string, string>> = {
  metrics_index: 'Weir carries logs only',
  traces_index: 'Weir carries logs only',
  metrics_dynamic_index: 'Weir carries logs only',
  traces_dynamic_index: 'Weir carries logs only',
  traces_dynamic_id: 'Weir carries logs only',
  logs_dynamic_index: 'use data_stream::dynamic, which takes names from attributes with a list of those allowed',
  logs_dynamic_pipeline: 'set pipeline, or index.default_pipeline in the index template: an event may not choose one',
  logstash_format: 'use data streams, whose lifecycle policy rolls over by size and age',
  'mapping.allowed_modes': 'the mode is chosen by mapping::mode alone; for two modes configure two exporters',
  'mapping.dedot': 'names in dots always become nested objects in ECS; leave it out',
  'mapping.dedup': 'equal keys never occur; leave it out',
  retry: 'use retry_on_failure: documents and requests follow the same settings',
  flush: 'use sending_queue::batch: max_bytes and flush_timeout',
  num_workers: 'use sending_queue::num_consumers',
  discover: 'list the nodes in endpoints',
  metadata_keys: 'batches are not partitioned; leave it out',
  bulk_response_filter_path: 'answers hold only what is read; leave it out',
  include_source_on_error: 'the record stands beside the reason in the dead-letter file; leave it out',
  telemetry: 'requests and answers are not logged; what is refused is in the dead-letter file',
}
