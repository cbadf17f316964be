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
  if (seconds !== lastSecond) {
    const writable = Math.min(LAST_SECOND, Math.max(FIRST_SECOND, seconds || 0))
    lastText = new Date(writable * 1000).toISOString().slice(0, 19)
    lastSecond = seconds
  }
  return `${lastText}.${String(nanos).padStart(9, '0')}Z`
}

/** Times come in order, mostly: many of one second. */
let lastSecond = Number.NaN
let lastText = ''

/** The last whole second whose nanoseconds fit 64 bits: in July 2554. */
const LAST_NANO_SECOND = 18_446_744_072

/** False for times before 1970 and after 2554, and for what is no time at all. */
export function fitsNanos([seconds, nanos]: HrTime): boolean {
  return seconds >= 0 && seconds <= LAST_NANO_SECOND && nanos >= 0 && nanos <= 999_999_999
}

/** Decimal nanoseconds as text, exact beyond 2^53: OTLP JSON's `timeUnixNano`. `0`, which means unknown, for a time that does not fit. */
export function hrTimeToNanosText(time: HrTime): string {
  if (!fitsNanos(time)) return '0'
  const [seconds, nanos] = time
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(9, '0')}`
}
