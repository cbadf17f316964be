/** Times of records: `[seconds, nanoseconds]` since the Unix epoch, as OpenTelemetry's `HrTime`. */
import type { HrTime } from '@opentelemetry/api'

export function nowHrTime(): HrTime {
  return millisToHrTime(Date.now())
}

export function millisToHrTime(millis: number): HrTime {
  const seconds = Math.floor(millis / 1000)
  return [seconds, Math.min(999_999_999, Math.round((millis - seconds * 1000) * 1e6))]
}

export function hrTimeToMillis([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6
}

/** The years that RFC 3339 can write, 0000 to 9999, in seconds since the Unix epoch. */
const FIRST_SECOND = -62_167_219_200
const LAST_SECOND = 253_402_300_799

/** RFC 3339 with nine fractional digits, in UTC: `2026-01-02T03:04:05.000000006Z`. Never throws. */
export function hrTimeToRfc3339([seconds, nanos]: HrTime): string {
  const writable = Math.min(LAST_SECOND, Math.max(FIRST_SECOND, seconds || 0))
  return `${new Date(writable * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`
}

/** Decimal nanoseconds as text, exact beyond 2^53: OTLP JSON's `timeUnixNano`. */
export function hrTimeToNanosText([seconds, nanos]: HrTime): string {
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(9, '0')}`
}
