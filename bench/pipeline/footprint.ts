/**
 * What does Weir cost when nothing happens, and how soon is the first record out?
 *
 *   node bench/pipeline/footprint.ts
 *
 * Runs the compiled program: idle on an empty log for a few seconds (resident memory), and over the sample log
 * (time from the start of the process to the first line on standard output, median of seven).
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { measure } from './child.ts'

const root = join(import.meta.dirname, '../..')
const build = await measure(process.execPath, [join(root, 'scripts/build.ts')])
if (build.code !== 0) throw new Error(`the build failed: ${build.stderr}`)
const scratch = mkdtempSync(join(tmpdir(), 'weir-footprint-'))

function config(include: string): string {
  const path = join(scratch, 'config.yaml')
  writeFileSync(
    path,
    `receivers: {k8s_audit: {include: ["${include}"], start_at: beginning}}
exporters: {stdout: }
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [k8s_audit], exporters: [stdout]}}}
`,
  )
  return path
}

function start(path: string, state: string) {
  const args = ['run', '--config', path, '--state-dir', join(scratch, state)]
  return spawn(join(root, 'bin/weir'), args, { stdio: ['ignore', 'pipe', 'ignore'] })
}

async function idleMiB(): Promise<number> {
  writeFileSync(join(scratch, 'empty.log'), '')
  const child = start(config(join(scratch, 'empty.log')), 'idle')
  await sleep(5000)
  const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1])
  child.kill('SIGTERM')
  await new Promise((done) => child.once('close', done))
  return kib / 1024
}

async function firstRecordMs(run: number): Promise<number> {
  const path = config(join(root, 'configs/sample/audit.log'))
  const startedAt = performance.now()
  const child = start(path, `first-${run}`)
  await new Promise((done) => child.stdout.once('data', done))
  const ms = performance.now() - startedAt
  child.stdout.resume()
  child.kill('SIGTERM')
  await new Promise((done) => child.once('close', done))
  return ms
}

const idle = await idleMiB()
const firsts: number[] = []
for (let run = 0; run < 7; run++) firsts.push(await firstRecordMs(run))
firsts.sort((a, b) => a - b)
rmSync(scratch, { recursive: true })
console.log('| | |')
console.log('| --- | ---: |')
console.log(`| resident memory, idle | ${idle.toFixed(0)} MiB |`)
console.log(`| first record out, median of 7 | ${firsts[3]?.toFixed(0)} ms |`)
console.log(`| first record out, slowest | ${firsts.at(-1)?.toFixed(0)} ms |`)
