/**
 * The fastest way we know to get audit events from a file into OTLP JSON: 1 MiB reads, split, `JSON.parse`, shape,
 * one `JSON.stringify` for 1,000 records, no network, no acknowledgements. The yardstick of the pipeline: making
 * this slower to look better by it is a regression.
 *
 *   node bench/pipeline/bare-loop.ts FILE
 *
 * Prints one JSON object: events, seconds, CPU seconds, bytes out.
 */
import { openSync, readSync } from 'node:fs'

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('usage: bare-loop.ts FILE')

interface AuditEvent {
  readonly auditID: string
  readonly stage: string
  readonly level: string
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string; readonly groups?: readonly string[] }
  readonly sourceIPs?: readonly string[]
  readonly userAgent?: string
  readonly objectRef?: Readonly<Record<string, string>>
  readonly responseStatus?: { readonly code?: number; readonly reason?: string; readonly message?: string }
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations?: Readonly<Record<string, string>>
}

type Value =
  | { stringValue: string }
  | { intValue: number }
  | { doubleValue: number }
  | { arrayValue: { values: { stringValue: string }[] } }

function nanos(time: string): string {
  return `${Date.parse(`${time.slice(0, 19)}Z`) / 1000}${time.slice(20, 26)}000`
}

/** The same facts as the pipeline's record: the line for a person and about two dozen attributes. */
function shape(event: AuditEvent): object {
  const attributes: { key: string; value: Value }[] = []
  const text = (key: string, value: string | undefined): void => {
    if (value !== undefined) attributes.push({ key, value: { stringValue: value } })
  }
  const list = (key: string, values: readonly string[]): void => {
    attributes.push({ key, value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } } })
  }
  const { user, objectRef, responseStatus, annotations, verb, stage } = event
  text('log.record.uid', `${event.auditID}/${stage}`)
  text('k8s.audit.id', event.auditID)
  text('k8s.audit.stage', stage)
  text('k8s.audit.level', event.level)
  text('k8s.audit.verb', verb)
  text('k8s.audit.request_uri', event.requestURI)
  text('user.name', user.username)
  if (user.groups !== undefined) list('user.groups', user.groups)
  text('client.address', event.sourceIPs?.[0])
  text('user_agent.original', event.userAgent)
  if (objectRef !== undefined) {
    text('k8s.audit.object.resource', objectRef['resource'])
    text('k8s.audit.object.subresource', objectRef['subresource'])
    text('k8s.audit.object.namespace', objectRef['namespace'])
    text('k8s.audit.object.name', objectRef['name'])
    text('k8s.audit.object.api_group', objectRef['apiGroup'])
    text('k8s.audit.object.api_version', objectRef['apiVersion'])
  }
  const code = responseStatus?.code
  if (code !== undefined) attributes.push({ key: 'k8s.audit.response.code', value: { intValue: code } })
  if (annotations !== undefined) {
    text('k8s.audit.decision', annotations['authorization.k8s.io/decision'])
    text('k8s.audit.decision.reason', annotations['authorization.k8s.io/reason'])
  }
  const latency = (Date.parse(event.stageTimestamp) - Date.parse(event.requestReceivedTimestamp)) / 1000
  attributes.push({ key: 'k8s.audit.latency', value: { doubleValue: latency } })
  const object = `${objectRef?.['resource'] ?? event.requestURI} ${objectRef?.['namespace'] ?? ''}/${objectRef?.['name'] ?? ''}`
  const time = nanos(event.stageTimestamp)
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: 9,
    severityText: 'INFO',
    body: {
      stringValue: `${user.username} ${verb} ${object} (${code}) from ${event.sourceIPs?.[0]} with ${event.userAgent}`,
    },
    eventName: 'k8s.audit',
    attributes,
    droppedAttributesCount: 0,
  }
}

const started = performance.now()
const file = openSync(path, 'r')
const buffer = Buffer.allocUnsafeSlow(1 << 20)
let events = 0
let bytes = 0
let rest = ''
let records: object[] = []

function flush(): void {
  if (records.length === 0) return
  const request = {
    resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ scope: { name: 'bare' }, logRecords: records }] }],
  }
  bytes += Buffer.from(JSON.stringify(request)).length
  records = []
}

for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
  // Exact for ASCII logs, which is what the generator writes.
  const lines = (rest + buffer.toString('latin1', 0, read)).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    records.push(shape(JSON.parse(line) as AuditEvent))
    events += 1
    if (records.length === 1000) flush()
  }
}
flush()

const cpu = process.cpuUsage()
console.log(
  JSON.stringify({
    events,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    rssMiB: process.resourceUsage().maxRSS / 1024,
    bytes,
  }),
)
