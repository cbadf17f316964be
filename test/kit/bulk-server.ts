/**
 * A strict `_bulk` destination on a free port, written from the specifications of Elasticsearch and OpenSearch: it
 * refuses what a real one refuses, answers as a real one answers, and misbehaves on request.
 *
 * Beyond the real ones it insists on what only costs there: a Content-Length instead of chunks, an index template for
 * every data stream, and (`strict`) a mapping for every field.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type Answer, ClusterAdmin, type ClusterIdentity, fault } from './bulk-admin.ts'
import { filterPath } from './bulk-filter.ts'
import { DocumentCheck, type Refusal } from './bulk-mapping.ts'

export interface StoredDocument {
  readonly stream: string
  readonly id: string
  // biome-ignore lint/suspicious/noExplicitAny: documents have every shape.
  readonly source: any
}

export interface BulkRequest {
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly bytes: number
  readonly items: number
}

export interface ItemFault {
  readonly status: number
  readonly type?: string
  readonly reason?: string
  readonly failureStore?: 'used' | 'failed' | 'not_enabled'
}

/** What one request meets instead of a healthy server. */
export type Fault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: unknown
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset'; readonly stored: boolean }
  | { readonly kind: 'garbage'; readonly body: string; readonly stored: boolean }
  | {
      readonly kind: 'items'
      readonly answer: (item: number, source: StoredDocument['source']) => ItemFault | undefined
    }

export interface BulkServerOptions extends Partial<ClusterIdentity> {
  /** False: as the mapping says. */
  readonly strict?: boolean
  /** What `Authorization` must be. */
  readonly authorization?: string
  readonly maxContentLength?: number
  readonly port?: number
}

export interface BulkServer {
  readonly url: string
  readonly port: number
  readonly admin: ClusterAdmin
  readonly requests: BulkRequest[]
  readonly documents: StoredDocument[]
  /** Why documents were refused, in order. */
  readonly refusals: Refusal[]
  /** Documents of the failure stores. */
  readonly failures: StoredDocument[]
  /** Applied to the next requests, one each; then `always`. */
  readonly faults: Fault[]
  always: Fault | undefined
  /** Gives a data stream a new backing index, as a rollover does. */
  rollOver(stream: string): void
  close(): Promise<void>
}

interface Stream {
  readonly check: DocumentCheck
  readonly ids: Set<string>
}

interface Operation {
  readonly op: string
  readonly index: string
  readonly id: string | undefined
  readonly source: string
}

interface Item {
  readonly status: number
  readonly _index?: string
  readonly _id?: string
  readonly result?: string
  readonly failure_store?: string
  readonly error?: { readonly type: string; readonly reason: string }
}

class Whole extends Error {
  readonly answer: Answer
  constructor(answer: Answer) {
    super('refused')
    this.answer = answer
  }
}

export async function bulkServer(options: BulkServerOptions = {}): Promise<BulkServer> {
  const identity = { product: options.product ?? 'elasticsearch', version: options.version ?? '9.2.0' } as const
  const state = new Cluster(new ClusterAdmin(identity), options)
  const server = createServer((request, response) => void state.serve(request, response))
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  })
}

class Cluster {
  readonly admin: ClusterAdmin
  readonly requests: BulkRequest[] = []
  readonly documents: StoredDocument[] = []
  readonly refusals: Refusal[] = []
  readonly failures: StoredDocument[] = []
  readonly faults: Fault[] = []
  always: Fault | undefined
  readonly #streams = new Map<string, Stream>()
  readonly #options: BulkServerOptions
  #generated = 0

  constructor(admin: ClusterAdmin, options: BulkServerOptions) {
    this.admin = admin
    this.#options = options
  }

