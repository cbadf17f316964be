/** OpenTelemetry severity numbers (logs data model, "Severity Fields") under the names Weir uses. */
export const SEVERITY = { trace: 1, debug: 5, info: 9, low: 10, warn: 13, error: 17, fatal: 21 } as const

/** 1 to 24; 0 means "not specified", which Weir never emits. */
export type Severity = number

const NAMES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const

/** `9` -> `INFO`, `10` -> `INFO2`: the short names of the data model. */
export function severityName(severity: Severity): string {
  if (!(severity >= 1 && severity <= 24)) return 'UNSPECIFIED'
  const step = (severity - 1) & 3
  const name = NAMES[(severity - 1) >> 2] as string
  return step === 0 ? name : `${name}${step + 1}`
}
