/** Times as JSON text. */
import type { HrTime } from '../records/record.ts'

/** The years that RFC 3339 can write, in seconds since the Unix epoch. */
const FIRST_SECOND = -62_167_219_200
const LAST_SECOND = 253_402_300_799

/** Texts of seconds, by their last bits: records of one second come together, and so do two times of one record. */
const SLOTS = 64
const slotSeconds = new Float64Array(SLOTS).fill(Number.NaN)
const slotTexts: string[] = new Array(SLOTS).fill('')

/** `"2026-01-02T03:04:05.000000006Z"` with its quotes. Total: what is no time is written as the nearest that is one. */
export function timeText([seconds, nanos]: HrTime): string {
  const slot = seconds & (SLOTS - 1)
  if (slotSeconds[slot] !== seconds) {
    const writable = Math.trunc(Math.min(LAST_SECOND, Math.max(FIRST_SECOND, seconds || 0)))
    slotTexts[slot] = `"${new Date(writable * 1000).toISOString().slice(0, 19)}.`
    slotSeconds[slot] = seconds
  }
  const fraction = nanos >= 0 && nanos <= 999_999_999 ? Math.trunc(nanos) : 0
  return `${slotTexts[slot]}${String(1_000_000_000 + fraction).slice(1)}Z"`
}
