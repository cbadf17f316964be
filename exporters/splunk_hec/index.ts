/** Splunk's HTTP Event Collector (HEC), and what speaks its language. */
import { randomUUID } from 'node:crypto'
import { type Context, defineExporter, type Exporter } from '../../src/component.ts'
import { UNSUPPORTED_QUEUE_KEYS } from '../../src/exporting/settings.ts'
import { UNSUPPORTED_CLIENT_KEYS } from '../../src/net/client-settings.ts'
import { compress } from '../../src/net/compress.ts'
import { type Identity, readSecret } from '../../src/net/credentials.ts'
import { createHttpClient, type HttpClient } from '../../src/net/http-client.ts'
import { isSuccess, refusal } from '../../src/net/refusal.ts'
import { type AskAcks, createAcks } from './acks.ts'
import { judge } from './answer.ts'
import { type Config, config, UNSUPPORTED } from './config.ts'
import { eventWriter, namesIndex } from './event.ts'
import { Sender, type SenderOptions } from './sender.ts'

export const splunkHec = defineExporter({
  type: 'splunk_hec',
  stability: 'beta',
  summary: "Sends records to Splunk's HTTP Event Collector.",
  config,
  unsupported: { ...UNSUPPORTED_QUEUE_KEYS, ...UNSUPPORTED_CLIENT_KEYS, ...UNSUPPORTED },
  examples: [
    { endpoint: 'https://splunk.example.com:8088', token: '00000000-0000-0000-0000-000000000000' },
    {
      endpoint: 'https://splunk.example.com:8088',
      token_file: '/var/run/secrets/splunk/token',
      index: 'kubernetes',
      sourcetype: 'weir:event',
      ack: { enabled: true },
      tls: { ca_file: '/etc/ssl/splunk-ca.pem' },
    },
  ],
  create: (settings, context) => createExporter(settings, context),
})

function createExporter(settings: Config, context: Context): Exporter {
  // One more than requests at once, for the questions about acknowledgments.
  const maxSockets = settings.sending_queue.num_consumers + 1
  const client = createHttpClient(settings, { maxSockets, log: context.log, identity: identityOf(settings) })
  const channel = randomUUID()
  const acks = settings.ack.enabled
    ? createAcks({
        ask: ackQuestion(settings, client, channel),
        intervalMs: settings.ack.poll_interval,
        timeoutMs: settings.ack.timeout,
        onError: (error) => context.log.warn('Splunk could not be asked for acknowledgments.', { error }),
      })
    : undefined
  const options: SenderOptions = {
    toEvent: eventWriter(settings),
    maxBytes: settings.max_content_length_logs,
    request: requester(settings, client, context, channel),
    namesIndex: (record) => namesIndex(record, settings),
    acks,
    onUnreadable(records) {
      context.count('weir_exporter_partial_unknown', records, { reason: 'unreadable_answer' })
      context.log.warn('Splunk accepted a request, but its answer is not that of an HTTP Event Collector.')
    },
  }
  const asking = new AbortController()
  return {
    async start() {
      if (settings.health_check_enabled) void askHealth(settings, client, context, asking.signal)
    },
    export: (records, signal) => new Sender(options, signal).send(records),
    async stop() {
      asking.abort()
      acks?.close()
      client.close()
    },
  }
}

function identityOf({ token, token_file }: Config): Identity {
  if (token_file === undefined) return { load: () => `Splunk ${token}` }
  return { path: token_file, load: () => `Splunk ${readSecret('token_file', token_file)}` }
}

function limited(signal: AbortSignal, ms: number): AbortSignal {
  return ms > 0 ? AbortSignal.any([signal, AbortSignal.timeout(ms)]) : signal
}

function requester(settings: Config, client: HttpClient, context: Context, channel: string): SenderOptions['request'] {
  const { disable_compression, splunk_app_name, splunk_app_version, request_timeout, ack } = settings
  const url = eventUrl(settings)
  const headers = {
    'content-type': 'application/json',
    __splunk_app_name: splunk_app_name,
    ...(splunk_app_version === undefined ? {} : { __splunk_app_version: splunk_app_version }),
    ...(ack.enabled ? { 'x-splunk-request-channel': channel } : {}),
    ...(disable_compression ? {} : { 'content-encoding': 'gzip' }),
  }
  return async (text, signal) => {
    const body = await compress(Buffer.from(text), disable_compression ? 'none' : 'gzip', 1)
    const response = await client.post(url, headers, body, limited(signal, request_timeout))
    context.count('weir_exporter_sent_bytes', body.byteLength)
    return judge(response)
  }
}

function ackQuestion(settings: Config, client: HttpClient, channel: string): AskAcks {
  const url = new URL(eventUrl(settings))
  url.pathname = `${url.pathname.replace(/\/event(\/1\.0)?$/, '')}/ack`
  url.searchParams.set('channel', channel)
  const headers = { 'content-type': 'application/json', 'x-splunk-request-channel': channel }
  const { signal } = new AbortController()
  return async (ids) => {
    const body = Buffer.from(JSON.stringify({ acks: ids }))
    const response = await client.post(url, headers, body, limited(signal, settings.request_timeout || 30_000))
    if (!isSuccess(response.status)) throw refusal(response, response.body.toString('utf8').slice(0, 300))
    const { acks } = JSON.parse(response.body.toString('utf8')) as { acks?: Record<string, unknown> }
    return ids.filter((id) => acks?.[id] === true)
  }
}

/** `https://splunk:8088` alone means the usual path. */
function eventUrl({ endpoint }: Config): URL {
  const url = new URL(endpoint)
  url.pathname = url.pathname.replace(/\/+$/, '') || '/services/collector'
  return url
}

async function askHealth(settings: Config, client: HttpClient, context: Context, signal: AbortSignal): Promise<void> {
  const url = new URL(settings.health_path, settings.endpoint)
  const request = { method: 'GET', url, headers: {}, body: Buffer.alloc(0) }
  try {
    const response = await client.send(request, limited(signal, settings.request_timeout))
    if (isSuccess(response.status)) context.health('ok')
    else context.health('recoverable', refusal(response, 'the HTTP Event Collector is not healthy').message)
  } catch (error) {
    if (!signal.aborted) context.health('recoverable', (error as Error).message)
  }
}
