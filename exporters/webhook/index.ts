/** Findings, or any records, as JSON to a URL: a chat, a pager, a ticket system, an automation. */
import { type Context, defineExporter, type Exporter } from '../../src/component.ts'
import { UNSUPPORTED_QUEUE_KEYS } from '../../src/exporting/settings.ts'
import { UNSUPPORTED_CLIENT_KEYS } from '../../src/net/client-settings.ts'
import { readSecret, watchIdentity } from '../../src/net/credentials.ts'
import { createHttpClient, type HttpClient } from '../../src/net/http-client.ts'
import { isSuccess, refusal } from '../../src/net/refusal.ts'
import { readErrorMessage } from '../../src/otlp/response.ts'
import { isFinding } from '../../src/records/event-names.ts'
import { recordToJson } from '../../src/records/json.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { type Config, config } from './config.ts'
import { type SenderOptions, sendBatch } from './sender.ts'
import { idempotencyKey, type Signing, signatureHeaders } from './signature.ts'
import { compileTemplate } from './template.ts'

export const webhook = defineExporter({
  type: 'webhook',
  stability: 'beta',
  summary: 'Posts findings as JSON to a URL: a chat, a pager, a ticket system.',
  config,
  unsupported: { ...UNSUPPORTED_QUEUE_KEYS, ...UNSUPPORTED_CLIENT_KEYS },
  examples: [
    { url: 'https://soar.example.com/hooks/weir', signature: { secret_file: '/var/run/secrets/webhook/secret' } },
    {
      url: 'https://hooks.slack.com/services/T000/B000/XXXX',
      template: { text: '{{ level }}: {{ attributes["weir.explanation"] | default: body | slack | truncate: 3000 }}' },
    },
    {
      url: 'https://siem.example.com/intake',
      auth: { bearer_token_file: '/var/run/secrets/siem/token' },
      only_findings: false,
      batch: 'array',
    },
  ],
  create: (settings, context) => createExporter(settings, context),
})

function createExporter(settings: Config, context: Context): Exporter {
  const client = createHttpClient(settings, { maxSockets: settings.sending_queue.num_consumers, log: context.log })
  const options: SenderOptions = {
    batch: settings.batch,
    isWanted: settings.only_findings ? ({ eventName }) => isFinding(eventName) : () => true,
    onFiltered: (records) => context.filtered(records, 'no_finding'),
    toJson: jsonWriter(settings),
    request: requester(settings, client, context),
  }
  return {
    export: (records, signal) => sendBatch(records, options, signal),
    async stop() {
      client.close()
    },
  }
}

function jsonWriter({ template, secrets }: Config): (record: LogRecord) => string {
  if (template === undefined) return recordToJson
  const fill = compileTemplate(template, (name) => {
    const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined
    if (value === undefined) throw new Error(`template: there is no secret "${name}": write it under secrets`)
    return value
  })
  return (record) => JSON.stringify(fill(record)) ?? 'null'
}

function requester(settings: Config, client: HttpClient, context: Context): SenderOptions['request'] {
  const { method, request_timeout, idempotency_header } = settings
  const url = new URL(settings.url)
  const signing = signingOf(settings, context)
  const hasType = Object.keys(settings.headers).some((name) => name.toLowerCase() === 'content-type')
  return async (text, records, signal) => {
    const key = idempotencyKey(records)
    const headers = {
      ...(hasType ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { [idempotency_header]: key }),
      ...(signing === undefined ? {} : await signatureHeaders(signing, text)),
    }
    const body = Buffer.from(text)
    const limit = request_timeout > 0 ? AbortSignal.any([signal, AbortSignal.timeout(request_timeout)]) : signal
    const response = await client.send({ method, url, headers, body }, limit)
    context.count('weir_exporter_sent_bytes', body.byteLength)
    if (!isSuccess(response.status)) throw refusal(response, readErrorMessage(response.body))
  }
}

function signingOf({ signature }: Config, context: Context): Signing | undefined {
  if (signature === undefined) return undefined
  const { secret = '', secret_file, header, timestamp_header } = signature
  const load = secret_file === undefined ? () => secret : () => readSecret('signature::secret_file', secret_file)
  const watched = watchIdentity({ path: secret_file, load }, (error) =>
    context.log.warn('The file with the secret of signatures cannot be used; the old one stays in use.', { error }),
  )
  return {
    header,
    timestampHeader: timestamp_header,
    async secret() {
      await watched.refresh()
      return watched.value
    },
  }
}
