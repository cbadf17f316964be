/** Values as a person would write them: the inverse of the readers in `values.ts`. */
import { parseByteSize, parseDuration } from './values.ts'

const DURATIONS: readonly (readonly [string, number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]

/** 90000 -> `1m30s`. Durations below a millisecond are given in nanoseconds. */
export function formatDuration(millis: number): string {
  if (!Number.isInteger(millis)) return `${Math.round(millis * 1e6)}ns`
  let rest = millis
  let text = ''
  for (const [unit, size] of DURATIONS) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return parseDuration(text) === millis ? text : '0s'
}

/** 65536 -> `64KiB`, 1000000 -> `1MB`; what has no round form stays a number. */
export function formatByteSize(bytes: number): string | number {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'KB']) {
    const size = parseByteSize(`1${unit}`) as number
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return bytes
}
