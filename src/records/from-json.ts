/** Reads the JSON form of a record that `recordToJson` writes. */
import type { HrTime } from '@opentelemetry/api'
import { z } from 'zod'
import { internScope, newResource } from './interning.ts'
import type { AnyValue, Attributes, LogRecord } from './record.ts'

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/

const time = z
  .string()
  .regex(RFC_3339, 'expected a time such as 2026-01-02T03:04:05Z')
  .transform((text): HrTime => {
    const [, seconds, fraction = ''] = RFC_3339.exec(text) ?? []
    return [Date.parse(`${seconds}Z`) / 1000, Number(fraction.padEnd(9, '0'))]
  })

const values = z.record(z.string(), z.unknown()).transform((map) => map as Attributes)

const form = z.object({
  time,
  observedTime: time,
  eventName: z.string(),
  severityNumber: z.number(),
  severity: z.string(),
  body: z.unknown().transform((body) => (body ?? '') as AnyValue),
  attributes: values,
  resource: values.prefault({}),
  scope: z.object({ name: z.string(), version: z.string().optional() }).prefault({ name: '' }),
})

/** Throws a sentence where `value` is no record. */
export function recordFromJson(value: unknown): LogRecord {
  const { data, error } = form.safeParse(value)
  if (error !== undefined) {
    const { path, message } = error.issues[0] ?? { path: [], message: 'it cannot be read' }
    throw new Error(`${path.join('.') || 'the record'}: ${message}`)
  }
  return {
    hrTime: data.time,
    hrTimeObserved: data.observedTime,
    eventName: data.eventName,
    severityNumber: data.severityNumber,
    severityText: data.severity,
    body: data.body,
    attributes: data.attributes,
    resource: newResource(data.resource),
    instrumentationScope: internScope(data.scope.name, data.scope.version),
    droppedAttributesCount: 0,
  }
}
