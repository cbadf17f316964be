/** Times as they stand in log lines. None is made of what OTLP cannot carry: before 1970, after July 2554. */
import type { HrTime } from '../../src/records/record.ts'
import { fitsNanos } from '../../src/records/time.ts'

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d{2}:?\d{2})?$/

let lastText = ''
let lastSeconds = 0

/** True for what is written like a time, whether or not there is such a time. */
export function isWrittenAsTime(text: string): boolean {
  return RFC3339.test(text)
}

/** RFC 3339, with up to nine digits of fraction kept; without a zone it is UTC. Undefined when it is none. */
export function parseTime(text: string): HrTime | undefined {
  const match = RFC3339.exec(text)
  if (match === null) return undefined
  const [, date = '', clock, fraction, zone = 'Z'] = match
  const offset = zone === 'Z' || zone === 'z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  const whole = `${date}T${clock}${offset}`
  // Lines come many to a second, and parsing a date is the dearest part of reading one.
  if (whole !== lastText) {
    const millis = isDate(date) ? Date.parse(whole) : Number.NaN
    if (Number.isNaN(millis)) return undefined
    lastText = whole
    lastSeconds = millis / 1000
  }
  const time: HrTime = [lastSeconds, fraction === undefined ? 0 : Number(fraction.padEnd(9, '0'))]
  return fitsNanos(time) ? time : undefined
}

/** `Date.parse` takes the 30th of February for a day in March. */
function isDate(date: string): boolean {
  const millis = Date.parse(date)
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(date)
}

const EPOCH = /^(\d{9,20})(?:\.(\d+))?$/

/**
 * A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size (1973 to 5138), from
 * its digits: a `number` does not hold all of those of nanoseconds.
 */
export function parseEpoch(text: string): HrTime | undefined {
  const match = EPOCH.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = ''] = match
  const value = Number(whole)
  if (value < 1e8) return undefined
  const places = value < 1e11 ? 0 : value < 1e14 ? 3 : value < 1e17 ? 6 : 9
  const point = whole.length - places
  const nanos = (whole.slice(point) + fraction).slice(0, 9).padEnd(9, '0')
  const time: HrTime = [Number(whole.slice(0, point)), Number(nanos)]
  return fitsNanos(time) ? time : undefined
}
