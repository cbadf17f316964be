/** Prepares a cluster for Weir's data streams: lifecycle policy, component templates, index templates. */
import { isDeepStrictEqual } from 'node:util'
import type { Json, Server } from '../ecs/mapping.ts'
import { CUSTOM, ilmPolicy, ismPolicy, META, POLICY, type TemplateOptions, templates } from './templates.ts'

export interface Reply {
  readonly status: number
  /** Parsed JSON; undefined for what is none. */
  readonly body: unknown
}

/** One call to the cluster. */
export type Call = (method: string, path: string, body?: Json) => Promise<Reply>

/** The cluster refused, or is none. The message is all that a user needs to see. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

export interface SetupOptions extends TemplateOptions {
  /** How long events are kept, e.g. `90d`; undefined leaves a policy that is there alone. */
  readonly retention: string | undefined
}

const DEFAULT_RETENTION = '90d'

/** Asks a cluster what it is. */
export async function detect(call: Call): Promise<Server> {
  const { status, body } = await call('GET', '/')
  if (status === 401 || status === 403) {
    throw new SetupError(`the cluster refused the credentials (${status}); they need the privilege "monitor"`)
  }
  const version = (body as { version?: { number?: unknown; distribution?: unknown } } | undefined)?.version
  const [major, minor] = String(version?.number ?? '')
    .split('.')
    .map(Number)
  if (status !== 200 || major === undefined || minor === undefined || !Number.isInteger(major + minor)) {
    throw new SetupError(`what answers there is neither Elasticsearch nor OpenSearch (status ${status})`)
  }
  return {
    product: version?.distribution === 'opensearch' ? 'opensearch' : 'elasticsearch',
    version: [major, minor],
  }
}

/** One thing that was done: `index template weir-ecs: written`. */
export type Report = (line: string) => void

/** Can be repeated: what is there is brought up to date, and what belongs to the user is left alone. */
export async function setUp(call: Call, server: Server, options: SetupOptions, report: Report): Promise<void> {
  const { componentTemplates, indexTemplates } = templates(server, options)
  if (server.product === 'elasticsearch') await writeIlmPolicy(call, server, options, report)
  for (const [name, body] of Object.entries(componentTemplates)) {
    await put(call, `/_component_template/${name}`, body)
    report(`component template ${name}: written`)
  }
  await writeCustom(call, report)
  for (const [name, body] of Object.entries(indexTemplates)) {
    await put(call, `/_index_template/${name}`, body)
    report(`index template ${name}: written for ${(body['index_patterns'] as string[]).join(', ')}`)
  }
  if (server.product === 'opensearch') await writeIsmPolicy(call, options, report)
}

/** The same as requests, for whoever wants to send them by other means. */
export function requestsOf(server: Server, options: SetupOptions): { method: string; path: string; body: Json }[] {
  const { componentTemplates, indexTemplates } = templates(server, options)
  const retention = options.retention ?? DEFAULT_RETENTION
  const write = (path: string, body: Json) => ({ method: 'PUT', path, body })
  const isElastic = server.product === 'elasticsearch'
  return [
    ...(isElastic ? [write(`/_ilm/policy/${POLICY}`, ilmPolicy(server, retention))] : []),
    ...Object.entries(componentTemplates).map(([name, body]) => write(`/_component_template/${name}`, body)),
    write(`/_component_template/${CUSTOM}`, EMPTY),
    ...Object.entries(indexTemplates).map(([name, body]) => write(`/_index_template/${name}`, body)),
    ...(isElastic ? [] : [write(ISM_PATH, ismPolicy(retention, options))]),
  ]
}

const EMPTY: Json = { template: {}, _meta: { ...META, description: 'Yours: settings and mappings of all of Weir.' } }
const ISM_PATH = `/_plugins/_ism/policies/${POLICY}`

async function writeCustom(call: Call, report: Report): Promise<void> {
  const path = `/_component_template/${CUSTOM}`
  const { status } = await call('GET', path)
  if (status === 200) report(`component template ${CUSTOM}: yours, left as it is`)
  else {
    await put(call, path, EMPTY)
    report(`component template ${CUSTOM}: written, empty; put what you want to add there`)
  }
}

async function writeIlmPolicy(call: Call, server: Server, options: SetupOptions, report: Report): Promise<void> {
  const path = `/_ilm/policy/${POLICY}`
  const { status } = await call('GET', path)
  if (status === 200 && options.retention === undefined) {
    report(`lifecycle policy ${POLICY}: there already, left as it is (--retention writes it)`)
    return
  }
  const retention = options.retention ?? DEFAULT_RETENTION
  await put(call, path, ilmPolicy(server, retention))
  report(`lifecycle policy ${POLICY}: written, events are deleted after ${retention}`)
}

/** A policy that is there can only be exchanged by whoever names the version that he saw. */
async function writeIsmPolicy(call: Call, options: SetupOptions, report: Report): Promise<void> {
  const { status, body } = await call('GET', ISM_PATH)
  const known = status === 200 ? (body as KnownPolicy) : undefined
  if (known !== undefined && options.retention === undefined && isUpToDate(known, options)) {
    report(`lifecycle policy ${POLICY}: there already, left as it is (--retention writes it)`)
    return
  }
  const retention = options.retention ?? retentionOf(known) ?? DEFAULT_RETENTION
  const version = known === undefined ? '' : `?if_seq_no=${known._seq_no}&if_primary_term=${known._primary_term}`
  await put(call, `${ISM_PATH}${version}`, ismPolicy(retention, options))
  report(`lifecycle policy ${POLICY}: written, events are deleted after ${retention}`)
}

interface KnownPolicy {
  readonly _seq_no: number
  readonly _primary_term: number
  readonly policy: {
    readonly states?: readonly { readonly transitions?: readonly { readonly conditions?: Json }[] }[]
    readonly ism_template?: readonly { readonly index_patterns?: readonly string[] }[]
  }
}

function isUpToDate({ policy }: KnownPolicy, options: TemplateOptions): boolean {
  const wanted = ismPolicy('', options)['policy'] as KnownPolicy['policy']
  return isDeepStrictEqual(policy.ism_template?.[0]?.index_patterns, wanted.ism_template?.[0]?.index_patterns)
}

function retentionOf(known: KnownPolicy | undefined): string | undefined {
  const age = known?.policy.states?.[0]?.transitions?.[0]?.conditions?.['min_index_age']
  return typeof age === 'string' ? age : undefined
}

async function put(call: Call, path: string, body: Json): Promise<void> {
  const { status, body: answer } = await call('PUT', path, body)
  if (status >= 200 && status < 300) return
  const error = (answer as { error?: { reason?: unknown; type?: unknown } } | undefined)?.error
  const why = error === undefined ? '' : `: ${error.type ?? 'error'}: ${error.reason ?? JSON.stringify(error)}`
  const hint = status === 401 || status === 403 ? '; it needs the privileges manage_index_templates and manage_ilm' : ''
  throw new SetupError(`PUT ${path} was refused with ${status}${why}${hint}`.slice(0, 1000))
}
