/** `weir elasticsearch setup`: prepares a cluster of Elasticsearch or OpenSearch for the `elasticsearch` exporter. */

import { z } from 'zod'
import { loadConfig } from '../config/load.ts'
import { parseDuration } from '../config/values.ts'
import type { Server } from '../ecs/mapping.ts'
import { type ConnectionSettings, clientSettings, nodeUrls } from '../elastic/connection.ts'
import { type Call, detect, requestsOf, SetupError, type SetupOptions, setUp } from '../elastic/setup.ts'
import { createHttpClient, httpClientSettings } from '../net/http-client.ts'
import { CONFIG_FLAGS, command, oneOf, parseFlags, problemText, sourcesOf, UsageError } from './arguments.ts'
import type { Io } from './io.ts'

const NAME = 'elasticsearch setup'

const FLAGS = {
  ...CONFIG_FLAGS,
  endpoint: { type: 'string' },
  exporter: { type: 'string' },
  product: { type: 'string' },
  'server-version': { type: 'string' },
  retention: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof parseFlags<typeof FLAGS>>

/** What a configuration says of the exporter, as far as it matters here. */
interface ExporterSettings extends ConnectionSettings {
  readonly data_stream?: {
    readonly dataset?: string | undefined
    readonly dynamic?: { readonly dataset?: { readonly allow: readonly string[] } | undefined }
  }
}

/** Exit codes: 0 everything is in place, 1 something is not. */
export const elasticsearch = command(async (args, io) => {
  const [subcommand = '', ...rest] = args
  if (subcommand !== 'setup') throw new UsageError(`weir elasticsearch: expected "setup", found "${subcommand}"`)
  const values = parseFlags(NAME, rest, FLAGS)
  const settings = settingsOf(values, io)
  if (settings === undefined) return 1
  const options: SetupOptions = { retention: retentionOf(values), datasets: datasetsOf(settings) }
  try {
    await run(values, settings, options, io)
    return 0
  } catch (error) {
    io.stderr(`weir ${NAME}: ${error instanceof SetupError ? error.message : (error as Error).message}\n`)
    return 1
  }
})

async function run(values: Values, settings: ExporterSettings, options: SetupOptions, io: Io): Promise<void> {
  const given = givenServer(values)
  if (given !== undefined && values['dry-run']) {
    io.stdout(`${JSON.stringify(requestsOf(given, options), undefined, 2)}\n`)
    return
  }
  const client = createHttpClient(clientSettings(settings), {
    maxSockets: 1,
    maxResponseBytes: 4 * 1024 * 1024,
    env: io.env,
  })
  try {
    const call = callerOf(client, nodeUrls(settings)[0] as URL)
    const server = given ?? (await detect(call))
    if (values['dry-run']) {
      io.stdout(`${JSON.stringify(requestsOf(server, options), undefined, 2)}\n`)
      return
    }
    io.stdout(`${server.product === 'opensearch' ? 'OpenSearch' : 'Elasticsearch'} ${server.version.join('.')}\n`)
    await setUp(call, server, options, (line) => io.stdout(`${line}\n`))
  } finally {
    client.close()
  }
}

const TIMEOUT_MS = 60_000

function callerOf(client: ReturnType<typeof createHttpClient>, base: URL): Call {
  return async (method, path, body) => {
    const [pathname = '', search = ''] = path.split('?')
    const url = new URL(base)
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${pathname}`
    url.search = search
    const request = {
      method,
      url,
      headers: { 'content-type': 'application/json', 'user-agent': 'Weir setup' },
      body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
    }
    const response = await client.send(request, AbortSignal.timeout(TIMEOUT_MS))
    return { status: response.status, body: parsed(response.body) }
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** From the configuration, or from `--endpoint` and the environment; undefined when the configuration is wrong. */
function settingsOf(values: Values, io: Io): ExporterSettings | undefined {
  if (values.config === undefined) return fromFlags(values, io)
  const result = loadConfig(sourcesOf(NAME, values, io.cwd), io.registry, io.env)
  io.stderr(problemText(result))
  if (result.config === undefined) return undefined
  const candidates = [...result.config.exporters.values()].filter(
    ({ definition }) => definition.type === 'elasticsearch',
  )
  const wanted = values.exporter
  const chosen = wanted === undefined ? candidates : candidates.filter(({ id }) => id === wanted)
  const [one, ...others] = chosen
  if (one === undefined) {
    throw new UsageError(`weir ${NAME}: the configuration has no exporter ${wanted ?? 'of the type elasticsearch'}`)
  }
  if (others.length > 0) {
    const ids = candidates.map(({ id }) => id).join(', ')
    throw new UsageError(`weir ${NAME}: several exporters fit, choose one with --exporter: ${ids}`)
  }
  const settings = one.config as ExporterSettings
  return values.endpoint === undefined
    ? settings
    : { ...settings, endpoint: checkedUrl(values.endpoint), endpoints: undefined }
}

const http = z.object(httpClientSettings())

function fromFlags({ endpoint, exporter, product, 'dry-run': isDry }: Values, { env }: Io): ExporterSettings {
  if (exporter !== undefined) throw new UsageError(`weir ${NAME}: --exporter needs --config FILE`)
  if (endpoint === undefined && !(isDry && product !== undefined)) {
    throw new UsageError(`weir ${NAME}: where? Give --endpoint URL, or --config FILE with an elasticsearch exporter`)
  }
  const user = env['ELASTICSEARCH_USER']
  return {
    ...http.parse({}),
    endpoint: checkedUrl(endpoint ?? 'http://localhost:9200'),
    ...(user === undefined
      ? { api_key: env['ELASTICSEARCH_API_KEY'] }
      : { user, password: env['ELASTICSEARCH_PASSWORD'] }),
  }
}

function checkedUrl(text: string): string {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return text
  throw new UsageError(`weir ${NAME}: --endpoint is a URL such as http://localhost:9200, not "${text}"`)
}

function givenServer({ product, 'server-version': version = '' }: Values): Server | undefined {
  if (product === undefined) return undefined
  const name = oneOf(NAME, 'product', product, ['elasticsearch', 'opensearch'])
  const newest = name === 'elasticsearch' ? '9.0' : '3.0'
  const match = /^(\d+)\.(\d+)/.exec(version === '' ? newest : version)
  if (match === null) throw new UsageError(`weir ${NAME}: --server-version is like 8.17, not "${version}"`)
  return { product: name, version: [Number(match[1]), Number(match[2])] }
}

function retentionOf({ retention }: Values): string | undefined {
  if (retention === undefined || (/^\d+[dhms]$/.test(retention) && parseDuration(retention))) return retention
  throw new UsageError(`weir ${NAME}: --retention is a duration such as 90d, not "${retention}"`)
}

/** Datasets that the exporter may write to besides Weir's own. */
function datasetsOf({ data_stream }: ExporterSettings): string[] {
  const { dataset, dynamic } = data_stream ?? {}
  return [...(dataset === undefined ? [] : [dataset]), ...(dynamic?.dataset?.allow ?? [])]
}
