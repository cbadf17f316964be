/** How actions are written: the Collector's keys, and `rename`, `target`, `from_resource` and `when` of ours. */
import { z } from 'zod'
import { attributeName, condition } from '../../src/conditions/schema.ts'
import { regex } from '../../src/config/values.ts'

const scalar = z.union([z.string(), z.number(), z.boolean()])
const value = z.union([scalar, z.array(scalar), z.record(attributeName, z.union([scalar, z.array(scalar)]))])

const fields = {
  key: attributeName.optional().describe('Attribute to act upon.'),
  action: z
    .enum(['insert', 'update', 'upsert', 'delete', 'hash', 'extract', 'convert', 'rename'])
    .describe(
      '`insert` sets what is not there, `update` what is there, `upsert` both; `delete`; `hash` (SHA-256); `extract` named groups of `pattern`; `convert` to another type; `rename` to `new_key`.',
    ),
  target: z
    .enum(['attributes', 'resource'])
    .default('attributes')
    .describe('What holds the attribute: the record, or its resource (the workload it came from).'),
  value: value.optional().describe('For insert, update, upsert: the value.'),
  from_attribute: attributeName
    .optional()
    .describe(
      'For insert, update, upsert: attribute of the record to take the value from; nothing happens without it.',
    ),
  from_resource: attributeName
    .optional()
    .describe('For insert, update, upsert: attribute of the resource to take the value from.'),
  default_value: value
    .optional()
    .describe('For insert, update, upsert: the value when the one to take it from is not there.'),
  pattern: regex()
    .optional()
    .describe(
      'For delete and hash: every attribute whose name matches. For extract: applied to the first 65,536 characters of the value; each named group becomes an attribute.',
    ),
  converted_type: z.enum(['int', 'double', 'string']).optional().describe('For convert: the type.'),
  new_key: attributeName.optional().describe('For rename: the new name. What had it before is replaced.'),
  when: condition.optional().describe('Do this only for records for which the condition holds.'),
}

type Fields = z.output<z.ZodObject<typeof fields>>
type Name = keyof Fields

const SOURCES = ['value', 'from_attribute', 'from_resource'] as const
/** Keys that belong to some actions only. */
const OWN: Readonly<Record<Fields['action'], readonly Name[]>> = {
  insert: [...SOURCES, 'default_value'],
  update: [...SOURCES, 'default_value'],
  upsert: [...SOURCES, 'default_value'],
  delete: ['pattern'],
  hash: ['pattern'],
  extract: ['pattern'],
  convert: ['converted_type'],
  rename: ['new_key'],
}
const SPECIAL: readonly Name[] = [...SOURCES, 'default_value', 'pattern', 'converted_type', 'new_key']

const action = z.strictObject(fields).superRefine((given, context) => {
  const say = (path: Name, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
  const own = OWN[given.action]
  for (const name of SPECIAL) {
    if (given[name] !== undefined && !own.includes(name)) say(name, `action ${given.action} does not use ${name}`)
  }
  for (const { path, message } of missing(given)) say(path, message)
})

interface Fault {
  readonly path: Name
  readonly message: string
}

function missing(given: Fields): Fault[] {
  const faults: Fault[] = []
  const need = (path: Name, why: string): void => {
    if (given[path] === undefined) faults.push({ path, message: `action ${given.action} needs ${why}` })
  }
  if (given.action === 'delete' || given.action === 'hash') {
    if (given.pattern === undefined) need('key', 'key, pattern or both')
    return faults
  }
  need('key', 'key')
  if (given.action === 'convert') need('converted_type', 'converted_type: int, double or string')
  else if (given.action === 'rename') need('new_key', 'new_key')
  else if (given.action === 'extract') faults.push(...patternFaults(given.pattern))
  else faults.push(...sourceFaults(given))
  return faults
}

function sourceFaults(given: Fields): Fault[] {
  const sources = SOURCES.filter((name) => given[name] !== undefined)
  if (sources.length === 0 && given.default_value === undefined) {
    return [{ path: 'value', message: `action ${given.action} needs value, from_attribute or from_resource` }]
  }
  const [, second] = sources
  return second === undefined ? [] : [{ path: second, message: `only one of ${SOURCES.join(', ')} can be given` }]
}

function patternFaults(pattern: RegExp | undefined): Fault[] {
  if (pattern === undefined) return [{ path: 'pattern', message: 'action extract needs pattern with named groups' }]
  const names = groupNames(pattern)
  const groups = (new RegExp(`${pattern.source}|`, pattern.flags).exec('')?.length ?? 1) - 1
  if (names.length === 0) return [{ path: 'pattern', message: 'has no named group, such as (?<user>[^@]+)' }]
  if (names.length < groups) return [{ path: 'pattern', message: 'has a group without a name; write (?:…) or name it' }]
  return names
    .filter((name) => name in Object.prototype)
    .map((name) => ({ path: 'pattern', message: `"${name}" is no name that an attribute can have` }))
}

/** The names of an expression's groups, in order. */
export function groupNames(pattern: RegExp): string[] {
  return Object.keys(new RegExp(`${pattern.source}|`, pattern.flags).exec('')?.groups ?? {})
}

export const config = z.strictObject({
  actions: z.array(action).min(1).describe('What to do, in this order.'),
  when: condition.optional().describe('Touch only records for which the condition holds.'),
})

export type Action = z.output<typeof action>
