/** Times of records: `[seconds, nanoseconds]` since the Unix epoch, as OpenTelemetry's `HrTime`. */
import type { HrTime } from '@opentelemetry/api'

export function nowHrTime(): HrTime {
  return millisToHrTime(Date.now())
}

export function millisToHrTime(millis: number): HrTime {
  const seconds = Math.floor(millis / 1000)
  return [seconds, Math.round((millis - seconds * 1000) * 1e6)]
}

export function hrTimeToMillis([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6
}

/** RFC 3339 with nine fractional digits, in UTC: `2026-01-02T03:04:05.000000006Z`. */
export function hrTimeToRfc3339([seconds, nanos]: HrTime): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`
}

/** Decimal nanoseconds as text, exact beyond 2^53: OTLP JSON's `timeUnixNano`. */
export function hrTimeToNanosText([seconds, nanos]: HrTime): string {
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(9, '0')}`
}
