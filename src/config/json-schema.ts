/** The JSON Schema (draft 2020-12) of a whole configuration file, for editors. */
import { z } from 'zod'
import type { AnyDefinition, Registry } from '../component.ts'
import { SECTION_NAMES, type Section } from './ids.ts'
import { filled } from './resolved.ts'
import { definitionOf } from './schema-walk.ts'
import { serviceSchema } from './service.ts'

export type JsonSchema = { [key: string]: unknown }

/** What may stand in place of any value: an expansion, or nothing at all, which means the default. */
const EXPANSION: JsonSchema = {
  type: ['string', 'null'],
  pattern: '\\$\\{.+\\}',
  description: 'An expansion such as ${env:NAME}, ${env:NAME:-default} or ${file:path}.',
}
const EXPANSION_REF = '#/$defs/expansion'

export function configSchema(registry: Registry): JsonSchema {
  const defs: JsonSchema = { expansion: EXPANSION }
  const properties: JsonSchema = {}
  for (const section of SECTION_NAMES) properties[section] = sectionSchema(section, registry, defs)
  properties['service'] = service(registry, defs)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Weir configuration',
    description: 'A configuration in the language of the OpenTelemetry Collector.',
    type: 'object',
    properties,
    additionalProperties: false,
    $defs: defs,
  }
}

function sectionSchema(section: Section, registry: Registry, defs: JsonSchema): JsonSchema {
  const patternProperties: JsonSchema = {}
  for (const definition of registry[section] as readonly AnyDefinition[]) {
    const name = `${section}.${definition.type}`
    defs[name] = componentSchema(definition, name, defs)
    const $ref = `#/$defs/${name}`
    patternProperties[idPattern(definition.type)] = { $ref }
    for (const alias of definition.aliases ?? []) {
      patternProperties[idPattern(alias)] = {
        $ref,
        deprecated: true,
        description: `The old name of ${definition.type}: ${definition.summary}`,
      }
    }
  }
  return orExpansion({
    description: `The ${section}, each by its id: type or type/name.`,
    type: 'object',
    patternProperties,
    additionalProperties: false,
  })
}

function idPattern(type: string): string {
  return `^${type}(/.+)?$`
}

function componentSchema(definition: AnyDefinition, name: string, defs: JsonSchema): JsonSchema {
  const schema = converted(definition.config, name, defs)
  return orExpansion({ ...schema, description: `${definition.summary} (${definition.kind}, ${definition.stability})` })
}

function service(registry: Registry, defs: JsonSchema): JsonSchema {
  const schema = converted(serviceSchema, 'service', defs)
  const properties = schema['properties'] as JsonSchema
  const ids = (...sections: Section[]): JsonSchema => {
    const types = sections.flatMap((section) =>
      (registry[section] as readonly AnyDefinition[]).flatMap(({ type, aliases = [] }) => [type, ...aliases]),
    )
    const kinds = sections.join(' or ')
    const items = {
      type: 'string',
      pattern: `^(${types.join('|')})(/.+)?$`,
      description: `The id of one of the ${kinds}.`,
    }
    return orExpansion({ type: 'array', items: orExpansion(items) })
  }
  properties['extensions'] = { ...ids('extensions'), description: 'Extensions to start, in this order.' }
  properties['pipelines'] = orExpansion({
    description: 'How components are joined: logs, or logs/name for each further pipeline.',
    type: 'object',
    minProperties: 1,
    additionalProperties: false,
    patternProperties: {
      '^logs(/.+)?$': {
        type: 'object',
        properties: {
          receivers: ids('receivers', 'connectors'),
          processors: ids('processors'),
          exporters: ids('exporters', 'connectors'),
        },
        required: ['receivers', 'exporters'],
        additionalProperties: false,
      },
    },
  })
  return orExpansion({ ...schema, description: 'Pipelines, extensions, and what is not about one component.' })
}

/** A zod schema as JSON Schema in which expansions are allowed everywhere. Its own definitions go to `defs`. */
function converted(schema: z.ZodType, name: string, defs: JsonSchema): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (definitionOf(zodSchema).type !== 'default') return
      // zod leaves out defaults that a transform made; users want to read them as they would write them.
      jsonSchema.default = filled(zodSchema, undefined, { redact: true }) as never
    },
  }) as JsonSchema
  const { $schema: _, $defs: own = {}, ...rest } = made
  const prefix = `${name}.`
  for (const [key, value] of Object.entries(own as JsonSchema)) {
    defs[prefix + key] = relaxed(value as JsonSchema, prefix)
  }
  return relaxed(rest, prefix, name)
}

