/**
 * Splunk's HTTP Event Collector, as strict as its documentation: tokens, channels, codes, events taken one by one
 * until the first that is refused, indexer acknowledgment.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface HecEvent {
  readonly time?: number
  readonly host?: string
  readonly source?: string
  readonly sourcetype?: string
  readonly index?: string
  readonly event: unknown
  readonly fields?: Readonly<Record<string, unknown>>
}

export interface HecRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly bytes: number
  readonly events: number
}

export interface Hec {
  readonly url: string
  readonly events: HecEvent[]
  readonly requests: HecRequest[]
  readonly statuses: number[]
  /** Questions about acknowledgments: the numbers asked for. */
  readonly questions: number[][]
  token: string
  readonly indexes: Set<string>
  maxContentLength: number
  /** Acknowledgments: off, given at once, or kept back. */
  acks: 'off' | 'given' | 'kept'
  /** Events that are taken before the collector is busy; undefined: never busy. */
  room: number | undefined
  /** Events whose fields cannot be indexed. */
  refuses: ((event: HecEvent) => boolean) | undefined
  /** Answers instead of the collector. */
  respond: ((request: HecRequest, response: ServerResponse) => void) | undefined
  close(): Promise<void>
}

interface Refusal {
  readonly status: number
  readonly code: number
  readonly text: string
}

const refusals = {
  invalidToken: { status: 403, code: 4, text: 'Invalid token' },
  noToken: { status: 401, code: 2, text: 'Token is required' },
  noData: { status: 400, code: 5, text: 'No data' },
  format: { status: 400, code: 6, text: 'Invalid data format' },
  index: { status: 400, code: 7, text: 'Incorrect index' },
  busy: { status: 503, code: 9, text: 'Server is busy' },
  noChannel: { status: 400, code: 10, text: 'Data channel is missing' },
  badChannel: { status: 400, code: 11, text: 'Invalid data channel' },
  noEvent: { status: 400, code: 12, text: 'Event field is required' },
  blank: { status: 400, code: 13, text: 'Event field cannot be blank' },
  acksOff: { status: 400, code: 14, text: 'ACK is disabled' },
  fields: { status: 400, code: 15, text: 'Error in handling indexed fields' },
} as const satisfies Record<string, Refusal>

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export async function hec(): Promise<Hec> {
  /** By channel: the acknowledgments that were not asked for yet. */
  const channels = new Map<string, { next: number; readonly open: Set<number> }>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const raw = Buffer.concat(chunks)
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString('utf8')
    const url = new URL(request.url ?? '/', 'http://hec')
    const answer = (status: number, body: object): void => {
      one.statuses.push(status)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const refuse = ({ status, code, text }: Refusal, more = {}): void => answer(status, { text, code, ...more })
    if (url.pathname === '/services/collector/health') return answer(200, { text: 'HEC is healthy', code: 17 })
    const { authorization } = request.headers
    if (authorization === undefined) return refuse(refusals.noToken)
    if (authorization !== `Splunk ${one.token}`) return refuse(refusals.invalidToken)
    const channel = request.headers['x-splunk-request-channel'] ?? url.searchParams.get('channel')
    if (channel !== null && !GUID.test(String(channel))) return refuse(refusals.badChannel)
    const known = channels.get(String(channel)) ?? { next: 0, open: new Set<number>() }
    channels.set(String(channel), known)
    if (url.pathname === '/services/collector/ack') {
      if (one.acks === 'off') return refuse(refusals.acksOff)
      return answer(200, { acks: acknowledge(JSON.parse(text).acks, known.open) })
    }
    if (!/^\/services\/collector(\/event(\/1\.0)?)?$/.test(url.pathname))
      return answer(404, { text: 'not found', code: 404 })
    const documents = split(text)
    const seen = { path: url.pathname, headers: request.headers, bytes: text.length, events: documents.length }
    one.requests.push(seen)
    if (one.respond !== undefined) return one.respond(seen, response)
    if (one.acks !== 'off' && channel === null) return refuse(refusals.noChannel)
    if (text.length > one.maxContentLength) return answer(413, { text: 'Request entity too large', code: 27 })
    if (documents.length === 0) return refuse(refusals.noData)
    for (const [position, document] of documents.entries()) {
      const why = take(document)
      // With this one code the first event is number 1, with the others it is number 0.
      if (why !== undefined) return refuse(why, { 'invalid-event-number': position + (why.code === 7 ? 1 : 0) })
    }
    if (one.acks === 'off') return answer(200, { text: 'Success', code: 0 })
    const ackId = known.next++
    known.open.add(ackId)
    answer(200, { text: 'Success', code: 0, ackId })
  })

  const acknowledge = (ids: number[], open: Set<number>): Record<string, boolean> => {
    one.questions.push(ids)
    // Asked for once and answered with yes, a number is forgotten.
    return Object.fromEntries(ids.map((id) => [id, one.acks === 'given' && open.delete(id)]))
  }

  const take = (document: string): Refusal | undefined => {
    if (one.room === 0) return refusals.busy
    const event = read(document)
    if (event === undefined) return refusals.format
    const why = invalid(event) ?? (one.refuses?.(event) ? refusals.fields : undefined)
    if (why !== undefined) return why
    if (event.index !== undefined && !one.indexes.has(event.index)) return refusals.index
    if (one.room !== undefined) one.room -= 1
    one.events.push(event)
    return undefined
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const one: Hec = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events: [],
    requests: [],
    statuses: [],
    questions: [],
    token: 'a-token',
    indexes: new Set(['main']),
    maxContentLength: 1_000_000,
    acks: 'off',
    room: undefined,
    refuses: undefined,
    respond: undefined,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return one
}

const KEYS = new Set(['time', 'host', 'source', 'sourcetype', 'index', 'event', 'fields'])

function read(document: string): HecEvent | undefined {
  try {
    const value = JSON.parse(document)
    return Object.keys(value).every((key) => KEYS.has(key)) ? value : undefined
  } catch {
    return undefined
  }
}

function invalid({ event, fields = {} }: HecEvent): Refusal | undefined {
  if (event === undefined) return refusals.noEvent
  if (event === null || event === '') return refusals.blank
  for (const value of Object.values(fields)) {
    const isText = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')
    if (!isText && !['string', 'number', 'boolean'].includes(typeof value)) return refusals.fields
  }
  return undefined
}

/** JSON objects one after the other, with or without something between them. */
function split(text: string): string[] {
  const documents: string[] = []
  let depth = 0
  let begin = 0
  let inText = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (inText) {
      if (char === '\\') at += 1
      else if (char === '"') inText = false
    } else if (char === '"') inText = true
    else if (char === '{' && depth++ === 0) begin = at
    else if (char === '}' && --depth === 0) documents.push(text.slice(begin, at + 1))
  }
  return documents
}
