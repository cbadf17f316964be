/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: expansions are what is tested. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { defineProcessor } from '../../src/component.ts'
import { configSchema, type JsonSchema } from '../../src/config/json-schema.ts'
import { VALID } from './kit.ts'
import { registry } from './registry.ts'

const schema = configSchema(registry)

/** The part of JSON Schema that is used here. A keyword it doesn't know fails the test, so that none is skipped. */
const ANNOTATIONS = new Set([
  '$schema',
  '$defs',
  'title',
  'description',
  'default',
  'deprecated',
  'writeOnly',
  'format',
])

function faults(value: unknown, here: JsonSchema | boolean, root: JsonSchema, path = ''): string[] {
  if (typeof here === 'boolean') return here ? [] : [`${path}: not allowed`]
  return Object.entries(here).flatMap(([keyword, rule]) => fault(value, keyword, rule, { here, root, path }))
}

function fault(
  value: unknown,
  keyword: string,
  rule: unknown,
  { here, root, path }: { here: JsonSchema; root: JsonSchema; path: string },
): string[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const entries = isMap ? Object.entries(value) : []
  const say = (isWrong: boolean, text: string): string[] => (isWrong ? [`${path}: ${text}`] : [])
  switch (keyword) {
    case '$ref': {
      const target = (root['$defs'] as JsonSchema)[String(rule).replace('#/$defs/', '')]
      assert.ok(target, `dangling ${rule}`)
      return faults(value, target as JsonSchema, root, path)
    }
    case 'anyOf': {
      const tries = (rule as JsonSchema[]).map((each) => faults(value, each, root, path))
      return tries.some((each) => each.length === 0)
        ? []
        : (tries.sort((a, b) => b.join().length - a.join().length)[0] as string[])
    }
    case 'type':
      return say(
        ![rule].flat().includes(typeName(value)) && !([rule].flat().includes('number') && typeof value === 'number'),
        `not ${rule}`,
      )
    case 'enum':
      return say(!(rule as unknown[]).includes(value), `not one of ${rule}`)
    case 'const':
      return say(rule !== value, `not ${rule}`)
    case 'pattern':
      return say(typeof value === 'string' && !new RegExp(rule as string, 'u').test(value), `not like ${rule}`)
    case 'minLength':
      return say(typeof value === 'string' && value.length < (rule as number), 'too short')
    case 'minimum':
      return say(typeof value === 'number' && value < (rule as number), 'too small')
    case 'maximum':
      return say(typeof value === 'number' && value > (rule as number), 'too large')
    case 'minItems':
      return say(Array.isArray(value) && value.length < (rule as number), 'too few')
    case 'minProperties':
      return say(isMap && entries.length < (rule as number), 'too few')
    case 'required':
      return (rule as string[]).flatMap((key) => say(isMap && !Object.hasOwn(value, key), `${key} is required`))
    case 'items':
      return Array.isArray(value)
        ? value.flatMap((item, index) => faults(item, rule as JsonSchema, root, `${path}/${index}`))
        : []
    case 'propertyNames':
      return entries.flatMap(([key]) => faults(key, rule as JsonSchema, root, `${path}/${key}`))
    case 'properties':
    case 'patternProperties':
    case 'additionalProperties':
      return entries.flatMap(([key, each]) => {
        const chosen = schemasFor(key, here)[keyword] ?? []
        return chosen.flatMap((one) => faults(each, one, root, `${path}/${key}`))
      })
    default:
      assert.ok(ANNOTATIONS.has(keyword), `the schema uses ${keyword}`)
      return []
  }
}

