/**
 * What does the steady load of the Collector's own load tests cost here, in Weir and in a real Collector?
 *
 *   node bench/real/collector-steady.ts --collector PATH                10,000 records a second for 30 s each
 *   node bench/real/collector-steady.ts --collector PATH --rounds 1 --seconds 10
 *
 * OTLP/HTTP in and out, 100 records in a request, nothing compressed, the same sender and the same sink for all, each
 * a process of its own. One after the other, in turns. CPU is that of the program alone while records flow.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measure } from '../pipeline/child.ts'

const { values } = parseArgs({
  options: {
    collector: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '10000' },
  },
})
if (values.collector === undefined)
  throw new Error('--collector PATH names the program of a Collector (docs/interop.md)')
const root = join(import.meta.dirname, '../..')
const pipeline = join(root, 'bench/pipeline')
const scratch = mkdtempSync(join(tmpdir(), 'weir-steady-'))
const TICKS_PER_SECOND = 100
const RECORDS_PER_REQUEST = 100

interface Candidate {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  config(port: number, sink: number): string
}

interface Cost {
  readonly cpuPercent: number
  readonly peakMiB: number
  readonly p99Ms: number
  readonly late: boolean
}

const collectorConfig =
  (queue: string) =>
  (port: number, sink: number): string =>
    `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${port}'}}}}
exporters: {otlp_http: {endpoint: 'http://127.0.0.1:${sink}', compression: none${queue}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`

const file = join(scratch, 'config.yaml')
const candidates: readonly Candidate[] = [
  {
    name: 'Weir: answers when the destination has it',
    command: join(root, 'bin/weir'),
    args: ['run', '--config', file, '--state-dir', join(scratch, 'state')],
    config: collectorConfig(''),
  },
  {
    name: 'Collector: answers when the destination has it (no queue)',
    command: values.collector,
    args: ['--config', file],
    config: collectorConfig(', sending_queue: {enabled: false}'),
  },
  {
    name: 'Collector: answers when it is in memory (its default)',
    command: values.collector,
    args: ['--config', file],
    config: collectorConfig(''),
  },
  {
    name: "Collector: answers when the destination has it, with Weir's queue and batches",
    command: values.collector,
    args: ['--config', file],
    config: collectorConfig(
      ', sending_queue: {wait_for_result: true, num_consumers: 4, batch: {sizer: items, min_size: 500, max_size: 2000, flush_timeout: 200ms}}',
    ),
  },
]

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Starts a program and resolves when `pattern` was said, with what it captured. */
async function start(command: string, args: readonly string[], pattern: RegExp): Promise<[ChildProcess, string]> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let output = ''
  const look = (chunk: Buffer): void => {
    output += chunk
    const found = pattern.exec(output)
    if (found !== null) resolve(found[1] ?? '')
  }
  child.stdout.on('data', look)
  child.stderr.on('data', look)
  child.on('error', reject)
  child.on('close', () => reject(new Error(`${command} ended before it was ready: ${output}`)))
  return [child, await promise]
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.on('close', done))
  child.kill('SIGTERM')
  await ended
}

const proc = (child: ChildProcess, name: string): string => readFileSync(`/proc/${child.pid}/${name}`, 'utf8')

function cpuSeconds(child: ChildProcess): number {
  const fields = proc(child, 'stat').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

async function load(port: number, seconds: number): Promise<{ seconds: number; p99Ms: number }> {
  const requests = (Number(values.rate) * seconds) / RECORDS_PER_REQUEST
  const args = ['--kind', 'testbed', '--requests', String(requests), '--rate', values.rate]
  const url = `http://127.0.0.1:${port}/v1/logs`
  const { stdout, stderr, code } = await measure(process.execPath, [join(pipeline, 'otlp-sender.ts'), url, ...args])
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

async function trial({ command, args, config }: Candidate): Promise<Cost> {
  const [sink, sinkPort] = await start(process.execPath, [join(pipeline, 'sink.ts')], /^\{"port":(\d+)\}/m)
  const port = await freePort()
  writeFileSync(file, config(port, Number(sinkPort)))
  const [child] = await start(command, args, /(Everything is ready)/)
  await load(port, 3)
  const before = cpuSeconds(child)
  const { seconds, p99Ms } = await load(port, Number(values.seconds))
  const cost = {
    cpuPercent: ((cpuSeconds(child) - before) / seconds) * 100,
    peakMiB: Number(/VmHWM:\s+(\d+) kB/.exec(proc(child, 'status'))?.[1]) / 1024,
    p99Ms,
    late: seconds > Number(values.seconds) * 1.03,
  }
  await end(child)
  await end(sink)
  return cost
}

try {
  // From sources it would cost more memory, and measure the compiler.
  await measure(process.execPath, [join(root, 'scripts/build.ts')])
  const costs: Cost[][] = candidates.map(() => [])
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, candidate] of candidates.entries()) costs[i]?.push(await trial(candidate))
  }
  console.log(
    `| ${Number(values.rate).toLocaleString('en')} records/s | CPU of a core | peak RSS | 99 % answered within |`,
  )
  console.log('| --- | ---: | ---: | ---: |')
  for (const [i, { name }] of candidates.entries()) {
    const all = costs[i] ?? []
    const each = (text: (cost: Cost) => string): string => all.map(text).join(', ')
    const late = all.some(({ late }) => late) ? ', which was too much' : ''
    const cpu = each(({ cpuPercent }) => `${cpuPercent.toFixed(1)} %`)
    console.log(
      `| ${name}${late} | ${cpu} | ${each(({ peakMiB }) => `${Math.round(peakMiB)} MiB`)} | ${each(({ p99Ms }) => `${p99Ms.toFixed(1)} ms`)} |`,
    )
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
