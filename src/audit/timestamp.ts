/** RFC 3339 times of audit events, to the nanosecond and without a `Date` per event. */
import type { HrTime } from '../records/record.ts'
import { fitsNanos } from '../records/time.ts'

const LAST_YEAR = 2554

/**
 * `2026-01-02T03:04:05.123456Z` -> [1767323045, 123456000]. Any number of fractional digits (beyond nine are cut)
 * and any zone. Undefined for everything else, and for times that OTLP cannot carry: before 1970 (Go's zero time stands
 * for "not known") and after July 2554, where 64 bits of nanoseconds end.
 */
export function parseTimestamp(text: unknown): HrTime | undefined {
  if (typeof text !== 'string' || text.length < 20 || text.length > 64) return undefined
  const seconds = text.startsWith(lastSecond) ? lastSeconds : wholeSeconds(text)
  let at = 19
  let nanos = 0
  if (text.charCodeAt(at) === 46) {
    let scale = 100_000_000
    for (at += 1; isDigit(text.charCodeAt(at)); at++) {
      nanos += (text.charCodeAt(at) - 48) * scale
      scale = scale >= 10 ? scale / 10 : 0
    }
  }
  const time: HrTime = [seconds - zone(text, at), nanos]
  return fitsNanos(time) ? time : undefined // NaN, for whatever was not understood, is refused here.
}

// Most events are of the same second as the one before.
let lastSecond = '\0'
let lastSeconds = Number.NaN

/** Seconds since the epoch of `2026-01-02T03:04:05…`, before its zone is known, or NaN. */
function wholeSeconds(text: string): number {
  const year = two(text, 0) * 100 + two(text, 2)
  const time = clock(text)
  const days = daysSinceEpoch(year, two(text, 5), two(text, 8))
  if (!(days >= 0 && time >= 0 && year <= LAST_YEAR)) return Number.NaN
  lastSecond = text.slice(0, 19)
  lastSeconds = days * 86_400 + time
  return lastSeconds
}

/** Seconds from one time to a later one, in whole microseconds as the API server writes them; never negative. */
export function secondsBetween(from: HrTime, to: HrTime): number {
  const micros = Math.round((to[0] - from[0]) * 1e6 + (to[1] - from[1]) / 1e3)
  return micros > 0 ? micros / 1e6 : 0
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Two digits as a number, or NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at)
  const ones = text.charCodeAt(at + 1)
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : Number.NaN
}

/** Seconds into the day of `…Thh:mm:ss`, or NaN. */
function clock(text: string): number {
  const separators = text.charCodeAt(4) === 45 && text.charCodeAt(7) === 45 && (text.charCodeAt(10) | 32) === 116
  if (!separators || text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return Number.NaN
  const hours = two(text, 11)
  const minutes = two(text, 14)
  const seconds = two(text, 17)
  return hours < 24 && minutes < 60 && seconds <= 60 ? hours * 3600 + minutes * 60 + seconds : Number.NaN
}

/** Offset of the zone that starts at `at` and ends the text, in seconds, or NaN. */
function zone(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if ((code | 32) === 122) return text.length === at + 1 ? 0 : Number.NaN
  if ((code !== 43 && code !== 45) || text.length !== at + 6 || text.charCodeAt(at + 3) !== 58) return Number.NaN
  const offset = two(text, at + 1) * 3600 + two(text, at + 4) * 60
  return code === 45 ? -offset : offset
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return (MONTH_DAYS[month - 1] as number) + Number(month === 2 && isLeap)
}

/** Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible date algorithms"), or NaN. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return Number.NaN
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const ofEra = shifted - era * 400
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}
