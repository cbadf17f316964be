/**
 * Chooses the data stream of each record.
 *
 * A stream is made when the first document arrives, and each one costs the cluster shards and memory. So the names are
 * a closed set: what a record says counts only where the configuration lists it.
 */
import type { DataStream } from '../../src/ecs/document.ts'
import { groupOf } from '../../src/ecs/events.ts'
import { type Mode, SUFFIX } from '../../src/elastic/templates.ts'
import { EVENT_NAMES, isFinding } from '../../src/records/event-names.ts'
import type { LogRecord } from '../../src/records/record.ts'
import type { Config } from './config.ts'

export interface Stream {
  readonly index: string
  /** Undefined for an index that is no data stream of logs. */
  readonly names: DataStream | undefined
  /** The action line up to the id. */
  readonly action: string
}

const GROUPS: ReadonlySet<string> = new Set(EVENT_NAMES.map(groupOf))
const MAX_NAME = 100
const FORBIDDEN = /[\s\\/*?"<>|,#:-]/g

/** `kubernetes.audit_logs`, `weir.alerts`, `weir.process`: one of a few, whatever the name. */
export function defaultDataset(eventName: string): string {
  if (eventName === 'k8s.audit') return 'kubernetes.audit_logs'
  if (isFinding(eventName)) return 'weir.alerts'
  const group = groupOf(eventName)
  return `weir.${GROUPS.has(group) ? group : 'log'}`
}

/** A value as a name would have to be written. */
export function sanitised(value: string): string {
  return value.toLowerCase().replaceAll(FORBIDDEN, '_').slice(0, MAX_NAME)
}

type Part = 'dataset' | 'namespace'

/** Returns what finds the stream of a record. `onRefused` hears of values that are not allowed. */
export function createStreams(
  { data_stream: settings, logs_index: index, mapping }: Config,
  onRefused: (part: Part) => void,
): (record: LogRecord) => Stream {
  if (index !== undefined) {
    const fixed = toStream(index, namesOf(index))
    return () => fixed
  }
  const fromAttribute = (part: Part): ((record: LogRecord) => string | undefined) => {
    const dynamic = settings.dynamic[part]
    if (dynamic === undefined) return () => undefined
    const allowed = new Set(dynamic.allow)
    return ({ attributes, resource }) => {
      const value = attributes[dynamic.attribute] ?? resource.attributes[dynamic.attribute]
      if (value === undefined || value === null) return undefined
      const name = typeof value === 'string' ? sanitised(value) : ''
      if (allowed.has(name)) return name
      onRefused(part)
      return undefined
    }
  }
  const datasetOf = fromAttribute('dataset')
  const namespaceOf = fromAttribute('namespace')
  const known = new Map<string, Stream>()
  return (record) => {
    const dataset = datasetOf(record) ?? settings.dataset ?? defaultDataset(record.eventName)
    const namespace = namespaceOf(record) ?? settings.namespace
    const key = `${dataset}-${namespace}`
    const hit = known.get(key)
    if (hit !== undefined) return hit
    const names = { dataset: dataset + SUFFIX[mapping.mode as Mode], namespace }
    const made = toStream(`logs-${names.dataset}-${namespace}`, names)
    known.set(key, made)
    return made
  }
}

function toStream(index: string, names: DataStream | undefined): Stream {
  return { index, names, action: `{"create":{"_index":${JSON.stringify(index)}` }
}

/** `logs-a-b` is a data stream, and its documents have to say so. */
function namesOf(index: string): DataStream | undefined {
  const [, dataset, namespace] = /^logs-([^-]+)-([^-]+)$/.exec(index) ?? []
  return dataset === undefined || namespace === undefined ? undefined : { dataset, namespace }
}
