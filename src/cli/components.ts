/** `weir components`: what can be configured. */
import type { AnyDefinition, Registry } from '../component.ts'
import { SECTION_NAMES } from '../config/ids.ts'
import { command, parseFlags } from './arguments.ts'

interface Row {
  readonly name: string
  readonly kind: string
  readonly aliases: readonly string[]
  readonly stability: string
  /** What a receiver does when its records cannot be delivered; undefined for other kinds. */
  readonly delivery?: string
  readonly summary: string
}

export const components = command(async (args, io) => {
  const { json } = parseFlags('components', args, { json: { type: 'boolean', default: false } })
  const rows = rowsOf(io.registry)
  io.stdout(json ? `${JSON.stringify(rows, undefined, 2)}\n` : table(rows))
  return 0
})

function rowsOf(registry: Registry): Row[] {
  return SECTION_NAMES.flatMap((section) =>
    (registry[section] as readonly AnyDefinition[])
      .toSorted((a, b) => (a.type < b.type ? -1 : 1))
      .map((definition) => ({
        name: definition.type,
        kind: definition.kind,
        aliases: definition.aliases ?? [],
        stability: definition.stability,
        ...(definition.kind === 'receiver' ? { delivery: definition.delivery } : {}),
        summary: definition.summary,
      })),
  )
}

const HEADINGS = ['NAME', 'KIND', 'ALIASES', 'STABILITY', 'DELIVERY', 'SUMMARY']

function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.kind,
    row.aliases.join(', '),
    row.stability,
    row.delivery ?? '',
    row.summary,
  ])
  const all = [HEADINGS, ...cells]
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd()
  return all.map((row) => `${line(row)}\n`).join('')
}
