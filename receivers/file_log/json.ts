/** JSON lines: one object a line, its members as attributes under dotted names. */
import type { AnyValue, Attributes, HrTime, LogRecord } from '../../src/records/record.ts'
import { severityOf } from '../../src/records/severity-names.ts'
import type { FileLogOptions } from './config.ts'
import type { LineReader } from './take.ts'
import { parseEpoch, parseTime } from './time.ts'

const MAX_DEPTH = 8
const MAX_ATTRIBUTES = 256
/** Stands for the empty key, which no backend accepts as the name of an attribute. */
const NAMELESS = '_'

interface Flat {
  readonly values: Map<string, AnyValue>
  dropped: number
}

export function jsonReader(options: FileLogOptions): LineReader {
  const { time, severity, message } = options.json
  return {
    heldFrom: undefined,
    read(line, offset, out) {
      if (line.trim() === '') return
      let parsed: unknown
      try {
        parsed = parse(line)
      } catch (error) {
        return out.reject(`not JSON: ${(error as Error).message}`, line, offset)
      }
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
        return out.reject('not a JSON object', line, offset)
      }
      const flat: Flat = { values: new Map(), dropped: 0 }
      flatten(parsed as Record<string, unknown>, '', 1, flat)
      const { values } = flat
      const body = pick(values, message, (value) => (typeof value === 'string' ? value : undefined))
      const record = out.record(body ?? line.toWellFormed(), offset)
      record.hrTime = pick(values, time, timeOf) ?? record.hrTime
      setSeverity(record, pick(values, severity, severityOf))
      // What Weir says about the record stands above what the record says.
      record.attributes = withOwn(values, record.attributes)
      record.droppedAttributesCount = flat.dropped
    },
    flush() {},
    reset() {},
  }
}

function setSeverity(record: LogRecord, severity: ReturnType<typeof severityOf>): void {
  if (severity === undefined) return
  record.severityNumber = severity.number
  record.severityText = severity.text
}

function withOwn(values: ReadonlyMap<string, AnyValue>, own: Attributes): Attributes {
  const attributes: Attributes = {}
  for (const [key, value] of values) attributes[key] = value
  return Object.assign(attributes, own)
}

/** The first of these keys that holds something of use, which is taken out of the values. */
function pick<T>(
  values: Map<string, AnyValue>,
  keys: readonly string[],
  read: (value: AnyValue) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const value = values.get(key)
    const result = value === undefined ? undefined : read(value)
    if (result === undefined) continue
    values.delete(key)
    return result
  }
  return undefined
}

function timeOf(value: AnyValue): HrTime | undefined {
  if (typeof value === 'number') return parseEpoch(String(value))
  return typeof value === 'string' ? (parseTime(value) ?? parseEpoch(value)) : undefined
}

/** What may be a number that JavaScript does not hold: an integer beyond 2^53, or one beyond all bounds. */
const MAY_BE_LARGE = /\d{16}|\d[Ee]\+?\d{3}/

/** Numbers that would lose digits come as the text they were. */
function parse(line: string): unknown {
  return MAY_BE_LARGE.test(line)
    ? JSON.parse(line, keepDigits as (key: string, value: unknown) => unknown)
    : JSON.parse(line)
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value
  return Number.isFinite(value) && !/^-?\d+$/.test(source) ? value : source
}

function flatten(object: Readonly<Record<string, unknown>>, prefix: string, depth: number, into: Flat): void {
  for (const [name, value] of Object.entries(object)) {
    const key = (prefix + (name || NAMELESS)).toWellFormed()
    if (value === null || key === '__proto__') continue
    if (typeof value === 'object' && !Array.isArray(value) && depth < MAX_DEPTH) {
      flatten(value as Record<string, unknown>, `${key}.`, depth + 1, into)
    } else if (into.values.size >= MAX_ATTRIBUTES) into.dropped += 1
    else into.values.set(key, attributeValue(value))
  }
}

function attributeValue(value: unknown): AnyValue {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.map((item) => item.toWellFormed())
  if (Array.isArray(value) && value.every(isPlain)) return value as AnyValue
  return JSON.stringify(value) // Whatever is nested deeper stays readable, as text.
}

function isPlain(item: unknown): boolean {
  return typeof item === 'boolean' || (typeof item === 'number' && Number.isFinite(item))
}
