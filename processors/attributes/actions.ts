/** Turns actions into closures once, so that a record costs a few property reads and allocates nothing. */
import { boundedCache } from '../../src/records/bounded-cache.ts'
import type { AnyValue, Attributes, LogRecord } from '../../src/records/record.ts'
import { type Action, groupNames } from './config.ts'
import { convertValue } from './convert.ts'
import { hashValue } from './hash.ts'

/** Changes `map`, the attributes of `record` or of its resource. Says whether it did. */
export type Change = (map: Attributes, record: LogRecord) => boolean
/** Where a value comes from; undefined when it is not there. */
type Source = (map: Attributes, record: LogRecord) => AnyValue

const MAX_EXTRACTED_FROM = 65_536
const KNOWN_NAMES = 4096

export function compileAction(action: Action): Change {
  const key = action.key as string
  switch (action.action) {
    case 'insert':
    case 'update':
    case 'upsert':
      return put(action.action, key, sourceOf(action))
    case 'delete':
      return onEach(action, (map, name) => delete map[name])
    case 'hash':
      return onEach(action, (map, name) => set(map, name, hashValue(map[name])))
    case 'extract':
      return extract(key, action.pattern as RegExp)
    case 'convert': {
      const to = action.converted_type ?? 'string'
      return (map) => map[key] !== undefined && set(map, key, convertValue(map[key], to))
    }
    case 'rename':
      return rename(key, action.new_key as string)
  }
}

function set(map: Attributes, key: string, value: AnyValue): boolean {
  if (map[key] === value) return false
  map[key] = value
  return true
}

function put(action: 'insert' | 'update' | 'upsert', key: string, source: Source): Change {
  return (map, record) => {
    if (action !== 'upsert' && (map[key] === undefined) !== (action === 'insert')) return false
    const value = source(map, record)
    return value !== undefined && set(map, key, value)
  }
}

function sourceOf({ target, value, from_attribute, from_resource, default_value }: Action): Source {
  const otherwise = default_value as AnyValue
  if (from_attribute !== undefined) return (_, record) => record.attributes[from_attribute] ?? otherwise
  if (from_resource !== undefined) {
    return target === 'resource'
      ? (map) => map[from_resource] ?? otherwise
      : (_, { resource }) => (resource.attributes as Attributes)[from_resource] ?? otherwise
  }
  const given = (value as AnyValue) ?? otherwise
  return () => given
}

/** For the attribute of that name and for those whose names match the pattern. */
function onEach({ key, pattern }: Action, change: (map: Attributes, name: string) => boolean): Change {
  const one: Change = (map) => key !== undefined && map[key] !== undefined && change(map, key)
  if (pattern === undefined) return one
  const matches = boundedCache(KNOWN_NAMES, (name) => name !== key && pattern.test(name.slice(0, MAX_EXTRACTED_FROM)))
  return (map, record) => {
    let changed = one(map, record)
    for (const name in map) if (matches(name)) changed = change(map, name) || changed
    return changed
  }
}

function extract(key: string, pattern: RegExp): Change {
  const names = groupNames(pattern)
  return (map) => {
    const value = map[key]
    if (typeof value !== 'string') return false
    const match = pattern.exec(value.length > MAX_EXTRACTED_FROM ? value.slice(0, MAX_EXTRACTED_FROM) : value)
    if (match === null) return false
    // A group that took no part is an empty text, as in the Collector.
    for (const name of names) map[name] = match.groups?.[name]?.toWellFormed() ?? ''
    return true
  }
}

function rename(key: string, newKey: string): Change {
  return (map) => {
    const value = map[key]
    if (value === undefined || key === newKey) return false
    delete map[key]
    map[newKey] = value
    return true
  }
}
