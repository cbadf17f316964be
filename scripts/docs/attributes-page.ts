/** docs/attributes.md, from the tables of attributes that the sources themselves hold. */
import { type AttributeSpec, AUDIT_ATTRIBUTES } from '../../src/audit/attribute-table.ts'
import { code } from './options.ts'

export function attributesPage(): string {
  return `# Attributes

<!-- made by npm run docs; do not edit -->

Names are those of OpenTelemetry's semantic conventions where they have one. Every record has \`log.record.uid\`, the
same each time it is read, by which duplicates can be told.

## Kubernetes audit events (\`k8s.audit\`)

${table(AUDIT_ATTRIBUTES)}
`
}

function table(attributes: Readonly<Record<string, AttributeSpec>>): string {
  const rows = Object.entries(attributes).map(
    ([name, { type, unit, meaning }]) =>
      `| ${code(name)} | ${type}${unit === undefined ? '' : `, ${unit}`} | ${meaning.replaceAll('|', '\\|')} |`,
  )
  return `| attribute | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`
}
