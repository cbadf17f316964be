/** docs/ecs.md, from the tables that the encoder and the index templates are made of, and from golden documents. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIT_TABLE } from '../../src/ecs/audit-table.ts'
import { COMPUTED } from '../../src/ecs/computed.ts'
import { ECS_VERSION } from '../../src/ecs/document.ts'
import { EVENT_CLASSES } from '../../src/ecs/events.ts'
import { ECS_TABLE } from '../../src/ecs/table.ts'
import { type FieldType, type Targets, targetsOf } from '../../src/ecs/types.ts'
import { code } from './options.ts'

const TYPES: Readonly<Record<FieldType, string>> = {
  keyword: 'keyword',
  long_keyword: 'keyword',
  text: 'text',
  stored: 'kept only',
  long: 'long',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  ip: 'ip',
  flat: 'free-form map',
  opaque: 'kept only, any',
  constant: 'constant',
}

const EXAMPLES = [
  ['A Kubernetes audit event', 'k8s-audit'],
  ['A process event', 'process'],
  ['A finding', 'finding'],
] as const

export function ecsPage(root: string): string {
  return `# Elastic Common Schema

<!-- made by npm run docs from src/ecs; do not edit -->

What the [elasticsearch](components/exporters/elasticsearch.md) exporter writes in its default mode: documents of ECS
${ECS_VERSION}. The index templates that \`weir elasticsearch setup\` writes are made from the same tables.

- The first field of an attribute is its own; the others are filled where the value fits and nothing else has filled
  them. An attribute of a record wins over one of its resource.
- Nothing makes a field that is not on this page. Other attributes are in the free-form maps \`weir.attributes\` and
  \`weir.resource\` under their own names, where their values can be searched as keywords.
- A value that does not fit the type of its field is in \`weir.attributes\` as well: no value makes a destination refuse
  a document.
- What is longer than 8,191 characters or nested deeper than 12 levels is kept whole in \`weir.unindexed\`, where it is
  returned but not searched.
- Of a keyword the first 1,024 characters count for the search to find it, of paths, command lines and URLs 8,191; what
  is longer is kept and not searched.

## Attributes

${tableOf(ECS_TABLE)}

## Kubernetes audit events

These count before the ones above. The names below \`kubernetes.audit\` are those of the event itself, with dots in the
keys of annotations written as \`_\`: the shape that Elastic's Kubernetes integration stores and its detection rules read.

${tableOf(AUDIT_TABLE)}

## From the record itself

| field | type | what it says |
| --- | --- | --- |
${COMPUTED.map(({ field, type, meaning }) => `| ${code(field)} | ${TYPES[type]} | ${meaning} |`).join('\n')}

## Event names

| event name | event.kind | event.category | event.type | event.action |
| --- | --- | --- | --- | --- |
${Object.entries(EVENT_CLASSES)
  .map(([name, { kind, category, type, action }]) => {
    const list = (words: readonly string[]): string => words.map(code).join(', ')
    const isAudit = name === 'k8s.audit'
    return isAudit
      ? `| ${code(name)} | ${code(kind)} | by resource | by verb, and \`denied\` | the verb |`
      : `| ${code(name)} | ${code(kind)} | ${list(category)} | ${list(type)} | ${code(action)} |`
  })
  .join('\n')}

${EXAMPLES.map(([title, name]) => example(root, title, name)).join('\n\n')}
`
}

function tableOf(table: Readonly<Record<string, Targets>>): string {
  const rows = Object.entries(table).map(([name, targets]) => {
    const fields = targetsOf(targets).map(({ field, type }) => `${code(field)} (${TYPES[type]})`)
    return `| ${code(name)} | ${fields.join(', ')} |`
  })
  return `| attribute | fields |\n| --- | --- |\n${rows.join('\n')}`
}

function example(root: string, title: string, name: string): string {
  const text = readFileSync(join(root, `test/golden/elasticsearch/${name}.json`), 'utf8')
  const { record, action, document } = JSON.parse(text)
  return `## ${title}

The record, as the file exporter writes it:

${json(record)}

The document, in \`${action.create._index}\` with the \`_id\` \`${action.create._id}\`:

${json(document)}`
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``
}
