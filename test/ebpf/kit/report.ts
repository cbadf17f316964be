/** Tables for people: what watches what on which kernel, and what each action left. */
import type { Seen } from '../actions/types.ts'
import type { Report } from './run-actions.ts'

export interface HookRow {
  readonly feature: string
  readonly hook: string
  readonly reason?: string
}

/** What the last `sensor.status` says about its hooks. */
export function hooksOf(records: readonly Seen[]): HookRow[] {
  const status = records.findLast(({ eventName }) => eventName === 'sensor.status')
  const hooks = status?.attributes['weir.sensor.hooks']
  if (Array.isArray(hooks)) return hooks.map(rowOf)
  return []
}

function rowOf(one: unknown): HookRow {
  if (typeof one !== 'string') return one as HookRow
  const [feature = '', hook = ''] = one.split('=')
  return { feature, hook }
}

/** Signal by kernel: the hook that watches it. */
export function printHooks(reports: readonly Pick<Report, 'kernel' | 'hooks'>[]): string {
  const features = [...new Set(reports.flatMap(({ hooks }) => hooks.map(({ feature }) => feature)))]
  const rows = features.map((feature) => [
    feature,
    ...reports.map(({ hooks }) => hooks.find((one) => one.feature === feature)?.hook ?? '—'),
  ])
  return table([['what is watched', ...reports.map(({ kernel }) => kernel)], ...rows])
}

export function printOutcomes({ outcomes, general, kernel }: Report): string {
  const lines = [`Actions on ${kernel}:`]
  for (const { action, title, records, atMost, found, problems } of outcomes) {
    lines.push(
      `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${action.padEnd(4)} ${title} (${records} of at most ${atMost} records)`,
    )
    for (const one of found) lines.push(`       ${one.slice(0, 240)}`)
    for (const one of problems) lines.push(`     ! ${one.slice(0, 1200)}`)
  }
  for (const one of general) lines.push(`FAIL ${one}`)
  return lines.join('\n')
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
