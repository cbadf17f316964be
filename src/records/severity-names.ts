/** Severities as applications write them. */
import type { AnyValue } from './record.ts'
import { type Severity, severityName } from './severity.ts'

const NAMES: ReadonlyMap<string, Severity> = new Map([
  ['trace', 1],
  ['verbose', 1],
  ['debug', 5],
  ['dbg', 5],
  ['d', 5],
  ['info', 9],
  ['information', 9],
  ['informational', 9],
  ['i', 9],
  ['notice', 10],
  ['warn', 13],
  ['warning', 13],
  ['w', 13],
  ['error', 17],
  ['err', 17],
  ['e', 17],
  ['severe', 17],
  ['critical', 18],
  ['crit', 18],
  ['alert', 19],
  ['fatal', 21],
  ['panic', 21],
  ['dpanic', 21],
  ['emerg', 21],
  ['emergency', 21],
  ['f', 21],
])

export interface NamedSeverity {
  readonly number: Severity
  readonly text: string
}

/** A name in any case, or a pino level (10 trace to 60 fatal). Undefined when it is neither. */
export function severityOf(value: AnyValue): NamedSeverity | undefined {
  if (typeof value === 'string') {
    const number = NAMES.get(value.toLowerCase())
    return number === undefined ? undefined : { number, text: value }
  }
  if (typeof value !== 'number' || value < 10 || value > 60) return undefined
  const number = (Math.floor(value / 10) - 1) * 4 + 1
  return { number, text: severityName(number) }
}
