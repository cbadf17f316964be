/**
 * What does a queue on disk cost beside a queue in memory?
 *
 *   node bench/pipeline/disk-queue.ts [--events 200000] [--rounds 3]
 *
 * The same events go from a file to an OTLP destination through both, interleaved, with acknowledgements and
 * checkpoints, to three destinations: one that answers at once, so that hardly anything meets the disk; one that takes
 * 120 ms for each answer and many requests at once, so that all is stored and removed; and one that takes as long and few
 * requests, so that it is slower than the source, and nearly all is read back as well.
 * CPU is that of the whole process with its storage thread.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, measure } from './child.ts'
import { generate, median } from './compare.ts'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '3' } },
})
const events = Number(values.events)
const root = join(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'weir-bench-queue-'))

interface Speed {
  readonly what: string
  readonly delayMs: number
  readonly consumers: number
}

const SPEEDS: readonly Speed[] = [
  { what: 'answers at once', delayMs: 0, consumers: 4 },
  { what: 'answers after 120 ms, keeps up', delayMs: 120, consumers: 16 },
  { what: 'answers after 120 ms, does not keep up', delayMs: 120, consumers: 4 },
]

/** Takes everything, and answers after a while. */
const SINK = `require('http').createServer((request, response) => {
  request.on('data', () => {}).on('end', () => setTimeout(() => response.writeHead(200).end(), Number(process.argv[1])))
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`

async function run(log: string, queue: string, { delayMs, consumers }: Speed): Promise<Cost> {
  const sink = spawn(process.execPath, ['-e', SINK, String(delayMs)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise((resolve) => sink.stdout.once('data', (chunk) => resolve(String(chunk).trim())))
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
extensions: {file_storage: }
exporters:
  otlp_http:
    endpoint: 'http://127.0.0.1:${port}'
    encoding: json
    compression: none
    sending_queue: {num_consumers: ${consumers}${queue}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [k8s_audit], exporters: [otlp_http]}}
`,
  )
  const cost = await measure(join(root, 'bin/weir'), ['run', '--drain', '--config', config, '--state-dir', state])
  sink.kill()
  rmSync(state, { recursive: true })
  if (cost.code !== 0) throw new Error(`the pipeline failed: ${cost.stderr}`)
  return cost
}

const build = await measure(process.execPath, [join(root, 'scripts/build.ts')])
if (build.code !== 0) throw new Error(`the build failed: ${build.stderr}`)
const log = await generate(events)

console.log(`${events.toLocaleString('en-US')} events, ${cpus().length} cores, Node ${process.version}\n`)
console.log('| destination | queue | CPU µs/event | beside memory | events/s | peak RSS |')
console.log('| --- | --- | ---: | ---: | ---: | ---: |')
for (const speed of SPEEDS) {
  const costs: Record<'memory' | 'disk', Cost[]> = { memory: [], disk: [] }
  for (let round = 0; round < Number(values.rounds); round++) {
    costs.memory.push(await run(log, '', speed))
    costs.disk.push(await run(log, ', storage: file_storage', speed))
  }
  const cpu = (queue: 'memory' | 'disk'): number => median(costs[queue].map(({ cpuSeconds }) => cpuSeconds))
  for (const queue of ['memory', 'disk'] as const) {
    const rate = events / median(costs[queue].map(({ seconds }) => seconds))
    const peak = Math.max(...costs[queue].map(({ peakRssMiB }) => peakRssMiB))
    const cells = [((cpu(queue) / events) * 1e6).toFixed(1), `${(cpu(queue) / cpu('memory')).toFixed(2)} x`]
    console.log(
      `| ${speed.what} | ${queue} | ${cells.join(' | ')} | ${Math.round(rate).toLocaleString('en-US')} | ${Math.round(peak)} MiB |`,
    )
  }
}
rmSync(scratch, { recursive: true })
