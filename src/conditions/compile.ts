/** Turns conditions into closures once, so that a record costs a few comparisons and allocates nothing. */
import type { AnyValue, LogRecord } from '../records/record.ts'
import { SEVERITY } from '../records/severity.ts'
import { hrTimeToMillis } from '../records/time.ts'
import type { Condition, Named, SeverityRange, ValueTests } from './schema.ts'

/** Texts are as long as whoever made the record likes; a pattern may cost more than their length. */
const MAX_MATCHED = 65_536

export type Predicate = (record: LogRecord) => boolean
type ValuePredicate = (value: AnyValue) => boolean

export function compileCondition(condition: Condition): Predicate {
  if ('all' in condition) return every(condition.all.map(compileCondition))
  if ('any' in condition) return compileAny(condition.any)
  if ('not' in condition) {
    const inner = compileCondition(condition.not)
    return (record) => !inner(record)
  }
  if ('severity' in condition) return compileSeverity(condition.severity)
  if ('event_name' in condition) {
    const test = compileNamed(condition.event_name)
    return (record) => test(record.eventName)
  }
  if ('body' in condition) {
    const test = compileNamed(condition.body)
    return (record) => test(record.body)
  }
  if ('older_than' in condition) return compileAge(condition.older_than)
  const test = compileTests(condition)
  if ('attribute' in condition) {
    const { attribute } = condition
    return (record) => test(record.attributes[attribute])
  }
  const { resource } = condition
  return (record) => test(record.resource.attributes[resource])
}

function every(predicates: readonly Predicate[]): Predicate {
  return (record) => {
    for (const holds of predicates) if (!holds(record)) return false
    return true
  }
}

/** True for a record for which at least one holds. */
export function compileAny(conditions: readonly Condition[]): Predicate {
  return some(conditions.map(compileCondition))
}

function some(predicates: readonly Predicate[]): Predicate {
  return (record) => {
    for (const holds of predicates) if (holds(record)) return true
    return false
  }
}

/** A level by name is a range of numbers: `warn` is 13 to 16. `low` is one number, within `info`. */
function compileSeverity(range: SeverityRange): Predicate {
  const { min, max } = typeof range === 'object' ? range : { min: range, max: range }
  const from = min === undefined ? 0 : numberOf(min)
  const to = max === undefined ? 24 : numberOf(max) + (typeof max === 'number' || max === 'low' ? 0 : 3)
  return ({ severityNumber }) => severityNumber >= from && severityNumber <= to
}

/** A record without a time (0, as senders write that do not know it) has no age. */
function compileAge(limitMs: number): Predicate {
  return ({ hrTime }) => {
    const [seconds] = hrTime
    return seconds > 0 && hrTimeToMillis(hrTime) < Date.now() - limitMs
  }
}

function numberOf(level: string | number): number {
  return typeof level === 'number' ? level : SEVERITY[level as keyof typeof SEVERITY]
}

function compileNamed(named: Named): ValuePredicate {
  if (typeof named === 'string') return (value) => value === named
  if (!Array.isArray(named)) return compileTests(named as ValueTests)
  const set = new Set<AnyValue>(named)
  return (value) => set.has(value)
}

function compileTests(tests: ValueTests): ValuePredicate {
  const all = [...identityTests(tests), ...textTests(tests), ...numberTests(tests)]
  const [only] = all
  if (only !== undefined && all.length === 1) return only
  return (value) => {
    for (const holds of all) if (!holds(value)) return false
    return true
  }
}

function identityTests({ equals, in: list, exists }: ValueTests): ValuePredicate[] {
  const all: ValuePredicate[] = []
  if (equals !== undefined) all.push((value) => value === equals)
  if (list !== undefined) {
    const set = new Set<AnyValue>(list)
    all.push((value) => set.has(value))
  }
  if (exists !== undefined) all.push((value) => (value !== undefined && value !== null) === exists)
  return all
}

function textTests({ prefix, suffix, contains, matches }: ValueTests): ValuePredicate[] {
  const all: ValuePredicate[] = []
  if (prefix !== undefined) all.push((value) => typeof value === 'string' && value.startsWith(prefix))
  if (suffix !== undefined) all.push((value) => typeof value === 'string' && value.endsWith(suffix))
  if (contains !== undefined) {
    all.push((value) => (typeof value === 'string' || Array.isArray(value)) && value.includes(contains))
  }
  if (matches !== undefined) {
    all.push(
      (value) =>
        typeof value === 'string' && matches.test(value.length > MAX_MATCHED ? value.slice(0, MAX_MATCHED) : value),
    )
  }
  return all
}

function numberTests({ gt, gte, lt, lte }: ValueTests): ValuePredicate[] {
  const all: ValuePredicate[] = []
  if (gt !== undefined) all.push((value) => typeof value === 'number' && value > gt)
  if (gte !== undefined) all.push((value) => typeof value === 'number' && value >= gte)
  if (lt !== undefined) all.push((value) => typeof value === 'number' && value < lt)
  if (lte !== undefined) all.push((value) => typeof value === 'number' && value <= lte)
  return all
}
