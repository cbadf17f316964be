/**
 * The suite of faults, one after the other.
 *
 *   npm run faults                  at full size; writes the table of docs/delivery.md
 *   npm run faults -- --small       at the size of `npm test`; prints it alone
 *   npm run faults -- --only kill   those whose name matches
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FAULTS, obstacle } from '../kit/faults/all.ts'
import { type FaultResult, FULL, type Size, SMALL } from '../kit/faults/fault.ts'
import type { FullSuite } from './suite.ts'

const PAGE = join(import.meta.dirname, '../../docs/delivery.md')
const BEGIN = '<!-- written by npm run faults: begin -->'
const END = '<!-- written by npm run faults: end -->'
const COLUMNS = ['fault', 'records', 'missing', 'duplicates', 'refused for good, or destroyed', '']

/** Runs them and says each as it is done. */
export async function runFaults(size: Size, only = ''): Promise<FaultResult[]> {
  const results: FaultResult[] = []
  for (const fault of FAULTS.filter(({ name }) => new RegExp(only).test(name))) {
    const why = obstacle(fault)
    if (why !== undefined) {
      console.log(`skipped: ${fault.name}: ${why}`)
      continue
    }
    const result = await fault.run(size)
    console.log(rowOf(result))
    results.push(result)
  }
  return results
}

function rowOf({ fault, records, missing, duplicates, reported, note }: FaultResult): string {
  const numbers = [records, missing, duplicates, reported].map((one) => one.toLocaleString('en-US'))
  return `| ${[fault, ...numbers, note].join(' | ')} |`
}

function tableOf(results: readonly FaultResult[]): string {
  const day = new Date().toISOString().slice(0, 10)
  const head = [`| ${COLUMNS.join(' | ')} |`, '| --- | ---: | ---: | ---: | ---: | --- |']
  return [`${day}, ${availableParallelism()} cores, Node ${process.version}:`, '', ...head, ...results.map(rowOf)].join(
    '\n',
  )
}

/** Puts the table into docs/delivery.md. */
export function writeTable(results: readonly FaultResult[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error('docs/delivery.md has lost its markers')
  writeFileSync(PAGE, `${page.slice(0, begin)}${BEGIN}\n\n${tableOf(results)}\n\n${page.slice(end)}`)
}

export async function fullFaults(): Promise<FullSuite> {
  const results = await runFaults(FULL)
  writeTable(results)
  return {
    title: 'Faults',
    what: 'Each fault happens while numbered records come; the table is in docs/delivery.md.',
    columns: ['faults', 'records', 'missing'],
    rows: [
      [
        results.length,
        results.reduce((total, { records }) => total + records, 0),
        results.reduce((total, { missing }) => total + missing, 0),
      ],
    ],
    failures: results.filter(({ missing }) => missing > 0).map(({ fault, note }) => `${fault}: ${note}`),
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { small: { type: 'boolean' }, only: { type: 'string' } } })
  const results = await runFaults(values.small ? SMALL : FULL, values.only)
  console.log(`\n${tableOf(results)}`)
  if (!values.small && values.only === undefined) writeTable(results)
  process.exitCode = results.some(({ missing }) => missing > 0) ? 1 : 0
}