function schemasFor(key: string, here: JsonSchema): Record<string, JsonSchema[]> {
  const named = (here['properties'] ?? {}) as Record<string, JsonSchema>
  const patterns = Object.entries((here['patternProperties'] ?? {}) as Record<string, JsonSchema>)
  const properties = Object.hasOwn(named, key) ? [named[key] as JsonSchema] : []
  const patternProperties = patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(key)).map(([, each]) => each)
  const isKnown = properties.length + patternProperties.length > 0
  return {
    properties,
    patternProperties,
    additionalProperties: isKnown ? [] : [here['additionalProperties'] as JsonSchema],
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const check = (text: string): string[] => faults(parse(text), schema, schema)

const good: readonly { name: string; text: string }[] = [
  { name: 'a small configuration', text: VALID },
  { name: 'old names', text: VALID.replaceAll('file_log', 'filelog') },
  { name: 'names after a slash', text: VALID.replaceAll('file_log', 'file_log/containers.and-more') },
  { name: 'components without a value', text: `${VALID}processors:\n  filter:\nextensions:\n` },
  {
    name: 'expansions in the place of anything',
    text: `receivers: \${file:r.yaml}
exporters:
  otlp_http: {endpoint: "\${env:E}", timeout: "\${env:T:-5s}", tls: "\${env:TLS}", compression: "\${C}", sending_queue: {enabled: "\${Q}", queue_size: "\${S}"}}
processors: {filter: {conditions: [{op: "\${O}", attribute: a, limit: "\${L}"}]}}
service:
  telemetry: {logs: {level: "\${LEVEL}"}, metrics: {readers: [{pull: {exporter: {prometheus: {port: "\${PORT}"}}}}]}}
  pipelines: {logs: {receivers: ["\${R}"], exporters: "\${X}"}}
`,
  },
  {
    name: 'durations and sizes',
    text: `${VALID.replace('exporters:\n', '    poll_interval: 1m30s\n    max_log_size: 64KiB\nexporters:\n')}`,
  },
  {
    name: 'sections without a value',
    text: VALID.replace('stdout:\n', 'stdout:\n  otlp_http: {endpoint: "https://x", tls: , timeout: 0}\n'),
  },
]
for (const { name, text } of good) test(`the schema accepts ${name}`, () => assert.deepEqual(check(text), []))

const bad: readonly { name: string; text: string; at: RegExp }[] = [
  { name: 'an unknown section', text: `${VALID}exporter: {}\n`, at: /^\/exporter: not allowed/ },
  {
    name: 'an unknown type',
    text: VALID.replaceAll('file_log', 'file_lag'),
    at: /^\/receivers\/file_lag: not allowed/,
  },
  { name: 'an unknown key', text: VALID.replace('include', 'inclde'), at: /inclde: not allowed|include is required/ },
  { name: 'a wrong choice', text: VALID.replace('stdout:\n', 'stdout: {format: prety}\n'), at: /format: not/ },
  { name: 'a duration without a unit', text: `${VALID}  shutdown_timeout: 5\n`, at: /shutdown_timeout: not/ },
  { name: 'another signal', text: VALID.replace('logs:', 'traces:'), at: /traces: not allowed/ },
  {
    name: 'a pipeline without exporters',
    text: VALID.replace('      exporters: [stdout]\n', ''),
    at: /exporters is required/,
  },
  {
    name: 'text that is no expansion where a number is wanted',
    text: `${VALID}  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {port: x}}}}]}}\n`,
    at: /port: not/,
  },
]
for (const { name, text, at } of bad) {
  test(`the schema refuses ${name}`, () => assert.match(check(text).join('\n'), at))
}

test('editors are told what a key means and what it is by default, as one would write it', () => {
  const receiver = (schema['$defs'] as JsonSchema)['receivers.file_log'] as { description: string; anyOf: JsonSchema[] }
  assert.equal(receiver.description, 'Follows files. (receiver, alpha)')
  const properties = receiver.anyOf[0]?.['properties'] as Record<string, JsonSchema>
  assert.equal(properties['poll_interval']?.['default'], '200ms')
  assert.equal(properties['max_log_size']?.['default'], '1MiB')
  assert.equal(properties['start_at']?.['default'], 'end')
  assert.equal(properties['include']?.['description'], 'Files to follow.')
})

test('secrets are marked write-only, and none of our own words is left in the schema', () => {
  const text = JSON.stringify(schema)
  assert.match(text, /"writeOnly":true/)
  assert.doesNotMatch(text, /"secret"|"reference"|"format":"(?:duration|byte-size|glob|path)"/)
})

test('schemas that contain themselves keep their references', () => {
  const tree: z.ZodType = z.strictObject({ name: z.string(), children: z.lazy(() => z.array(tree)).default([]) })
  const nested = defineProcessor({
    type: 'tree',
    stability: 'alpha',
    summary: 'Grows.',
    examples: [],
    config: z.strictObject({ root: tree }),
    create: () => assert.fail('never built'),
  })
  const own = configSchema({ ...registry, processors: [nested] })
  const text = (name: string): string =>
    `processors: {tree: {root: {name: a, children: [{name: b, children: [{${name}: c}]}]}}}`
  assert.deepEqual(faults(parse(text('name')), own, own), [])
  assert.notDeepEqual(faults(parse(text('nme')), own, own), [])
})
