/** Weir's own log: sentences with a full stop, facts as fields, never a word per record. */

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** The same log with these fields on every line. */
  child(fields: Fields): Logger
}

export interface LoggerOptions {
  readonly level: Level
  readonly encoding: 'json' | 'console'
  /** One line, without its newline. */
  readonly write: (line: string) => void
  /** Hears every line that is written, as facts. */
  readonly also?: ((level: Level, message: string, fields: Fields) => void) | undefined
  /** A message that repeats within this time is counted, and said once with the count. */
  readonly repeatMs?: number
  readonly now?: () => number
}

const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }

interface Repeated {
  since: number
  suppressed: number
}

/** Creates a logger. Repeats of one warning or error within `repeatMs` (10 s) are counted and said once. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, encoding, write, also, repeatMs = 10_000, now = Date.now } = options
  const seen = new Map<string, Repeated>()

  // Returns how many times the line was held back since it was last said, or -1 to hold it back again.
  const admit = (key: string): number => {
    const time = now()
    const known = seen.get(key)
    if (known !== undefined && time - known.since < repeatMs) {
      known.suppressed += 1
      return -1
    }
    if (seen.size > 1000) seen.clear()
    seen.set(key, { since: time, suppressed: 0 })
    return known?.suppressed ?? 0
  }

  const line = encoding === 'json' ? jsonLine : textLine
  const say = (at: Level, message: string, fields: Fields): void => {
    if (RANK[at] < RANK[level]) return
    const repeated = RANK[at] < RANK.warn ? 0 : admit(repeatKey(message, fields))
    if (repeated < 0) return
    const all = repeated > 0 ? { ...fields, repeated } : fields
    write(line(at, message, all, now()))
    also?.(at, message, all)
  }

  const build = (base: Fields): Logger => ({
    debug: (message, fields) => say('debug', message, { ...base, ...fields }),
    info: (message, fields) => say('info', message, { ...base, ...fields }),
    warn: (message, fields) => say('warn', message, { ...base, ...fields }),
    error: (message, fields) => say('error', message, { ...base, ...fields }),
    child: (fields) => build({ ...base, ...fields }),
  })
  return build({})
}

function repeatKey(message: string, fields: Fields): string {
  const error = fields['error']
  return `${message}|${fields['otelcol.component.id'] ?? ''}|${fields['reload'] ?? ''}|${error instanceof Error ? error.message : error}`
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const cause = value.cause instanceof Error ? `: ${value.cause.message}` : ''
  return `${value.message}${cause}`
}

function jsonLine(level: Level, message: string, fields: Fields, time: number): string {
  const shaped = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value)]))
  return JSON.stringify({ ts: new Date(time).toISOString(), level, msg: message, ...shaped })
}

function textLine(level: Level, message: string, fields: Fields, time: number): string {
  const facts = Object.entries(fields)
    .map(([key, value]) => ` ${key}=${quote(plain(value))}`)
    .join('')
  return `${new Date(time).toISOString()} ${level.padEnd(5)} ${message}${facts}`
}

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // JSON quoting also keeps control characters of untrusted input out of the terminal.
  return typeof value === 'string' && /[\s"=\p{C}]/u.test(text) ? JSON.stringify(text) : (text ?? '')
}

export const SILENT: Logger = createLogger({ level: 'error', encoding: 'console', write: () => {} })
