/** What the sensor needs of the machine, and the sentence that says so where it is missing. */
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { SensorError } from './errors.ts'
import { KernelTypes } from './kernel-types.ts'

/** Bits of CAP_*: include/uapi/linux/capability.h. */
const CAP = { netAdmin: 12, sysAdmin: 21, perfmon: 38, bpf: 39 } as const
/** The oldest kernel that every program was tried on. */
const OLDEST = [6, 1] as const

export interface Environment {
  readonly kernel: string
  readonly architecture: 'x64' | 'arm64'
  readonly types: KernelTypes
  /** Where cgroup2 is mounted; undefined when it is not. */
  readonly cgroup2: string | undefined
  /** Index + 1 in css_set.subsys of the v1 controller that names containers; 0 = the unified hierarchy does. */
  readonly cgroupSubsys: number
  /** Where the hierarchy is mounted that names containers: the inodes of its directories are the ids in records. */
  readonly containerCgroups: string | undefined
  readonly tracefs: string
  readonly hasKprobes: boolean
}

/** The parts of the system that are looked at; replaced in tests. */
export interface System {
  readonly platform: string
  readonly architecture: string
  readonly release: string
  readonly status: () => string
  readonly mounts: () => string
  readonly lockdown: () => string
  readonly exists: (path: string) => boolean
  readonly types: () => KernelTypes | undefined
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

export const SYSTEM: System = {
  platform: process.platform,
  architecture: process.arch,
  release: release(),
  status: () => readOr('/proc/self/status', ''),
  mounts: () => readOr('/proc/self/mounts', ''),
  lockdown: () => readOr('/sys/kernel/security/lockdown', ''),
  exists: existsSync,
  types: () => KernelTypes.ofKernel(),
}

/** Throws a `SensorError` for the first thing that is missing. */
export function inspect(system: System = SYSTEM): Environment {
  const { architecture } = system
  if (system.platform !== 'linux') throw new SensorError(`The eBPF sensor runs on Linux; this is ${system.platform}.`)
  if (architecture !== 'x64' && architecture !== 'arm64')
    throw new SensorError(`The eBPF sensor is built for x86-64 and arm64; this machine is ${architecture}.`)
  checkKernel(system.release)
  checkPrivileges(system.status())
  if (system.lockdown().includes('[confidentiality]'))
    throw new SensorError(
      'The kernel is locked down for confidentiality, so that no program may read its memory: boot it with lockdown=integrity or none.',
    )
  const types = system.types()
  if (types === undefined)
    throw new SensorError(
      'The kernel does not describe its types (/sys/kernel/btf/vmlinux is missing): use a kernel built with CONFIG_DEBUG_INFO_BTF=y, and in a container mount the host’s /sys.',
    )
  const mounts = mountsOf(system.mounts())
  const controller = controllerOf(mounts, types)
  const cgroup2 = mounts.find(({ type }) => type === 'cgroup2')?.path
  return {
    kernel: system.release,
    architecture,
    types,
    cgroup2,
    cgroupSubsys: controller?.number ?? 0,
    containerCgroups: controller?.path ?? cgroup2,
    tracefs: findTracefs(mounts, system),
    hasKprobes: system.exists('/sys/bus/event_source/devices/kprobe/type'),
  }
}

function checkKernel(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  throw new SensorError(
    `Kernel ${version} is older than ${OLDEST.join('.')}, the oldest that the sensor's programs were tried on: use a newer kernel, or the audit receivers for this node.`,
  )
}

function checkPrivileges(status: string): void {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  const has = (bit: number): boolean => ((effective >> BigInt(bit)) & 1n) === 1n
  if (has(CAP.sysAdmin) || (has(CAP.bpf) && has(CAP.perfmon) && has(CAP.netAdmin))) return
  throw new SensorError(
    'The eBPF sensor needs the capabilities BPF, PERFMON and NET_ADMIN (or SYS_ADMIN): run it as root, or add them to the container’s securityContext.',
  )
}

interface Mount {
  readonly path: string
  readonly type: string
  readonly options: readonly string[]
}

function mountsOf(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type, options] = line.split(' ')
    return path === undefined || type === undefined ? [] : [{ path, type, options: (options ?? '').split(',') }]
  })
}

/** On hosts with v1 controllers the containers' cgroups are in those: memory where it is mounted, else pids, else cpuset. */
function controllerOf(mounts: readonly Mount[], types: KernelTypes): { number: number; path: string } | undefined {
  const v1 = mounts.filter(({ type }) => type === 'cgroup')
  for (const controller of ['memory', 'pids', 'cpuset']) {
    const index = types.cgroupSubsystem(controller)
    const mount = v1.find(({ options }) => options.includes(controller))
    if (index !== undefined && mount !== undefined) return { number: index + 1, path: mount.path }
  }
  return undefined
}

function findTracefs(mounts: readonly Mount[], system: System): string {
  const path =
    ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'].find((each) => system.exists(`${each}/events/syscalls`)) ??
    mounts.find(({ type }) => type === 'tracefs')?.path
  if (path !== undefined) return path
  throw new SensorError(
    'tracefs is not mounted, by which tracepoints are found: mount -t tracefs tracefs /sys/kernel/tracing (in a container: mount the host’s /sys/kernel/tracing).',
  )
}
