/**
 * The record: what flows through every pipeline.
 *
 * Structurally an OpenTelemetry `ReadableLogRecord`, so that any OpenTelemetry exporter
 * can be handed one as it is. `attributes` may be changed in place by the pipeline that owns
 * the record; `resource` and `instrumentationScope` are interned and never changed, only
 * exchanged for another (see `interning.ts`).
 */
import type { AnyValue, HrTime, SpanContext } from '@opentelemetry/api'
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs'
import type { Severity } from './severity.ts'

export type { AnyValue, HrTime }

/** Flat map of dotted names. Values are finite numbers, well-formed strings, booleans, or arrays and maps of them. */
export type Attributes = Record<string, AnyValue>

export type Resource = ReadableLogRecord['resource']
export type Scope = ReadableLogRecord['instrumentationScope']

export interface LogRecord {
  /** When it happened, `[seconds, nanoseconds]` since the Unix epoch. */
  hrTime: HrTime
  /** When Weir saw it. */
  hrTimeObserved: HrTime
  /** What happened: a name of the closed list in `event-names.ts`. */
  eventName: string
  severityNumber: Severity
  severityText: string
  /** One line that a person can read. */
  body: AnyValue
  attributes: Attributes
  resource: Resource
  instrumentationScope: Scope
  droppedAttributesCount: number
  spanContext?: SpanContext
}

/** A copy that another pipeline may change: its own attributes, everything immutable shared. */
export function copyRecord(record: LogRecord): LogRecord {
  return { ...record, attributes: { ...record.attributes } }
}

export function copyRecords(records: readonly LogRecord[]): LogRecord[] {
  return records.map(copyRecord)
}
