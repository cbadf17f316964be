/**
 * What does the whole pipeline cost beside the bare loop over the same log?
 *
 *   npm run bench                      400,000 events
 *   npm run bench -- --events 50000 --rounds 1
 *
 * Runs `k8s_audit` -> `otlp_http` into a local sink with acknowledgements and checkpoints on, in every encoding
 * with and without gzip, interleaved with the bare loop so that both see the same machine. Every event is kept
 * (no ignore list, all stages), so that both do the same work. Ratios are the result; absolute numbers belong to
 * the machine.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, measure } from './child.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '400000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})
const events = Number(values.events)
const rounds = Number(values.rounds)
const root = join(import.meta.dirname, '../..')
const scratch = join(tmpdir(), 'weir-bench')
const log = join(scratch, `audit-${events}.log`)
mkdirSync(scratch, { recursive: true })

interface Variant {
  readonly name: string
  readonly encoding: 'json' | 'proto'
  readonly compression: 'none' | 'gzip'
}
const variants: Variant[] = [
  { name: 'OTLP JSON', encoding: 'json', compression: 'none' },
  { name: 'OTLP JSON, gzip', encoding: 'json', compression: 'gzip' },
  { name: 'OTLP protobuf', encoding: 'proto', compression: 'none' },
  { name: 'OTLP protobuf, gzip', encoding: 'proto', compression: 'gzip' },
]

async function generate(): Promise<void> {
  if (existsSync(log)) return
  const args = ['bench/generate-audit.ts', '--events', String(events), '--seed', '1', '--out', `${log}.part`]
  const { code, stderr } = await measure(
    process.execPath,
    args.map((one, i) => (i === 0 ? join(root, one) : one)),
  )
  if (code !== 0) throw new Error(`the generator failed: ${stderr}`)
  renameSync(`${log}.part`, log)
}

interface Sink {
  readonly port: number
  stop(): Promise<{ requests: number; bytes: number }>
}

async function startSink(): Promise<Sink> {
  const child = spawn(process.execPath, [join(root, 'bench/pipeline/sink.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')))
  while (lines.length === 0) await new Promise((done) => child.stdout.once('data', done))
  return {
    port: JSON.parse(lines[0] as string).port,
    async stop() {
      child.kill('SIGTERM')
      await new Promise((done) => child.once('close', done))
      return JSON.parse(lines[1] as string)
    },
  }
}

async function bareLoop(): Promise<Cost> {
  const cost = await measure(process.execPath, [join(root, 'bench/pipeline/bare-loop.ts'), log])
  if (cost.code !== 0 || JSON.parse(cost.stdout).events !== events)
    throw new Error(`the bare loop failed: ${cost.stderr}`)
  return cost
}

async function pipeline({ encoding, compression }: Variant): Promise<Cost> {
  const sink = await startSink()
  const state = mkdtempSync(join(scratch, 'state-'))
  const config = join(state, 'config.yaml')
  writeFileSync(
    config,
    `receivers:
  k8s_audit:
    include: [${log}]
    start_at: beginning
    stages: [RequestReceived, ResponseStarted, ResponseComplete, Panic]
    default_ignores: false
exporters:
  otlp_http: {endpoint: 'http://127.0.0.1:${sink.port}', encoding: ${encoding}, compression: ${compression}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [k8s_audit], exporters: [otlp_http]}
`,
  )
  const cost = await measure(join(root, 'bin/weir'), ['run', '--drain', '--config', config, '--state-dir', state])
  await sink.stop()
  rmSync(state, { recursive: true })
  const delivered = `${events.toLocaleString('en-US')} delivered`
  if (cost.code !== 0 || !cost.stderr.includes(delivered)) throw new Error(`the pipeline failed: ${cost.stderr}`)
  return cost
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

const build = await measure(process.execPath, [join(root, 'scripts/build.ts')])
if (build.code !== 0) throw new Error(`the build failed: ${build.stderr}`)
await generate()
const costs = new Map<string, Cost[]>([['bare loop', []], ...variants.map(({ name }): [string, Cost[]] => [name, []])])
for (let round = 0; round < rounds; round++) {
  costs.get('bare loop')?.push(await bareLoop())
  for (const variant of variants) costs.get(variant.name)?.push(await pipeline(variant))
}

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
if (values.json) console.log(JSON.stringify({ events, rounds, rows }, undefined, 2))
else {
  console.log(
    `${events.toLocaleString('en-US')} audit events, median of ${rounds}, ${cpus().length} cores, Node ${process.version}\n`,
  )
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