  rollOver(stream: string): void {
    this.#streams.get(stream)?.ids.clear()
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // The client has gone.
    }
    const url = new URL(request.url ?? '/', 'http://test')
    const isBulk = /^(\/[^/]+)?\/_bulk$/.test(url.pathname)
    const fault = isBulk ? (this.faults.shift() ?? this.always) : undefined
    try {
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'status') return this.#send(response, fault.status, fault.body ?? '', fault.headers)
      this.#authorize(request)
      const body = this.#bodyOf(request, Buffer.concat(chunks))
      const answer = isBulk
        ? this.#bulk(request, url, body, chunks, fault)
        : this.admin.handle(request.method ?? '', url.pathname, url.searchParams, body)
      if (fault?.kind === 'reset') return void response.destroy()
      if (fault?.kind === 'garbage') return this.#send(response, 200, fault.body)
      this.#send(response, answer.status, answer.body)
    } catch (error) {
      if (!(error instanceof Whole)) throw error
      this.#send(response, error.answer.status, error.answer.body)
    }
  }

  #send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const product = this.admin.identity.product === 'elasticsearch' ? { 'x-elastic-product': 'Elasticsearch' } : {}
    response.writeHead(status, { 'content-type': 'application/json', ...product, ...headers }).end(text)
  }

  #authorize({ headers }: IncomingMessage): void {
    const { authorization } = this.#options
    if (authorization === undefined || headers.authorization === authorization) return
    throw new Whole(fault(401, 'security_exception', 'missing authentication credentials for REST request'))
  }

  #bodyOf({ headers }: IncomingMessage, raw: Buffer): string {
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding !== 'gzip') {
      throw new Whole(fault(400, 'illegal_argument_exception', `unsupported content encoding ${encoding}`))
    }
    const body = encoding === 'gzip' ? gunzipSync(raw) : raw
    if (body.length > (this.#options.maxContentLength ?? 100 * 1024 * 1024)) {
      throw new Whole({ status: 413, body: '' })
    }
    const text = body.toString('utf8')
    if (!Buffer.from(text).equals(body)) throw new Whole(fault(400, 'parse_exception', 'the body is no UTF-8'))
    return text
  }

  #bulk({ method, headers }: IncomingMessage, url: URL, body: string, chunks: Buffer[], fault?: Fault): Answer {
    this.#insist(method, headers)
    const operations = this.#operations(body, url.pathname.split('/').slice(1, -1)[0])
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0)
    this.requests.push({ path: url.pathname, query: url.searchParams, headers, bytes, items: operations.length })
    const isStored = fault === undefined || fault.kind === 'items' || ('stored' in fault && fault.stored)
    if (!isStored) return { status: 200, body: '' }
    const items = operations.map((operation, i) => ({ [operation.op]: this.#item(operation, i, fault) }))
    const errors = items.some((item) => Object.values(item).some(({ error }) => error !== undefined))
    const answer = { took: 3, errors, items }
    const filter = url.searchParams.get('filter_path')
    return { status: 200, body: filter === null ? answer : filterPath(answer, filter) }
  }

  #insist(method: string | undefined, headers: IncomingMessage['headers']): void {
    if (method !== 'POST' && method !== 'PUT') throw new Whole(fault(405, 'method_not_allowed', 'allowed: [POST, PUT]'))
    if (headers['transfer-encoding'] !== undefined) throw new Whole(fault(400, 'test', 'do not send chunks'))
    const type = headers['content-type'] ?? ''
    if (type !== 'application/x-ndjson' && type !== 'application/json') {
      throw new Whole(fault(406, 'media_type_header_exception', `Content-Type header [${type}] is not supported`))
    }
  }

  #operations(body: string, pathIndex: string | undefined): Operation[] {
    const bad = (reason: string): never => {
      throw new Whole(fault(400, 'illegal_argument_exception', reason))
    }
    if (body === '') bad('request body is required')
    if (!body.endsWith('\n')) bad('The bulk request must be terminated by a newline [\\n]')
    const lines = body.slice(0, -1).split('\n')
    if (lines.length % 2 !== 0) bad('The bulk request must hold an action and a source for each document')
    const operations: Operation[] = []
    for (let i = 0; i < lines.length; i += 2)
      operations.push(operationOf(lines[i] ?? '', lines[i + 1] ?? '', pathIndex))
    return operations
  }

  #item({ op, index, id, source }: Operation, number: number, fault: Fault | undefined): Item {
    const scripted = fault?.kind === 'items' ? fault.answer(number, safely(source)) : undefined
    const _id = id ?? `generated-${this.#generated++}`
    if (scripted !== undefined) return this.#scripted(scripted, index, _id, source)
    const refuse = (status: number, type: string, reason: string): Item => {
      this.refusals.push({ type, reason })
      return { _index: index, _id, status, error: { type, reason } }
    }
    const why = whyNotAName(index)
    if (why !== undefined) return refuse(400, 'invalid_index_name_exception', `Invalid index name [${index}], ${why}`)
    if (op !== 'create') {
      const reason = 'only write ops with an op_type of create are allowed in data streams'
      return refuse(400, 'illegal_argument_exception', reason)
    }
    const stream = this.#streamOf(index)
    if (stream === undefined) return refuse(404, 'index_not_found_exception', `no such index [${index}]`)
    if (stream.ids.has(_id)) {
      return refuse(409, 'version_conflict_engine_exception', `[${_id}]: version conflict, document already exists`)
    }
    const refusal = stream.check.refusal(source) ?? whyNotOfStream(index, safely(source))
    if (refusal !== undefined) return refuse(400, refusal.type, refusal.reason)
    stream.ids.add(_id)
    this.documents.push({ stream: index, id: _id, source: safely(source) })
    return { _index: `.ds-${index}-2026.11.25-000001`, _id, status: 201, result: 'created' }
  }

  #scripted(answer: ItemFault, index: string, _id: string, source: string): Item {
    const { status, type = 'test_exception', reason = 'because', failureStore } = answer
    const store = failureStore === undefined ? {} : { failure_store: failureStore }
    if (status < 300) {
      this.failures.push({ stream: index, id: _id, source: safely(source) })
      return { _index: index, _id, status, result: 'created', ...store }
    }
    return { _index: index, _id, status, error: { type, reason }, ...store }
  }

  #streamOf(name: string): Stream | undefined {
    const known = this.#streams.get(name)
    if (known !== undefined) return known
    const template = this.admin.templateFor(name)
    if (template === undefined) return undefined
    const made = { check: new DocumentCheck(template.mapping, this.#options.strict ?? true), ids: new Set<string>() }
    this.#streams.set(name, made)
    return made
  }
}

