/** Elasticsearch 7 to 9 and OpenSearch 1 to 3 by their `_bulk` API, over plain HTTP: one code for both. */
import { type Context, defineExporter, type Exporter } from '../../src/component.ts'
import { clientSettings, nodeUrls } from '../../src/elastic/connection.ts'
import { encodeOrReject } from '../../src/exporting/errors.ts'
import { UNSUPPORTED_QUEUE_KEYS } from '../../src/exporting/settings.ts'
import { UNSUPPORTED_CLIENT_KEYS } from '../../src/net/client-settings.ts'
import { compress } from '../../src/net/compress.ts'
import { createHttpClient } from '../../src/net/http-client.ts'
import type { PostResponse } from '../../src/net/http-post.ts'
import { type Config, config, UNSUPPORTED } from './config.ts'
import type { Encoder } from './encoder.ts'
import { FILTER_PATH, judge, type Tally } from './response.ts'
import { Sender } from './sender.ts'

export const elasticsearch = defineExporter({
  type: 'elasticsearch',
  stability: 'beta',
  summary: 'Sends records to data streams of Elasticsearch or OpenSearch.',
  config,
  unsupported: { ...UNSUPPORTED_QUEUE_KEYS, ...UNSUPPORTED_CLIENT_KEYS, ...UNSUPPORTED },
  examples: [
    { endpoint: 'https://elasticsearch.example.com:9200', api_key: '${env:ELASTICSEARCH_API_KEY}' },
    {
      endpoints: ['https://search-0.example.com:9200', 'https://search-1.example.com:9200'],
      user: 'weir',
      password: '${env:OPENSEARCH_PASSWORD}',
      tls: { ca_file: '/etc/ssl/search-ca.pem' },
      data_stream: {
        namespace: 'production',
        dynamic: { namespace: { attribute: 'k8s.cluster.name', allow: ['production', 'staging'] } },
      },
    },
  ],
  create: (settings, context) => createExporter(settings, context),
})

/** An answer holds about 30 bytes for a document that was taken, and its reason for one that was not. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024

function createExporter(settings: Config, context: Context): Exporter {
  const { compression, compression_params, dedupe, sending_queue } = settings
  const client = createHttpClient(clientSettings(settings), {
    maxSockets: sending_queue.num_consumers,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    log: context.log,
  })
  const headers = {
    'user-agent': 'Weir Elasticsearch exporter',
    'content-type': 'application/x-ndjson',
    ...(compression === 'none' ? {} : { 'content-encoding': compression }),
  }

  const post = async (url: URL, body: Uint8Array, signal: AbortSignal): Promise<PostResponse> => {
    const response = await client.post(url, headers, body, signal)
    context.count('weir_exporter_sent_bytes', body.byteLength)
    return response
  }
  const sender = new Sender(bulkUrls(settings), post, context.log)
  let encoder: Encoder | undefined
  return {
    async start() {
      encoder = await loadEncoder(settings, context)
    },
    async export(records, signal) {
      encoder ??= await loadEncoder(settings, context)
      const { encode, release } = encoder
      const encoded = encodeOrReject(() => encode(records))
      const body = await compress(encoded, compression, compression_params.level)
      signal.throwIfAborted()
      const response = await sender.send(body, signal)
      release(encoded)
      const tally: Tally = { deduplicated: 0, failureStore: { used: 0, failed: 0, not_enabled: 0 } }
      try {
        judge(records, response, dedupe, tally)
      } finally {
        report(tally, context)
      }
    },
    async stop() {
      client.close()
    },
  }
}

/** The tables of ECS are read when there is a pipeline that needs them. */
async function loadEncoder(settings: Config, context: Context): Promise<Encoder> {
  const [{ createEncoder }, { createStreams }] = await Promise.all([import('./encoder.ts'), import('./streams.ts')])
  const onRefused = (part: string): void => context.count('weir_exporter_names_refused', 1, { part })
  return createEncoder(settings, createStreams(settings, onRefused))
}

function report({ deduplicated, failureStore }: Tally, context: Context): void {
  if (deduplicated > 0) context.count('weir_exporter_deduplicated_records', deduplicated)
  for (const result of ['used', 'failed', 'not_enabled'] as const) {
    if (failureStore[result] > 0) context.count('weir_elasticsearch_failure_store', failureStore[result], { result })
  }
  if (failureStore.used > 0) {
    context.log.warn('Documents did not fit the mapping of their data stream and are in its failure store.', {
      documents: failureStore.used,
    })
  }
}

function bulkUrls(settings: Config): URL[] {
  return nodeUrls(settings).map((url) => {
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/_bulk`
    url.searchParams.set('filter_path', FILTER_PATH)
    if (settings.pipeline !== undefined) url.searchParams.set('pipeline', settings.pipeline)
    return url
  })
}
