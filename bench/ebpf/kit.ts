/** What the benchmarks of the sensor share: the workload, compiled once, and Weir from dist/ with the receiver. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
export const room = mkdtempSync(join(tmpdir(), 'weir-ebpf-bench-'))
process.on('exit', () => rmSync(room, { recursive: true, force: true }))

/** Compiles the workload; needs gcc. */
export function workload(): string {
  const binary = join(room, 'workload')
  execFileSync('gcc', ['-O2', '-pthread', '-o', binary, join(import.meta.dirname, 'workload.c')], { stdio: 'inherit' })
  return binary
}

/** Runs one workload and returns what it printed. */
export function measure(
  binary: string,
  ...args: readonly (string | number)[]
): { ns: number; count: number; rate: number } {
  return JSON.parse(execFileSync(binary, args.map(String), { encoding: 'utf8' }))
}

/** The same, without waiting for it here. */
export function start(binary: string, ...args: readonly (string | number)[]): Promise<{ count: number; rate: number }> {
  const child = spawn(binary, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve) => {
    child.on('close', () => resolve(JSON.parse(text)))
  })
}

export interface Running {
  readonly child: ChildProcess
  /** CPU seconds so far, and resident memory without the rings in MiB. */
  usage(): { readonly cpu: number; readonly rss: number }
  stop(): Promise<void>
}

/** Weir with the receiver as `settings` say, into nowhere. Resolves when it sees what happens. */
export async function weir(settings: object): Promise<Running> {
  const config = join(room, 'weir.yaml')
  writeFileSync(
    config,
    `receivers: {ebpf: ${JSON.stringify(settings)}}
exporters: {stdout: {format: json}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [ebpf], exporters: [stdout]}}
`,
  )
  const child = spawn(join(root, 'bin/weir'), ['run', '--config', config, '--state-dir', join(room, 'state')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
      if (/Everything is ready/.test(said)) resolve()
    })
    child.on('exit', (code) => reject(new Error(`Weir ended with ${code}:\n${said}`)))
  })
  // The attaching of programs and the scan of processes are behind it a moment later.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  return {
    child,
    usage: () => usageOf(child.pid as number),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit')
        child.on('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

function usageOf(pid: number): { cpu: number; rss: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / 100,
    rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 - ringsOf(pid),
  }
}

/** What is resident of the mapped rings, in MiB: counted once a mapping, though their data is mapped twice. */
function ringsOf(pid: number): number {
  let total = 0
  let isRing = false
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isRing = line.includes('bpf-map')
    else if (isRing && line.startsWith('Rss:')) total += Number(/\d+/.exec(line)?.[0] ?? 0)
  }
  return total / 1024
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
