/**
 * What does OTLP in, OTLP out cost through the whole program, beside the same serializers alone?
 *
 *   node bench/pipeline/otlp-to-otlp.ts                    2,000,000 records a run, then the steady load
 *   node bench/pipeline/otlp-to-otlp.ts --records 200000 --rounds 1 --seconds 10
 *
 * Senders, the program and the sink are processes of their own; CPU is that of the program alone, while records flow.
 * Every request is answered after the sink has its records. The steady load is that of the Collector's own load
 * tests (10,000 records a second, 100 in a request), whose published result stands beside it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { measure } from './child.ts'
import { type Kind, RECORDS_PER_REQUEST } from './otlp-requests.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    /** What to measure: another build, or the same with other flags. */
    program: { type: 'string', default: 'bin/weir' },
  },
})
const root = join(import.meta.dirname, '../..')
// From sources it would cost more memory, and measure the compiler.
if (values.program === 'bin/weir') await measure(process.execPath, [join(root, 'scripts/build.ts')])
const scratch = mkdtempSync(join(tmpdir(), 'weir-otlp-bench-'))
const TICKS_PER_SECOND = 100
const STEADY_RATE = 10_000
/** The heap that bin/weir gives the program: the yardsticks have no more. */
const HEAP = ['--max-semi-space-size=8', '--heap-growing-percent=150', '--no-parallel-scavenge']

