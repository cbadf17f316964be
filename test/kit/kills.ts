/** Kills the program again and again while files grow and rotate, and says what arrived in the end. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { countingSink } from './counting-sink.ts'
import { type Ledger, lineId, type Truncation, textOf, type WriterOptions } from './rotating-writer.ts'
import { workspace } from './weir.ts'

export interface KillOptions {
  readonly kills: number
  readonly rotation: WriterOptions['rotation']
  readonly linesPerSecond: number
  readonly rotateEveryMs: number
  /** How long the program may live before it is killed, at random between the two. */
  readonly lifeMs: readonly [number, number]
  /** True when the patterns name rotated files too. */
  readonly matchRotated: boolean
  /** Where the queue of the exporter is; in memory unless given. */
  readonly queue?: 'memory' | 'disk'
}

export interface KillResult {
  readonly written: number
  readonly arrived: number
  /** Arrivals beyond the first of each line. */
  readonly duplicates: number
  readonly missing: readonly string[]
  readonly missingBytes: number
  /** Bytes that the program itself reported as lost, over all its lives: what it can see of it. */
  readonly reportedBytes: number
  /** Missing lines that a running program had the time to deliver before they were destroyed. */
  readonly unexplained: readonly string[]
  /** Lines that arrived under more than one `log.record.uid`. */
  readonly ambiguous: readonly string[]
  readonly kills: number
  readonly rotations: number
  /** Lines that truncations destroyed, read or not. */
  readonly truncated: number
  readonly seconds: number
  /** Exit code and stderr of the last run, which drains. */
  readonly code: number | null
  readonly stderr: string
}

const FILES = ['audit-a.log', 'audit-b.log', 'text-a.log', 'text-b.log']
/** A line that stands in a file for less, while the program is up, may be destroyed before it is delivered. */
const READ_WITHIN_MS = 1500

