/**
 * Actions on resources. A resource is shared by many records and never changed: a record gets another one. Which one
 * is worked out once for each resource, so that a record costs a lookup.
 */
import { internResource } from '../../src/records/interning.ts'
import type { AnyValue, Attributes, LogRecord, Resource } from '../../src/records/record.ts'
import type { Change } from './actions.ts'
import type { Action } from './config.ts'

type Step = (record: LogRecord) => void

/** Changes that depend on nothing but the resource. */
export function exchange(changes: readonly Change[]): Step {
  const known = new WeakMap<Resource, Resource>()
  return (record) => {
    let mine = known.get(record.resource)
    if (mine === undefined) {
      const map = { ...record.resource.attributes } as Attributes
      let changed = false
      for (const change of changes) changed = change(map, record) || changed
      mine = changed ? internResource(map) : record.resource
      known.set(record.resource, mine)
    }
    record.resource = mine
  }
}

/** Different values that one action may put on resources; a user name is fine, a request id is not. */
export const MAX_VALUES = 1000
const MAX_TEXT = 256

/**
 * A value of the record becomes part of its resource. Requests may supply such values, and each makes resources of
 * its own: beyond `MAX_VALUES` different ones, and for long texts, lists and maps, the attribute goes on the record
 * instead, and `onKept` counts it.
 */
export function promote(action: Action, onKept: () => void): Step {
  const { from_attribute, default_value } = action
  const key = action.key as string
  const known = new WeakMap<Resource, Map<AnyValue, Resource>>()
  const values = new Set<AnyValue>()

  const isTaken = (value: AnyValue): boolean => {
    if (values.has(value) || value === default_value) return true
    if (typeof value === 'object' || (typeof value === 'string' && value.length > MAX_TEXT)) return false
    if (values.size >= MAX_VALUES) return false
    values.add(value)
    return true
  }

  return (record) => {
    const { resource } = record
    const value = record.attributes[from_attribute as string] ?? (default_value as AnyValue)
    const present = resource.attributes[key] as AnyValue
    if (value === undefined || value === present || !applies(action.action, present)) return
    if (!isTaken(value)) {
      record.attributes[key] = value
      onKept()
      return
    }
    const mine = known.get(resource) ?? new Map<AnyValue, Resource>()
    const made = mine.get(value) ?? internResource({ ...resource.attributes, [key]: value } as Attributes)
    if (mine.size === 0) known.set(resource, mine)
    mine.set(value, made)
    record.resource = made
  }
}

function applies(action: Action['action'], present: AnyValue): boolean {
  return action === 'upsert' || (present === undefined) === (action === 'insert')
}
