/** All fields there are, each with a number; fields that share a parent have neighbouring numbers. */
import { AUDIT_TABLE } from './audit-table.ts'
import { COMPUTED } from './computed.ts'
import { ECS_TABLE } from './table.ts'
import { type FieldType, type Target, targetsOf } from './types.ts'

export interface Field {
  readonly name: string
  readonly path: readonly string[]
  readonly type: FieldType
}

function allTargets(): Target[] {
  const tables = [ECS_TABLE, AUDIT_TABLE].flatMap((table) => Object.values(table).flatMap(targetsOf))
  return [...tables, ...COMPUTED]
}

function collect(): Field[] {
  const types = new Map<string, FieldType>()
  for (const { field, type } of allTargets()) {
    if ((types.get(field) ?? type) !== type) throw new Error(`the field ${field} has two types`)
    types.set(field, type)
  }
  return [...types].map(([name, type]) => ({ name, path: name.split('.'), type })).toSorted(byPath)
}

function byPath(a: Field, b: Field): number {
  const length = Math.min(a.path.length, b.path.length)
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.path[i] as string, b.path[i] as string]
    if (left !== right) return left < right ? -1 : 1
  }
  throw new Error(`the field ${a.name} is both a value and a map: ${b.name}`)
}

/** In the order in which a document holds them. */
export const FIELDS: readonly Field[] = collect()

const numbers = new Map(FIELDS.map(({ name }, i) => [name, i]))

/** The number of a field. Throws for one that is in no table. */
export function fieldNumber(name: string): number {
  const number = numbers.get(name)
  if (number === undefined) throw new Error(`there is no field ${name}`)
  return number
}