export async function runKills(options: KillOptions): Promise<KillResult> {
  const { kills, rotation, linesPerSecond, rotateEveryMs, lifeMs } = options
  const startedAt = performance.now()
  const room = workspace()
  const logs = room.path('logs')
  mkdirSync(join(logs, 'copies'), { recursive: true })
  const sink = await countingSink({ unanswered: 0.01, refused: 0.01 })
  const ledgerPath = room.path('ledger.json')
  const writerOptions: WriterOptions = {
    dir: logs,
    ledger: ledgerPath,
    files: FILES,
    rotation,
    linesPerSecond,
    rotateEveryMs,
    backups: 40,
  }
  const config = configOf(logs, sink.url, options)
  const writer = spawn(
    process.execPath,
    [join(import.meta.dirname, 'rotating-writer.ts'), JSON.stringify(writerOptions)],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  const written = new Promise((resolve) => writer.once('close', resolve))
  const down: Span[] = []
  try {
    // A file that was renamed out of the patterns before anybody ever looked is known to nobody: look once before.
    const scout = room.run(config)
    await scout.says(/Everything is ready/)
    await sleep(1000)
    await scout.end('SIGKILL')
    writer.kill('SIGUSR1')
    let downSince = Date.now()
    let reportedBytes = 0
    for (let i = 0; i < kills; i++) {
      const one = room.run(config)
      // A kill may hit the start as well: then it was never up.
      const death = sleep(lifeMs[0] + Math.random() * (lifeMs[1] - lifeMs[0]))
      const upSince = await Promise.race([one.says(/Everything is ready/).then(Date.now), death.then(() => undefined)])
      await death
      await one.end('SIGKILL')
      reportedBytes += reportedIn(one.stderr)
      if (upSince === undefined) continue
      down.push([downSince, upSince])
      downSince = Date.now()
    }
    writer.kill('SIGTERM')
    await written
    down.push([downSince, Number.POSITIVE_INFINITY])
    const last = room.run(config, { flags: ['--drain'] })
    const { code } = await last.ended
    reportedBytes += reportedIn(last.stderr)
    const ledger = JSON.parse(room.read('ledger.json')) as Ledger
    const seconds = (performance.now() - startedAt) / 1000
    return { ...account(ledger, sink.arrivals, down), reportedBytes, kills, seconds, code, stderr: last.stderr }
  } finally {
    writer.kill('SIGKILL')
    await room.remove()
    await sink.close()
  }
}

function configOf(logs: string, endpoint: string, { matchRotated, queue }: KillOptions): string {
  const storage = queue === 'disk' ? 'file_storage' : ''
  const star = matchRotated ? '*' : ''
  return `
receivers:
  k8s_audit: {include: ["${logs}/audit-*.log${star}"], start_at: beginning, poll_interval: 50ms}
  file_log: {include: ["${logs}/text-*.log${star}"], start_at: beginning, poll_interval: 50ms}
exporters:
  otlp_http:
    endpoint: ${endpoint}
    encoding: json
    compression: none
    retry_on_failure: {initial_interval: 20ms}
    sending_queue: {${storage === '' ? '' : `storage: ${storage}`}}
extensions: {file_storage: }
service:
  extensions: [${storage}]
  memory: {budget: 32MiB}
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [k8s_audit, file_log], exporters: [otlp_http]}
`
}

/** From and to, in milliseconds. */
type Span = readonly [number, number]
type Accounts = Omit<KillResult, 'reportedBytes' | 'kills' | 'seconds' | 'code' | 'stderr'>

function account(
  ledger: Ledger,
  arrivals: Awaited<ReturnType<typeof countingSink>>['arrivals'],
  down: readonly Span[],
): Accounts {
  const missing: string[] = []
  const unexplained: string[] = []
  const ambiguous: string[] = []
  let duplicates = 0
  let missingBytes = 0
  let written = 0
  for (const [file, count] of Object.entries(ledger.written)) {
    written += count
    for (let i = 0; i < count; i++) {
      const id = lineId(file, i)
      const arrival = arrivals.get(id)
      if (arrival === undefined) {
        missing.push(id)
        missingBytes += textOf(file, i).length + 1
        if (!couldBeMissed(ledger, file, i, down)) unexplained.push(id)
      } else {
        duplicates += arrival.times - 1
        if (arrival.uids.size > 1) ambiguous.push(id)
      }
    }
  }
  const truncated = ledger.truncations.reduce((total, { lines: [first, last] }) => total + last - first + 1, 0)
  return {
    written,
    arrived: arrivals.size,
    duplicates,
    missing,
    missingBytes,
    unexplained,
    ambiguous,
    rotations: ledger.rotations,
    truncated,
  }
}

function reportedIn(stderr: string): number {
  let bytes = 0
  for (const [, lost] of stderr.matchAll(/was truncated before its last (\d+) bytes were delivered/g))
    bytes += Number(lost)
  return bytes
}

/** True when the line was destroyed before a running program had the time to deliver it. */
function couldBeMissed(ledger: Ledger, file: string, line: number, down: readonly Span[]): boolean {
  const { truncations, times } = ledger
  const holdsLine = ({ file: name, lines: [first, last] }: Truncation): boolean =>
    name === file && line >= first && line <= last
  const truncation = truncations.find(holdsLine)
  if (truncation === undefined) return false
  const writtenAt = times[file]?.findLast(([first]) => first <= line)?.[1] ?? 0
  return longestUp(writtenAt, truncation.at, down) < READ_WITHIN_MS
}

/** The longest time between two moments for which the program was up without a break. */
function longestUp(from: number, to: number, down: readonly Span[]): number {
  let longest = 0
  let upSince = from
  for (const [downFrom, downTo] of down) {
    if (downTo < from || downFrom > to) continue
    longest = Math.max(longest, downFrom - upSince)
    upSince = Math.max(upSince, downTo)
  }
  return Math.max(longest, to - upSince)
}