function operationOf(action: string, source: string, pathIndex: string | undefined): Operation {
  const parsed = safely(action)
  const [op, ...others] = Object.keys(parsed ?? {})
  if (op === undefined || others.length > 0 || !['create', 'index', 'update', 'delete'].includes(op)) {
    throw new Whole(fault(400, 'illegal_argument_exception', `Malformed action/metadata line: ${action.slice(0, 100)}`))
  }
  const { _index = pathIndex, _id, ...unknown } = parsed[op]
  if (Object.keys(unknown).some((key) => !['pipeline', 'require_data_stream', 'dynamic_templates'].includes(key))) {
    throw new Whole(fault(400, 'illegal_argument_exception', 'Action/metadata line contains an unknown parameter'))
  }
  if (typeof _index !== 'string') throw new Whole(fault(400, 'action_request_validation_exception', 'index is missing'))
  if (_id !== undefined && (_id === '' || Buffer.byteLength(_id) > 512)) {
    throw new Whole(
      fault(400, 'action_request_validation_exception', 'id is too long, must be no longer than 512 bytes'),
    )
  }
  return { op, index: _index, id: _id, source }
}

function whyNotAName(name: string): string | undefined {
  if (Buffer.byteLength(name) > 255) return 'index name is too long'
  if (name !== name.toLowerCase()) return 'must be lowercase'
  if (/[\\/*?"<>| ,#:]/.test(name)) return 'must not contain the following characters'
  return /^[-_+]|^\.\.?$/.test(name) ? "must not start with '_', '-', or '+'" : undefined
}

/** What Elastic's own pipelines and mappings take for granted of a document in a data stream of logs. */
function whyNotOfStream(name: string, source: StoredDocument['source']): Refusal | undefined {
  const [type, dataset, ...namespace] = name.split('-')
  const expected = { type, dataset, namespace: namespace.join('-') }
  const actual = source.data_stream ?? {}
  for (const key of ['type', 'dataset', 'namespace'] as const) {
    if (actual[key] === expected[key]) continue
    const reason = `data_stream.${key} is [${actual[key]}] in [${name}]`
    return { type: 'document_parsing_exception', reason }
  }
  return undefined
}

function safely(text: string): StoredDocument['source'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
