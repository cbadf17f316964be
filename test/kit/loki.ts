/**
 * Loki's OTLP endpoint as strict as the real one: exact content types, 204, limits of structured metadata, rules of
 * time for each stream, and a 400 that keeps what was valid of the push.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type DecodedRecord, decodeOtlp } from './otlp-decode.ts'

export interface LokiLine {
  readonly labels: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  readonly line: string
  readonly timeMs: number
}

export interface Loki {
  readonly url: string
  /** What was ingested; of exact duplicates the first. */
  readonly lines: LokiLine[]
  /** Entries that came again, exactly as they were. */
  duplicates: number
  readonly statuses: number[]
  close(): Promise<void>
}

export interface LokiOptions {
  /** The only value of X-Scope-OrgID that is known. */
  readonly tenant?: string
  /** Resource attributes that become labels. */
  readonly indexLabels?: readonly string[]
}

const DEFAULT_LABELS = [
  ...['service.name', 'service.namespace', 'service.instance.id', 'deployment.environment', 'cloud.region'],
  ...['deployment.environment.name', 'cloud.availability_zone', 'k8s.cluster.name', 'k8s.namespace.name'],
  ...['k8s.pod.name', 'k8s.container.name', 'container.name', 'k8s.replicaset.name', 'k8s.deployment.name'],
  ...['k8s.statefulset.name', 'k8s.daemonset.name', 'k8s.cronjob.name', 'k8s.job.name'],
]
const MAX_LABELS = 15
const MAX_METADATA = 128
const MAX_METADATA_BYTES = 64 * 1024
const MAX_LINE_BYTES = 256 * 1024
const WEEK_MS = 7 * 24 * 3_600_000

export async function loki({ tenant, indexLabels = DEFAULT_LABELS }: LokiOptions = {}): Promise<Loki> {
  const newest = new Map<string, number>()
  const known = new Set<string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answer = (status: number, message = ''): void => {
      one.statuses.push(status)
      response.writeHead(status, status === 204 ? {} : { 'content-type': 'application/octet-stream' })
      response.end(status === 204 ? '' : statusOf(message))
    }
    if (request.method !== 'POST' || request.url !== '/otlp/v1/logs') return answer(404, '404 page not found')
    if (tenant !== undefined && request.headers['x-scope-orgid'] !== tenant) return answer(401, 'no org id')
    const records = decoded(request.headers, Buffer.concat(chunks))
    if (typeof records === 'string') return answer(400, records)
    const refused = records.flatMap((record) => ingest(record) ?? [])
    answer(refused.length === 0 ? 204 : 400, refused.slice(0, 3).join('\n'))
  })

  /** Undefined when the entry was taken, else why not. */
  const ingest = (record: DecodedRecord): string | undefined => {
    const entry = entryOf(record, indexLabels)
    const stream = JSON.stringify(Object.entries(entry.labels).sort())
    const head = newest.get(stream) ?? 0
    const why = invalid(entry, stream) ?? tooOld(entry, stream, head)
    if (why !== undefined) return why
    newest.set(stream, Math.max(head, entry.timeMs))
    const key = `${record.time} ${JSON.stringify(entry)}`
    if (known.has(key)) one.duplicates += 1
    else one.lines.push(entry)
    known.add(key)
    return undefined
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const one: Loki = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines: [],
    duplicates: 0,
    statuses: [],
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return one
}

function decoded(headers: IncomingHttpHeaders, raw: Buffer): DecodedRecord[] | string {
  const type = headers['content-type']
  if (type !== 'application/json' && type !== 'application/x-protobuf') return `content type: ${type} is not supported`
  const encoding = headers['content-encoding'] ?? ''
  if (!['', 'gzip', 'zstd'].includes(encoding)) return `Content-Encoding "${encoding}" not supported`
  const body = encoding === 'gzip' ? gunzipSync(raw) : encoding === 'zstd' ? zstdDecompressSync(raw) : raw
  return decodeOtlp(body, type)
}

function entryOf(record: DecodedRecord, indexLabels: readonly string[]): LokiLine {
  const labels: Record<string, string> = {}
  const metadata: Record<string, string> = {}
  for (const [key, value] of Object.entries(record.resource)) {
    flatten(key, value, indexLabels.includes(key) ? labels : metadata)
  }
  labels['service_name'] ??= 'unknown_service'
  if (record.severityNumber > 0) metadata['severity_number'] = String(record.severityNumber)
  if (record.severityText !== '') metadata['severity_text'] = record.severityText
  if (record.eventName !== '') metadata['event_name'] = record.eventName
  if (record.scope !== '') metadata['scope_name'] = record.scope
  for (const [key, value] of Object.entries(record.attributes)) flatten(key, value, metadata)
  const line = typeof record.body === 'string' ? record.body : JSON.stringify(record.body)
  const time = record.time === '0' ? record.observedTime : record.time
  return { labels, metadata, line, timeMs: Number(BigInt(time) / 1_000_000n) }
}

function flatten(key: string, value: unknown, into: Record<string, string>): void {
  const name = key.replace(/[^a-zA-Z0-9_]/g, '_')
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [inner, one] of Object.entries(value)) flatten(`${name}_${inner}`, one, into)
  } else into[name] = typeof value === 'string' ? value : JSON.stringify(value)
}

function invalid({ labels, metadata, line }: LokiLine, stream: string): string | undefined {
  const names = Object.keys(labels).length
  if (names > MAX_LABELS) return `entry for stream '${stream}' has ${names} label names; limit ${MAX_LABELS}`
  if (Buffer.byteLength(line) > MAX_LINE_BYTES) return `max entry size ${MAX_LINE_BYTES} bytes exceeded`
  const pairs = Object.entries(metadata)
  if (pairs.length > MAX_METADATA) {
    return `stream '${stream}' has too many structured metadata labels: '${pairs.length}', limit: '${MAX_METADATA}'`
  }
  const bytes = pairs.reduce((total, [key, value]) => total + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  if (bytes > MAX_METADATA_BYTES) return `stream '${stream}' has structured metadata too large: '${bytes}' bytes`
  return undefined
}

function tooOld({ timeMs }: LokiLine, stream: string, head: number): string | undefined {
  const now = Date.now()
  const at = new Date(timeMs).toISOString()
  if (timeMs < now - WEEK_MS) return `entry for stream '${stream}' has timestamp too old: ${at}`
  if (timeMs > now + 600_000) return `entry for stream '${stream}' has timestamp too new: ${at}`
  return timeMs < head - 3_600_000 ? `entry with timestamp ${at} ignored, reason: 'entry too far behind'` : undefined
}

/** `google.rpc.Status` in protobuf, which Loki sends to JSON clients as well. */
function statusOf(message: string): Buffer {
  const text = Buffer.from(message)
  const length: number[] = []
  for (let rest = text.length; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return Buffer.concat([Buffer.from([0x12, ...length]), text])
}
