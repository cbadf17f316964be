/** Runs a program to its end and says what it cost. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Cost {
  readonly code: number | null
  readonly seconds: number
  /** User and system time of the process with all its threads, as the kernel accounts it. */
  readonly cpuSeconds: number
  readonly peakRssMiB: number
  readonly stdout: string
  readonly stderr: string
}

const TICKS_PER_SECOND = 100

/** CPU of children that have ended and were waited for: `cutime` and `cstime` of proc(5), in ticks. */
function endedChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

function peakOf(pid: number): number | undefined {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return undefined
  }
}

/** One child at a time: the kernel does not say which ended child a second of CPU belongs to. */
export async function measure(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Cost> {
  const before = endedChildren()
  const startedAt = performance.now()
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (out.stdout += chunk))
  child.stderr.on('data', (chunk) => (out.stderr += chunk))
  let peakRssMiB = 0
  const poll = setInterval(() => {
    peakRssMiB = Math.max(peakRssMiB, peakOf(child.pid as number) || 0)
  }, 20)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(poll)
  const seconds = (performance.now() - startedAt) / 1000
  return { code, seconds, cpuSeconds: endedChildren() - before, peakRssMiB, ...out }
}
