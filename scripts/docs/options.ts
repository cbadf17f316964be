/** The options of a component as a table, from the JSON Schema that zod makes of its configuration. */
import { z } from 'zod'
import type { AnyDefinition } from '../../src/component.ts'

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly $ref?: string
  readonly secret?: boolean
}

export interface Option {
  readonly key: string
  readonly type: string
  readonly default: string
  readonly meaning: string
}

export function optionsOf(definition: AnyDefinition): Option[] {
  const schema = z.toJSONSchema(definition.config, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  return flatten(schema, '', 0)
}

function flatten(schema: JsonSchema, prefix: string, depth: number): Option[] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`
    const section = depth < 4 ? sectionOf(property) : undefined
    const nested = section !== undefined
    const own: Option = {
      key,
      type: nested ? 'section' : typeName(property),
      default: nested ? '' : defaultText(property, required.has(name)),
      meaning: property.description ?? '',
    }
    const inner = property.items?.properties === undefined ? [] : flatten(property.items, `${key}[].`, depth + 1)
    return [own, ...(nested ? flatten(section, `${key}.`, depth + 1) : inner)]
  })
}

/** What has keys of its own; a section may be nothing, which means its defaults. */
function sectionOf(schema: JsonSchema): JsonSchema | undefined {
  const branches = (schema.anyOf ?? [schema]).filter(({ type }) => type !== 'null')
  const [only] = branches
  return branches.length === 1 && only?.type === 'object' && only.properties !== undefined ? only : undefined
}

function defaultText(schema: JsonSchema, required: boolean): string {
  if (schema.default !== undefined) return code(JSON.stringify(schema.default).replace(/^"(.*)"$/, '$1'))
  return required ? '**required**' : ''
}

function typeName(schema: JsonSchema): string {
  if (schema.secret) return 'secret'
  if (schema.format === 'duration') return 'duration'
  if (schema.format === 'byte-size') return 'size'
  if (schema.format === 'regex') return 'regular expression'
  if (schema.$ref !== undefined) return schema.$ref.replace(/^.*\//, '')
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(' \\| ')
  if (schema.const !== undefined) return code(String(schema.const))
  const branches = schema.anyOf ?? schema.oneOf
  if (branches !== undefined) return [...new Set(branches.map(typeName))].join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeName(schema.items)}`
  if (schema.type === 'object') return mapName(schema)
  return String(schema.type ?? 'any')
}

function mapName({ additionalProperties, properties }: JsonSchema): string {
  if (properties !== undefined) return 'section'
  return typeof additionalProperties === 'object' ? `map of ${typeName(additionalProperties)}` : 'map'
}

export function code(text: string): string {
  return text === '' ? '``' : `\`${text.replaceAll('|', '\\|')}\``
}
