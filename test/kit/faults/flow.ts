/**
 * The common course of the faults: numbered lines into a file that is rotated by renaming, the real program, a
 * destination, an account.
 */
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Destination, type Mood, startDestination } from '../faulty-destination.ts'
import { type WeirProcess, type Workspace, workspace } from '../weir.ts'
import type { FaultResult } from './fault.ts'

/** How often the file is rotated, while something is written. */
const ROTATE_EVERY_MS = 500

export type Queue = 'memory' | 'disk'
export type Kind = 'otlp' | 'bulk'

/** An exporter's configuration: it retries soon, so that a test does not take long. */
export function exporterOf(kind: Kind, url: string, queue: Queue, more = ''): string {
  const shared = `timeout: 2s, retry_on_failure: {initial_interval: 20ms, max_interval: 200ms}, sending_queue: {${queue === 'disk' ? 'storage: file_storage, ' : ''}batch: {min_size: 100, flush_timeout: 20ms}}${more}`
  return kind === 'otlp' ? `{endpoint: '${url}', ${shared}}` : `{endpoints: ['${url}'], ${shared}}`
}

export function configOf(input: string, exporters: Readonly<Record<string, string>>): string {
  const lines = Object.entries(exporters).map(([id, config]) => `  ${id}: ${config}`)
  return `
receivers: {file_log: {include: ['${input}'], start_at: beginning, poll_interval: 20ms}}
extensions: {file_storage: }
exporters:
${lines.join('\n')}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [file_log], exporters: [${Object.keys(exporters).join(', ')}]}}
`
}

const ID = { otlp: 'otlp_http', bulk: 'elasticsearch' } as const

export interface Flow {
  readonly room: Workspace
  readonly to: Destination
  readonly config: string
  /** Appends the next `count` numbered lines. */
  write(count: number): void
  /** The same, spread over `ms`. */
  writeOver(count: number, ms: number): Promise<void>
  readonly written: number
  start(flags?: readonly string[]): Promise<WeirProcess>
  /** Waits until every line has arrived or was reported; gives up when nothing new came for `patienceMs`. */
  account(note: string, patienceMs?: number): Promise<FaultResult>
}

export interface FlowOptions {
  readonly fault: string
  readonly kind?: Kind
  readonly queue?: Queue
  readonly mood?: Mood
  readonly more?: string
}

/** Runs `course` in a workspace of its own, and cleans up after it. */
export async function flow(
  { fault, kind = 'otlp', queue = 'disk', mood = { kind: 'accepts' }, more = '' }: FlowOptions,
  course: (flow: Flow) => Promise<FaultResult>,
): Promise<FaultResult> {
  const room = workspace()
  const to = await startDestination(mood)
  const input = room.path('in.log')
  writeFileSync(input, '')
  let written = 0
  let rotations = 0
  let rotatedAt = Date.now()
  const write = (count: number): void => {
    if (Date.now() - rotatedAt > ROTATE_EVERY_MS) {
      renameSync(input, room.path(`in-${(rotations += 1)}.log`))
      rotatedAt = Date.now()
    }
    let text = ''
    for (let i = 0; i < count; i++) text += `seq-${written + i}- ${'words of a line '.repeat(5)}\n`
    appendFileSync(input, text)
    written += count
  }
  const config = configOf(join(room.dir, 'in*.log'), { [ID[kind]]: exporterOf(kind, to.url, queue, more) })
  try {
    return await course({
      room,
      to,
      config,
      write,
      async writeOver(count, ms) {
        const steps = Math.max(1, Math.round(ms / 20))
        const startedAt = Date.now()
        for (let i = 0, done = 0; i < steps; i++) {
          const due = Math.round((count * (i + 1)) / steps)
          write(due - done)
          done = due
          await sleep(Math.max(0, startedAt + ((i + 1) * ms) / steps - Date.now()))
        }
      },
      get written() {
        return written
      },
      async start(flags = []) {
        const one = room.run(config, { flags })
        await one.says(/Everything is ready/)
        return one
      },
      async account(note, patienceMs = 10_000) {
        let last = { total: -1, at: Date.now() }
        for (;;) {
          const { arrived, refused, duplicates } = await to.report()
          const total = arrived + refused
          if (total !== last.total) last = { total, at: Date.now() }
          if (total >= written || Date.now() - last.at > patienceMs) {
            return { fault, records: written, missing: written - total, duplicates, reported: refused, note }
          }
          await sleep(50)
        }
      },
    })
  } finally {
    await room.remove()
    await to.close()
  }
}
