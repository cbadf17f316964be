/** Fields of an OTLP/JSON log record that have rules of their own. */
import type { LogRecord } from '../records/record.ts'
import { fieldOf, int32Of, type Json, textOf } from './json-fields.ts'
import { knownSeverity } from './limits.ts'

const SEVERITY_NAME = /^SEVERITY_NUMBER_(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([234]?)$/
const STEPS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

/** A number by the specification; the name of the enumeration is understood as well. */
export function severityNumberOf(record: Json): number {
  const value = fieldOf(record, 'severityNumber', 'severity_number')
  if (typeof value !== 'string' || /^\d+$/.test(value)) {
    return knownSeverity(int32Of(record, 'severityNumber', 'severity_number'))
  }
  const [, level = '', step = ''] = SEVERITY_NAME.exec(value) ?? []
  return level === '' ? 0 : STEPS.indexOf(level) * 4 + Number(step || 1)
}

const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/** The trace that a record belongs to; ids that are none are left out. The lower byte of the flags is that of the trace. */
export function spanContextOf(record: Json): LogRecord['spanContext'] {
  const traceId = textOf(record, 'traceId', 'trace_id').toLowerCase()
  const spanId = textOf(record, 'spanId', 'span_id').toLowerCase()
  const traceFlags = int32Of(record, 'flags', 'flags') & 0xff
  const hasTrace = /^[0-9a-f]{32}$/.test(traceId)
  const hasSpan = /^[0-9a-f]{16}$/.test(spanId)
  if (!hasTrace && !hasSpan && traceFlags === 0) return undefined
  return { traceId: hasTrace ? traceId : NO_TRACE, spanId: hasSpan ? spanId : NO_SPAN, traceFlags }
}
