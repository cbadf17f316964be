/**
 * Runs the suites that are too long for every commit, and appends a dated table of their results to
 * docs/test-results.md. Exits with 1 when one of them is not as it should be.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fullFaults } from './faults.ts'
import { fullFuzz } from './fuzz.ts'
import { fullKills } from './kills.ts'
import type { FullSuite } from './suite.ts'

const path = join(import.meta.dirname, '../../docs/test-results.md')
const HEAD = `# Results of the full-size tests

\`npm run test:full\` appends to this page; the newest results stand last.
`

function tableOf({ title, what, columns, rows, failures }: FullSuite): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  const verdict = failures.length === 0 ? 'All is well.' : failures.map((each) => `**${each}**`).join('\n')
  return [
    `### ${title}`,
    '',
    what,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map(line),
    '',
    verdict,
    '',
  ].join('\n')
}

function machine(): string {
  const memory = /MemTotal:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return `${availableParallelism()} CPUs, ${Math.round(Number(memory) / 2 ** 20)} GiB of memory, Node ${process.version}`
}

const suites = [await fullKills(), await fullFaults(), await fullFuzz()]
if (!existsSync(path)) writeFileSync(path, HEAD)
const day = new Date().toISOString().slice(0, 16).replace('T', ' ')
const text = `\n## ${day} UTC (${machine()})\n\n${suites.map(tableOf).join('\n')}`
appendFileSync(path, text)
process.stdout.write(text)
process.exitCode = suites.some(({ failures }) => failures.length > 0) ? 1 : 0
