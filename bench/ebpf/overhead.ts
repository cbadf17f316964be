/**
 * What the sensor costs those who are watched: operations timed without it, with it, and without it again.
 *
 *   npm run bench -- ebpf-overhead [--seconds 2] [--rounds 3]
 */
import { parseArgs } from 'node:util'
import { measure, median, weir, workload } from './kit.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' } },
})
const OPERATIONS = [
  ['getppid', 'an unrelated system call', '+10 ns'],
  ['open', 'open and close, the same file', '+50 %'],
  ['spawn', 'posix_spawn and wait', '+15 %'],
  ['connect', 'connect, accept and close: CPU of both ends', '+20 %'],
  ['bulk', '64 KiB over a connection: CPU of both ends', '+5 %'],
] as const

const binary = workload()
type Times = Record<string, number[]>
const off: Times = {}
const on: Times = {}
const raw: Times = {}

function run(into: Times, names: readonly string[]): void {
  for (const name of names) (into[name] ??= []).push(measure(binary, name, values.seconds).ns)
}

const names = OPERATIONS.map(([name]) => name)
const UNLIMITED = { rate_limits: { enabled: false } }
for (let round = 0; round < Number(values.rounds); round++) {
  run(off, names)
  const watched = await weir(UNLIMITED)
  run(on, names)
  await watched.stop()
}
const dispatcher = await weir({ ...UNLIMITED, raw_syscalls: true })
run(raw, ['getppid'])
await dispatcher.stop()
run(off, names)

const nanos = (value: number): string => Math.round(value).toLocaleString('en')
console.log('| | without, ns | with, ns | difference | at most |\n| --- | ---: | ---: | ---: | ---: |')
for (const [name, what, target] of OPERATIONS) {
  const before = Math.min(...(off[name] as number[]))
  const after = median(on[name] as number[])
  const difference = target.endsWith('ns')
    ? `${(after - before).toFixed(0)} ns`
    : `${(((after - before) / before) * 100).toFixed(1)} %`
  console.log(`| ${what} | ${nanos(before)} | ${nanos(after)} | ${difference} | ${target} |`)
}
const base = Math.min(...(off['getppid'] as number[]))
const with32 = median(raw['getppid'] as number[])
console.log(
  `| an unrelated call, with \`raw_syscalls\` | ${nanos(base)} | ${nanos(with32)} | ${(with32 - base).toFixed(0)} ns | +35 ns |`,
)
