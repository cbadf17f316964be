/** Weir with the eBPF receiver as a child process, its records in a file of JSON lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Seen } from '../actions/types.ts'

const BIN = join(import.meta.dirname, '../../../bin/weir')

export interface Sensor {
  readonly child: ChildProcess
  readonly dir: string
  /** Everything that it said on standard error. */
  readonly said: string
  /** All records that have come so far. */
  records(): readonly Seen[]
  /** Resolves when a record fits; rejects with what the sensor said when none does in time. */
  until(fits: (record: Seen) => boolean, what: string, limitMs?: number): Promise<Seen>
  /** Ends the process and starts another on the same file and state. */
  restart(signal?: NodeJS.Signals): Promise<void>
  end(signal?: NodeJS.Signals): Promise<number | null>
  remove(): Promise<void>
}

export interface SensorOptions {
  /** YAML of the receiver's options, in flow style. */
  readonly receiver?: string
  /** What is put before the command. */
  readonly prefix?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Which records are kept for `records()`; all unless told. */
  readonly keep?: (record: Seen) => boolean
  readonly limitMs?: number
}

export async function startSensor({
  receiver = '{}',
  prefix = [],
  env = {},
  keep = () => true,
  limitMs = 30_000,
}: SensorOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'weir-sensor-'))
  const path = join(dir, 'records.jsonl')
  writeFileSync(
    join(dir, 'weir.yaml'),
    `receivers:
  ebpf: ${receiver}
exporters:
  file: {path: ${path}, rotation: {max_size: 0}}
service:
  pipelines:
    logs: {receivers: [ebpf], exporters: [file]}
  telemetry: {metrics: {level: none}}
`,
  )
  const reader = lineReader(path, keep)
  let said = ''
  const start = (): ChildProcess => {
    const command = [...prefix, BIN, 'run', '--config', join(dir, 'weir.yaml'), '--state-dir', join(dir, 'state')]
    const child = spawn(command[0] as string, command.slice(1), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr?.setEncoding('utf8').on('data', (chunk) => (said += chunk))
    return child
  }
  let child = start()
  const end = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
      child.once('close', (code) => resolve(code))
      child.kill(signal)
    })
  const sensor: Sensor = {
    get child() {
      return child
    },
    dir,
    get said() {
      return said
    },
    records: () => reader.all(),
    async until(fits, what, limit = 20_000) {
      let from = 0
      for (const over = Date.now() + limit; ; await sleep(20)) {
        const all = reader.all()
        for (; from < all.length; from++) if (fits(all[from] as Seen)) return all[from] as Seen
        if (child.exitCode !== null) throw new Error(`Weir ended before ${what}:\n${said}`)
        if (Date.now() > over) throw new Error(`waited in vain for ${what}, among ${all.length} records:\n${said}`)
      }
    },
    async restart(signal) {
      await end(signal)
      child = start()
    },
    end,
    async remove() {
      await end('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
  try {
    await sensor.until(({ eventName }) => eventName === 'sensor.status', 'sensor.status', limitMs)
  } catch (error) {
    await sensor.remove()
    throw error
  }
  return sensor
}

/** Reads what was appended since, and keeps all records. */
function lineReader(path: string, keep: (record: Seen) => boolean): { all(): readonly Seen[] } {
  const records: Seen[] = []
  const block = Buffer.allocUnsafe(1 << 20)
  let offset = 0
  let rest = ''
  return {
    all() {
      if (!existsSync(path)) return records
      const fd = openSync(path, 'r')
      try {
        for (let size: number; (size = readSync(fd, block, 0, block.length, offset)) > 0; offset += size) {
          const lines = (rest + block.toString('latin1', 0, size)).split('\n')
          rest = lines.pop() ?? ''
          for (const text of lines) {
            const record = JSON.parse(Buffer.from(text, 'latin1').toString()) as Seen
            if (keep(record)) records.push(record)
          }
        }
      } finally {
        closeSync(fd)
      }
      return records
    },
  }
}

/** For a `skip`: why no sensor can run here. */
export function noSensor(): string | false {
  if (process.platform !== 'linux') return 'eBPF is a part of Linux'
  if (process.getuid?.() !== 0) return 'loading eBPF programs takes root'
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'this kernel has no BTF'
  const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/lib64', '/usr/lib64']
  if (!libraries.some((dir) => existsSync(join(dir, 'libbpf.so.1')))) return 'libbpf.so.1 is not installed'
  const [missing] = ['/usr/bin/gcc', '/bin/busybox', '/usr/sbin/runc'].filter((path) => !existsSync(path))
  return missing === undefined ? false : `${missing} is missing: scripts/test-setup.ts brings it`
}