interface Running {
  readonly child: ChildProcess
  readonly port: number
  cpuSeconds(): number
  peakMiB(): number
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Starts a program and waits until it says that it listens. */
async function start(
  program: string,
  args: readonly string[],
  isReady: (output: string) => number | undefined,
): Promise<Running> {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const look = (chunk: Buffer): void => {
    output += chunk
    const port = isReady(output)
    if (port !== undefined) resolve(port)
  }
  child.stdout.on('data', look)
  child.stderr.on('data', look)
  child.on('close', () => reject(new Error(`ended before it was ready: ${output}`)))
  const port = await promise
  const proc = (file: string): string => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  return {
    child,
    port,
    cpuSeconds() {
      const fields = proc('stat').split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
    },
    peakMiB: () => Number(/VmHWM:\s+(\d+) kB/.exec(proc('status'))?.[1]) / 1024,
    async stop() {
      const ended = new Promise((done) => child.on('close', done))
      child.kill('SIGTERM')
      await ended
    },
  }
}

const script = (name: string): string => join(root, 'bench/pipeline', name)
const portOf = (output: string): number | undefined => {
  const line = /^\{"port":(\d+)\}/m.exec(output)?.[1]
  return line === undefined ? undefined : Number(line)
}
const startSink = (): Promise<Running> => start(process.execPath, [script('sink.ts')], portOf)
const startLoop = (sink: Running): Promise<Running> =>
  start(process.execPath, [...HEAP, script('otlp-loop.ts'), 'serve', `http://127.0.0.1:${sink.port}/v1/logs`], portOf)

const otlpReceiver = (port: number): string => `otlp: {protocols: {http: {endpoint: '127.0.0.1:${port}'}}}`

async function startWeir(receiver: (port: number) => string, sink: Running): Promise<Running> {
  const port = await freePort()
  const config = join(scratch, 'weir.yaml')
  writeFileSync(
    config,
    `receivers:
  ${receiver(port)}
exporters:
  otlp_http: {endpoint: 'http://127.0.0.1:${sink.port}', compression: none}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [${receiver(port).split(':')[0]}], exporters: [otlp_http]}
`,
  )
  const args = ['run', '--config', config, '--state-dir', join(scratch, 'state')]
  return start(resolve(root, values.program), args, (output) => (/Everything is ready/.test(output) ? port : undefined))
}

interface Sent {
  readonly records: number
  readonly seconds: number
  readonly retries: number
  readonly p99Ms: number
}

function send(to: Running, kind: Kind, records: number, rate = 0): Promise<Sent> {
  const args = ['--kind', kind, '--requests', String(records / RECORDS_PER_REQUEST), '--rate', String(rate)]
  const child = spawn(process.execPath, [script('otlp-sender.ts'), `http://127.0.0.1:${to.port}/v1/logs`, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => child.on('close', () => resolve(JSON.parse(output))))
}

interface Row {
  readonly name: string
  readonly perRecord: number
  readonly rate: number
  readonly peakMiB: number
}

async function through(name: string, make: (sink: Running) => Promise<Running>, kind: Kind): Promise<Row> {
  const sink = await startSink()
  const program = await make(sink)
  // The engine compiles what is hot first.
  await send(program, kind, 100_000)
  const before = program.cpuSeconds()
  const { records, seconds } = await send(program, kind, Number(values.records))
  const perRecord = ((program.cpuSeconds() - before) * 1e6) / records
  const row = { name, perRecord, rate: records / seconds, peakMiB: program.peakMiB() }
  await program.stop()
  await sink.stop()
  return row
}

async function serializersAlone(kind: Kind): Promise<Row> {
  const child = spawn(process.execPath, [...HEAP, script('otlp-loop.ts'), 'serialize', kind, '5000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  await new Promise((resolve) => child.on('close', resolve))
  return { name: 'decode and encode alone', perRecord: JSON.parse(output).microsecondsPerRecord, rate: 0, peakMiB: 0 }
}

const median = (rows: readonly Row[]): Row =>
  rows.toSorted((a, b) => a.perRecord - b.perRecord)[rows.length >> 1] as Row
async function compare(kind: Kind): Promise<void> {
  const makers: (() => Promise<Row>)[] = [
    () => serializersAlone(kind),
    () => through('the same with HTTP in and out', startLoop, kind),
    () => through('Weir, otlp to otlp_http', (sink) => startWeir(otlpReceiver, sink), kind),
  ]
  const rounds: Row[][] = makers.map(() => [])
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, make] of makers.entries()) rounds[i]?.push(await make())
  }
  const [alone, bare, weir] = rounds.map(median) as [Row, Row, Row]
  console.log(
    `\n| ${kind} | records/s | CPU µs/record | beside serializers | beside HTTP loop | peak RSS |\n| --- | ---: | ---: | ---: | ---: | ---: |`,
  )
  for (const { name, perRecord, rate, peakMiB } of [alone, bare, weir]) {
    const cells = [
      rate === 0 ? '' : Math.round(rate).toLocaleString('en'),
      perRecord.toFixed(2),
      `${(perRecord / alone.perRecord).toFixed(2)} x`,
      `${(perRecord / bare.perRecord).toFixed(2)} x`,
      peakMiB === 0 ? '' : `${Math.round(peakMiB)} MiB`,
    ]
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
}

/** Appends lines as the Collector's file writer does, in pieces of 100; resolves when all are written. */
async function appendLines(path: string, seconds: number): Promise<number> {
  const startedAt = performance.now()
  for (let written = 0; written < STEADY_RATE * seconds; written += 100) {
    const due = (written * 1000) / STEADY_RATE - (performance.now() - startedAt)
    if (due > 0) await sleep(due)
    const time = new Date().toISOString()
    const lines = Array.from(
      { length: 100 },
      (_, i) => `${time} INFO Load Generator Counter #${written + i} this is a line of a log\n`,
    )
    appendFileSync(path, lines.join(''))
  }
  return (performance.now() - startedAt) / 1000
}

interface Steady {
  readonly name: string
  readonly receiver: (port: number) => string
  /** Feeds for so many seconds; resolves with how long it took. */
  readonly feed: (weir: Running, seconds: number) => Promise<number>
  readonly published: string
}

async function steady(): Promise<void> {
  const log = join(scratch, 'steady.log')
  appendFileSync(log, '')
  const cases: Steady[] = [
    {
      name: 'OTLP to OTLP',
      receiver: otlpReceiver,
      feed: async (weir, seconds) => (await send(weir, 'testbed', STEADY_RATE * seconds, STEADY_RATE)).seconds,
      published: '11.7 %, 53 MiB',
    },
    {
      name: 'a file to OTLP',
      receiver: () => `file_log: {include: [${log}]}`,
      feed: (_, seconds) => appendLines(log, seconds),
      published: '17.7 %, 54 MiB',
    },
  ]
  console.log(
    '\n| 10,000 records/s | CPU of a core | peak RSS | the Collector, as it published in 2022 |\n| --- | ---: | ---: | ---: |',
  )
  for (const { name, receiver, feed, published } of cases) {
    const sink = await startSink()
    const weir = await startWeir(receiver, sink)
    await feed(weir, 2)
    const before = weir.cpuSeconds()
    const seconds = await feed(weir, Number(values.seconds))
    const cpu = ((weir.cpuSeconds() - before) / seconds) * 100
    const late = seconds > Number(values.seconds) * 1.03 ? ', which was too much' : ''
    console.log(`| ${name}${late} | ${cpu.toFixed(1)} % | ${Math.round(weir.peakMiB())} MiB | ${published} |`)
    await weir.stop()
    await sink.stop()
  }
}

try {
  if (values.only === '' || values.only === 'events') await compare('events')
  if (values.only === '' || values.only === 'testbed') await compare('testbed')
  if (values.only === '' || values.only === 'steady') await steady()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
