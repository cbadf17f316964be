/**
 * What Weir takes with the receiver: while nothing happens, and under a steady load of processes and opened files.
 *
 *   npm run bench -- ebpf-idle [--seconds 30]
 */
import { parseArgs } from 'node:util'
import { type Running, start, weir, workload } from './kit.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } })
const seconds = Number(values.seconds)
const binary = workload()

async function observe(
  running: Running,
  from: number,
): Promise<{ share: number; first: number; last: number; most: number }> {
  const begin = running.usage()
  const all: number[] = []
  const end = performance.now() + from * 1000
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    all.push(running.usage().rss)
  }
  const third = Math.ceil(all.length / 3)
  const mean = (part: number[]): number => part.reduce((sum, each) => sum + each, 0) / part.length
  return {
    share: (running.usage().cpu - begin.cpu) / from,
    first: mean(all.slice(0, third)),
    last: mean(all.slice(-third)),
    most: Math.max(...all),
  }
}

console.log('| | CPU, of one core | resident, first third | last third | peak |\n| --- | ---: | ---: | ---: | ---: |')
const mib = (value: number): string => `${value.toFixed(0)} MiB`
for (const [what, loads] of [
  ['at rest', []],
  [
    '500 processes and 2,000 opens a second',
    [
      ['spawn', 500],
      ['write', 2000],
    ],
  ],
] as const) {
  const running = await weir({ rate_limits: { enabled: false } })
  const work = loads.map(([name, rate]) => start(binary, `paced-${name}`, seconds + 2, rate))
  const { share, first, last, most } = await observe(running, seconds)
  await Promise.all(work)
  await running.stop()
  console.log(`| ${what} | ${(share * 100).toFixed(1)} % | ${mib(first)} | ${mib(last)} | ${mib(most)} |`)
}
console.log('\nBeside the rings: 4 MiB critical, 16 MiB bulk, resident as far as they were written.')
