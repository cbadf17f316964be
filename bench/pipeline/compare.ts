/** What the benchmarks of whole pipelines share: the log, the sink, the runs side by side and the table. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, measure } from './child.ts'

export interface Variant {
  readonly name: string
  /** YAML of the section `exporters`, for a sink on that port. */
  readonly exporters: (port: number) => string
}

const root = join(import.meta.dirname, '../..')
const scratch = join(tmpdir(), 'weir-bench')

/** The path of a log with so many events; made once. */
export async function generate(events: number): Promise<string> {
  mkdirSync(scratch, { recursive: true })
  const log = join(scratch, `audit-${events}.log`)
  if (existsSync(log)) return log
  const args = ['--events', String(events), '--seed', '1', '--out', `${log}.part`]
  const { code, stderr } = await measure(process.execPath, [join(root, 'bench/generate-audit.ts'), ...args])
  if (code !== 0) throw new Error(`the generator failed: ${stderr}`)
  renameSync(`${log}.part`, log)
  return log
}

interface Sink {
  readonly port: number
  stop(): Promise<void>
}

/** Starts a program that prints `{"port":…}`. */
async function startSink(program: string): Promise<Sink> {
  const child = spawn(process.execPath, [join(root, program)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<Buffer>((done) => child.stdout.once('data', done))
  return {
    port: JSON.parse(line.toString()).port,
    async stop() {
      child.kill('SIGTERM')
      await new Promise((done) => child.once('close', done))
    },
  }
}

async function bareLoop(log: string, events: number): Promise<Cost> {
  const cost = await measure(process.execPath, [join(root, 'bench/pipeline/bare-loop.ts'), log])
  if (cost.code !== 0 || JSON.parse(cost.stdout).events !== events) {
    throw new Error(`the bare loop failed: ${cost.stderr}`)
  }
  return cost
}

/** Every event is kept (no ignore list, all stages), so that both do the same work. */
async function pipeline({ exporters }: Variant, sinkProgram: string, log: string, events: number): Promise<Cost> {
  const sink = await startSink(sinkProgram)
  const state = mkdtempSync(join(scratch, 'state-'))
  const config = join(state, 'config.yaml')
  const section = exporters(sink.port)
  writeFileSync(
    config,
    `receivers:
  k8s_audit:
    include: [${log}]
    start_at: beginning
    stages: [RequestReceived, ResponseStarted, ResponseComplete, Panic]
    default_ignores: false
exporters:
  ${section}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [k8s_audit], exporters: [${section.split(':')[0]}]}
`,
  )
  const cost = await measure(join(root, 'bin/weir'), ['run', '--drain', '--config', config, '--state-dir', state])
  await sink.stop()
  rmSync(state, { recursive: true })
  const delivered = `${events.toLocaleString('en-US')} delivered`
  if (cost.code !== 0 || !cost.stderr.includes(delivered)) throw new Error(`the pipeline failed: ${cost.stderr}`)
  return cost
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

/** Runs the variants and the bare loop in turn, so that all see the same machine, and prints what they cost. */
export async function compare(sink: string, variants: readonly Variant[]): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '400000' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
    },
  })
  const events = Number(values.events)
  const rounds = Number(values.rounds)
  const build = await measure(process.execPath, [join(root, 'scripts/build.ts')])
  if (build.code !== 0) throw new Error(`the build failed: ${build.stderr}`)
  const log = await generate(events)
  const costs = new Map<string, Cost[]>(['bare loop', ...variants.map(({ name }) => name)].map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    costs.get('bare loop')?.push(await bareLoop(log, events))
    for (const variant of variants) costs.get(variant.name)?.push(await pipeline(variant, sink, log, events))
  }
  print(costs, events, rounds, values.json)
}

function print(costs: ReadonlyMap<string, readonly Cost[]>, events: number, rounds: number, asJson: boolean): void {
  const bare = median((costs.get('bare loop') as Cost[]).map((one) => one.cpuSeconds))
  const rows = [...costs].map(([name, all]) => {
    const cpu = median(all.map((one) => one.cpuSeconds))
    return {
      name,
      eventsPerSecond: Math.round(events / median(all.map((one) => one.seconds))),
      cpuMicrosPerEvent: (cpu / events) * 1e6,
      ratio: cpu / bare,
      peakRssMiB: Math.max(...all.map((one) => one.peakRssMiB)),
    }
  })
  if (asJson) {
    console.log(JSON.stringify({ events, rounds, rows }, undefined, 2))
    return
  }
  const machine = `${cpus().length} cores, Node ${process.version}`
  console.log(`${events.toLocaleString('en-US')} audit events, median of ${rounds}, ${machine}\n`)
  console.log('| | events/s | CPU µs/event | CPU beside bare loop | peak RSS |')
  console.log('| --- | ---: | ---: | ---: | ---: |')
  for (const { name, eventsPerSecond, cpuMicrosPerEvent, ratio, peakRssMiB } of rows) {
    const cells = [
      name,
      eventsPerSecond.toLocaleString('en-US'),
      cpuMicrosPerEvent.toFixed(1),
      `${ratio.toFixed(2)} x`,
      `${peakRssMiB.toFixed(0)} MiB`,
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
