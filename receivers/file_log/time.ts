/** Times as they stand in log lines. */
import type { HrTime } from '../../src/records/record.ts'

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d{2}:?\d{2})?$/

let lastText = ''
let lastSeconds = 0

/** RFC 3339, with up to nine digits of fraction kept; without a zone it is UTC. Undefined when it is none. */
export function parseTime(text: string): HrTime | undefined {
  const match = RFC3339.exec(text)
  if (match === null) return undefined
  const [, date, clock, fraction, zone = 'Z'] = match
  const offset = zone === 'Z' || zone === 'z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  const whole = `${date}T${clock}${offset}`
  // Lines come many to a second, and parsing a date is the dearest part of reading one.
  if (whole !== lastText) {
    const millis = Date.parse(whole)
    if (Number.isNaN(millis)) return undefined
    lastText = whole
    lastSeconds = millis / 1000
  }
  return [lastSeconds, fraction === undefined ? 0 : Number(fraction.padEnd(9, '0'))]
}

/** A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size (1973 to 5138). */
export function parseEpoch(value: number): HrTime | undefined {
  if (!(value >= 1e8)) return undefined
  const scale = value < 1e11 ? 1 : value < 1e14 ? 1e3 : value < 1e17 ? 1e6 : 1e9
  const seconds = Math.floor(value / scale)
  return [seconds, Math.min(999_999_999, Math.round((value - seconds * scale) * (1e9 / scale)))]
}
