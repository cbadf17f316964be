/**
 * From audit events to log records: the same for every way they come in (a line of a file, the body of a webhook,
 * an envelope of a cloud), so it takes text or parsed JSON and knows nothing of where that was.
 */
import { hostname } from 'node:os'
import { internResource } from '../records/interning.ts'
import type { Attributes, HrTime, LogRecord, Resource } from '../records/record.ts'
import { DEFAULT_IGNORES } from './default-ignores.ts'
import { type AuditEvent, isAuditVersion, isMap, type JsonMap, statusCode, whyNotAnEvent } from './event.ts'
import { compileIgnores } from './ignore.ts'
import type { AuditOptions } from './options.ts'
import { isAnnouncement, parseWithoutBodies, withNeededBodies } from './parse.ts'
import { toRecord } from './record.ts'
import { redactEvent } from './redact-object.ts'
import { createStageMemory } from './stages.ts'
import { bounded, LIMITS } from './text.ts'

/** Why events were dropped on purpose. */
export type FilterReason = 'stage' | 'level' | 'ignored' | 'duplicate_stage'

/** What a decoder found, appended to by every call until the caller takes it away. */
export interface Decoded {
  readonly records: LogRecord[]
  readonly filtered: Record<FilterReason, number>
  /** What was no audit event, in words; `item` is its index where it was one of a list. */
  readonly malformed: { readonly error: string; readonly item?: number }[]
}

export interface AuditDecoder {
  /** Decodes one line: an `Event` or an `EventList`. `observed` is shared by the records made from it. */
  line(text: string, observed: HrTime, into: Decoded): void
  /** The same for JSON that was parsed already; it belongs to the decoder from now on. */
  value(value: unknown, observed: HrTime, into: Decoded): void
}

export function emptyDecoded(): Decoded {
  return { records: [], filtered: { stage: 0, level: 0, ignored: 0, duplicate_stage: 0 }, malformed: [] }
}

/** The one resource of everything that a decoder with these options makes: nothing of it comes from a request. */
export function auditResource({ cluster_name, resource }: Pick<AuditOptions, 'cluster_name' | 'resource'>): Resource {
  const attributes: Attributes = { 'service.name': 'k8s-audit', 'host.name': hostname() }
  if (cluster_name !== undefined) attributes['k8s.cluster.name'] = cluster_name
  return internResource({ ...attributes, ...resource })
}

/** Creates a decoder. It remembers nothing but open long-running requests, and those only on request. */
export function createAuditDecoder(options: AuditOptions): AuditDecoder {
  const resource = auditResource(options)
  const { redact_secrets: redact } = options
  const dropReason = createFilter(options)
  const skipsAnnouncements = !options.stages.includes('RequestReceived')
  const wantsBodies = options.include_raw || options.include_request_object || options.include_response_object

  // `line` is given when the event came alone on one, and its bodies may have been left out.
  const event = (
    value: unknown,
    listed: boolean,
    observed: HrTime,
    into: Decoded,
    line?: string,
  ): string | undefined => {
    const problem = whyNotAnEvent(value, listed)
    if (problem !== undefined) return problem
    const reason = dropReason(value as AuditEvent)
    if (reason !== undefined) {
      into.filtered[reason] += 1
      return undefined
    }
    const known = value as AuditEvent
    const told = line === undefined || wantsBodies ? known : withNeededBodies(known, line)
    const record = toRecord(told, resource, observed, redact)
    if (wantsBodies) addBodies(record, value as AuditEvent, options, line)
    into.records.push(record)
    return undefined
  }

  const list = (value: JsonMap, observed: HrTime, into: Decoded): void => {
    const { items } = value
    if (!isAuditVersion(value['apiVersion']) || !Array.isArray(items)) {
      into.malformed.push({ error: 'not a list of audit events: expected audit.k8s.io/v1 or v1beta1, and items' })
      return
    }
    for (let item = 0; item < items.length; item++) {
      const error = event(items[item], true, observed, into)
      if (error !== undefined) into.malformed.push({ error, item })
    }
  }

  const parsed = (value: unknown, observed: HrTime, into: Decoded, line?: string): void => {
    if (isMap(value) && value['kind'] === 'EventList') {
      list(value, observed, into)
      return
    }
    const error = event(value, false, observed, into, line)
    if (error !== undefined) into.malformed.push({ error })
  }

  return {
    line(text, observed, into) {
      if (skipsAnnouncements && isAnnouncement(text)) {
        into.filtered.stage += 1
        return
      }
      const value = wantsBodies ? parse(text) : parse(text, parseWithoutBodies)
      // V8's own message quotes the input, which may hold a secret.
      if (value === undefined) into.malformed.push({ error: 'not JSON' })
      else parsed(value, observed, into, text)
    },
    value: (value, observed, into) => parsed(value, observed, into),
  }
}

function parse(text: string, parser: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parser(text)
  } catch {
    return undefined
  }
}

/** Says why an event is not wanted; undefined when it is. */
function createFilter(options: AuditOptions): (event: AuditEvent) => FilterReason | undefined {
  const stages = new Set<unknown>(options.stages)
  const levels = options.levels === undefined ? undefined : new Set<unknown>(options.levels)
  const rules = [...(options.default_ignores ? DEFAULT_IGNORES : []), ...options.ignore]
  const ignores = rules.length > 0 ? compileIgnores(rules) : undefined
  const isRepeated = options.drop_duplicate_stages ? createStageMemory() : undefined
  return (event) => {
    if (!stages.has(event.stage)) return 'stage'
    if (levels !== undefined && !levels.has(event.level)) return 'level'
    if (ignores?.(event)) return 'ignored'
    if (isRepeated?.(event.auditID as string, event.stage as string, statusCode(event))) return 'duplicate_stage'
    return undefined
  }
}

/**
 * Bodies travel as text: as nested attributes they would burst every backend's limits. What is longer than `LIMITS.raw`
 * is cut, and the record says so. Changes `event`.
 */
function addBodies(record: LogRecord, event: AuditEvent, options: AuditOptions, line: string | undefined): void {
  const { redact_secrets: redact } = options
  if (redact) redactEvent(event)
  const { requestObject, responseObject } = event
  const cut: string[] = []
  const add = (name: string, text: string): void => {
    if (text.length > LIMITS.raw) cut.push(name)
    record.attributes[name] = bounded(text, LIMITS.raw)
  }
  if (options.include_request_object && requestObject !== undefined) {
    add('k8s.audit.request_object', stringify(requestObject))
  }
  if (options.include_response_object && responseObject !== undefined) {
    add('k8s.audit.response_object', stringify(responseObject))
  }
  if (options.include_raw) add('log.record.original', redact || line === undefined ? stringify(event) : line)
  if (cut.length === 0) return
  record.attributes['k8s.audit.cut'] = cut
  record.droppedAttributesCount += cut.length
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return '[too deep]' // Only where redaction, which cuts such depths, is off.
  }
}
