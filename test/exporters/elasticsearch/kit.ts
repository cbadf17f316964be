/** An exporter and the strict server it sends to, with the templates that `weir elasticsearch setup` writes. */
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { templates } from '../../../src/elastic/templates.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { type BulkServer, type BulkServerOptions, bulkServer } from '../../kit/bulk-server.ts'
import { type TestContext, testContext } from '../../kit/context.ts'

export const never = new AbortController().signal

export async function preparedServer(
  options: BulkServerOptions & { readonly datasets?: string[] } = {},
): Promise<BulkServer> {
  const server = await bulkServer(options)
  const [major = 0, minor = 0] = server.admin.identity.version.split('.').map(Number)
  const made = templates({ product: server.admin.identity.product, version: [major, minor] }, options)
  const put = (path: string, body: unknown): void => {
    const { status, body: answer } = server.admin.handle('PUT', path, new URLSearchParams(), JSON.stringify(body))
    if (status >= 300) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  }
  put('/_component_template/weir@custom', { template: {} })
  for (const [name, one] of Object.entries(made.componentTemplates)) put(`/_component_template/${name}`, one)
  for (const [name, one] of Object.entries(made.indexTemplates)) put(`/_index_template/${name}`, one)
  return server
}

export interface Trial {
  readonly server: BulkServer
  readonly context: TestContext
  readonly send: (records: readonly LogRecord[], signal?: AbortSignal) => Promise<void>
  /** Resolves with what the exporter threw. */
  readonly error: (records: readonly LogRecord[]) => Promise<Error>
}

export async function withServer(
  config: object,
  run: (trial: Trial) => Promise<void>,
  options: BulkServerOptions & { readonly datasets?: string[] } = {},
): Promise<void> {
  const server = await preparedServer(options)
  const context = testContext()
  const where = 'endpoints' in config ? {} : { endpoint: server.url }
  const exporter = elasticsearch.create(elasticsearch.config.parse({ ...where, ...config }), context)
  await exporter.start?.(never)
  const send = (records: readonly LogRecord[], signal = never): Promise<void> => exporter.export(records, signal)
  const error = async (records: readonly LogRecord[]): Promise<Error> => {
    try {
      await send(records)
    } catch (thrown) {
      return thrown as Error
    }
    throw new Error('the exporter threw nothing')
  }
  try {
    await run({ server, context, send, error })
  } finally {
    await exporter.stop?.(never)
    await server.close()
  }
}

/** Sets a real server up, as `weir elasticsearch setup` does. */
export async function setUpReal(url: string): Promise<void> {
  const { registry } = await import('../../../src/components.ts')
  const { elasticsearch: command } = await import('../../../src/cli/elasticsearch.ts')
  let output = ''
  const write = (text: string): void => {
    output += text
  }
  const io = { stdout: write, stderr: write, env: process.env, cwd: process.cwd(), registry }
  if ((await command(['setup', '--endpoint', url], io)) !== 0) throw new Error(output)
}
