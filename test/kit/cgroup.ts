/** A cgroup with a limit of memory, of either version, to run a program in. Making one needs root. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryCgroup {
  /** What is put before a command, so that it runs in the cgroup. */
  readonly prefix: readonly string[]
  /** Times the kernel has killed something in it for want of memory. */
  oomKills(): number
  /** The most that was used at once, in bytes. */
  peak(): number
  /** Once nothing runs in it. */
  remove(): void
}

const V1 = '/sys/fs/cgroup/memory'
const V2 = '/sys/fs/cgroup'

let made = 0

/** False, or why there is none here: for the `skip` of a test. */
export const NO_CGROUP: string | false = why()

function why(): string | false {
  try {
    memoryCgroup(64 * 2 ** 20).remove()
    return false
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // Anything else is a fault of this file, and no reason to skip.
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes(code ?? '')) throw error
    return `a cgroup with a memory limit cannot be made here: ${message}`
  }
}

export function memoryCgroup(bytes: number): MemoryCgroup {
  const isV1 = existsSync(join(V1, 'memory.limit_in_bytes'))
  const dir = join(isV1 ? V1 : V2, `weir-test-${process.pid}-${(made += 1)}`)
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8')
  mkdirSync(dir)
  try {
    writeFileSync(join(dir, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes))
    // Without swap, which would hide a leak.
    const swap = join(dir, isV1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max')
    if (existsSync(swap)) writeFileSync(swap, isV1 ? String(bytes) : '0')
  } catch (error) {
    rmdirSync(dir)
    throw error
  }
  return {
    prefix: ['/bin/sh', '-c', `echo $$ > ${dir}/cgroup.procs && exec "$@"`, 'sh'],
    oomKills: () => Number(/oom_kill (\d+)/.exec(read(isV1 ? 'memory.oom_control' : 'memory.events'))?.[1] ?? 0),
    peak: () => Number(read(isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak')),
    remove: () => rmdirSync(dir),
  }
}