/** Where JSON Schema holds further schemas: `value` where a value of the file stands, which may be an expansion. */
const HOLDS: Readonly<Record<string, 'schema' | 'schemas' | 'value' | 'values' | 'named values'>> = {
  not: 'schema',
  propertyNames: 'schema',
  anyOf: 'schemas',
  oneOf: 'schemas',
  allOf: 'schemas',
  items: 'value',
  additionalProperties: 'value',
  prefixItems: 'values',
  properties: 'named values',
  patternProperties: 'named values',
}

function relaxed(schema: JsonSchema, prefix: string, root?: string): JsonSchema {
  const deep = (value: unknown): JsonSchema => relaxed(value as JsonSchema, prefix, root)
  const value = (each: unknown): unknown => (typeof each === 'object' ? orExpansion(deep(each)) : each)
  const convert = (key: string, held: unknown): unknown => {
    switch (HOLDS[key]) {
      case 'schema':
        return deep(held)
      case 'schemas':
        return (held as unknown[]).map(deep)
      case 'value':
        return value(held)
      case 'values':
        return (held as unknown[]).map(value)
      case 'named values':
        return Object.fromEntries(Object.entries(held as JsonSchema).map(([name, each]) => [name, value(each)]))
      default:
        return key === '$ref' ? rebased(String(held), prefix, root) : held
    }
  }
  // An expansion may fit several branches of a `oneOf`.
  return Object.fromEntries(
    Object.entries(formatted(schema)).map(([key, held]) => [key === 'oneOf' ? 'anyOf' : key, convert(key, held)]),
  )
}

/** References of a component's schema to its own parts, which now stand under another name. */
function rebased(reference: string, prefix: string, root: string | undefined): string {
  if (reference === '#') return `#/$defs/${root ?? prefix.slice(0, -1)}`
  return reference.replace('#/$defs/', `#/$defs/${prefix}`)
}

const DURATION = '^(0|(\\d+(\\.\\d+)?(ns|us|µs|ms|s|m|h|d))+)$'
const BYTE_SIZE = '^\\d+(\\.\\d+)?\\s*[kKmMgGtT]?[iI]?[bB]?$'

/** Our own formats in the words of JSON Schema, whose `duration` is another one. */
function formatted({ secret, reference, format, ...schema }: JsonSchema): JsonSchema {
  const rest = { ...schema, ...(secret === true ? { writeOnly: true } : {}) }
  if (format === 'duration') return typed(rest, { type: 'string', pattern: DURATION }, { const: 0 })
  if (format === 'byte-size')
    return typed(rest, { type: 'string', pattern: BYTE_SIZE }, { type: 'integer', minimum: 0 })
  return format === undefined || format === 'glob' || format === 'path' ? rest : { ...rest, format }
}

function typed({ type, anyOf, ...rest }: JsonSchema, ...forms: JsonSchema[]): JsonSchema {
  return { ...rest, anyOf: forms }
}

/** Annotations stay outside, where editors look for them. */
function orExpansion(schema: JsonSchema): JsonSchema {
  if (takesAnyText(schema)) return schema
  const { description, default: byDefault, deprecated, ...rest } = schema
  const annotations = Object.fromEntries(
    Object.entries({ description, default: byDefault, deprecated }).filter(([, value]) => value !== undefined),
  )
  return { ...annotations, anyOf: [rest, { $ref: EXPANSION_REF }] }
}

const NARROWING = ['pattern', 'format', 'enum', 'const', 'minLength', 'maxLength']

function takesAnyText(schema: JsonSchema): boolean {
  if (Array.isArray(schema['anyOf'])) return schema['anyOf'].some(takesAnyText)
  if (schema['oneOf'] !== undefined || schema['$ref'] !== undefined || schema['allOf'] !== undefined) return false
  const isOpen = schema['type'] === undefined && schema['not'] === undefined
  return (isOpen || schema['type'] === 'string') && !NARROWING.some((key) => schema[key] !== undefined)
}
