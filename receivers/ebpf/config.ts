import { z } from 'zod'
import { byteSize, duration } from '../../src/config/values.ts'
import { SIGNALS, type Signal } from '../../src/ebpf/kernel/hooks.ts'
import { AVOIDABLE } from '../../src/ebpf/kernel/plan.ts'
import { addressKey, pathKey } from '../../src/ebpf/kernel/rules.ts'
import { DEFAULT_WATCH } from '../../src/ebpf/sensing/watch-list.ts'

const KIB = 1024
const MIB = 1024 * KIB

const WHAT: Readonly<Record<Signal, string>> = {
  process: 'Programs that are started, fail to start, and end.',
  file: 'Files that are opened, made, changed, renamed and deleted.',
  network: 'Connections and flows, listeners, and sockets of unusual kinds.',
  dns: 'DNS questions and answers.',
  tls: 'Server names of TLS handshakes.',
  http: 'Heads of HTTP requests that are not encrypted.',
  privilege: 'Changes of users, groups and capabilities, also those that no system call explains.',
  capability: 'Uses of the capabilities of `capabilities`.',
  namespace: 'Namespaces that are made and entered.',
  mount: 'Mounts and changes of the root.',
  module: 'Kernel modules that are loaded and removed.',
  ptrace: 'Processes that look into or change other processes.',
  memfd: 'Files in memory that have no name.',
  bpf: 'Uses of bpf() and of performance events.',
  io_uring: 'Uses of io_uring.',
  signal: 'Signals that one process sends another to end it.',
  fd_redirect: 'Sockets that become standard input or output, as in reverse shells.',
  syscall: 'Rare system calls that say something: kexec, keyctl, userfaultfd, the clock.',
}

const signals = z
  .strictObject(
    Object.fromEntries(
      Object.keys(SIGNALS).map((name) => [
        name,
        z
          .boolean()
          .default(true)
          .describe(WHAT[name as Signal]),
      ]),
    ) as Record<Signal, z.ZodDefault<z.ZodBoolean>>,
  )
  .prefault({})
  .describe('What is watched. Programs of what is off are not even loaded.')

const ring = (size: string, what: string) =>
  byteSize()
    .refine((bytes) => bytes >= 64 * KIB && bytes <= 1024 * MIB && Number.isInteger(Math.log2(bytes)), {
      message: 'expected a power of two between 64KiB and 1GiB',
    })
    .prefault(size)
    .describe(what)

const prefix = z
  .string()
  .regex(/^\//, 'expected an absolute path')
  .refine((text) => accepts(() => pathKey(text)), { message: 'expected a path of at most 252 bytes' })

const cidr = z.string().refine((text) => accepts(() => addressKey(text)), {
  message: 'expected an address or a range such as 10.0.0.0/8 or fd00::/8',
})

function accepts(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}

function rules(verb: string, otherwise: string) {
  return z
    .strictObject({
      namespaces: z.array(z.string().min(1)).default([]).describe(`Namespaces of pods ${verb}; \`*\` is any part.`),
      pods: z.array(z.string().min(1)).default([]).describe(`Names of pods ${verb}; \`*\` is any part.`),
      pod_labels: z
        .array(z.string().regex(/^[^=\s]+(?:=.*)?$/, 'expected key=value, or a key'))
        .max(100)
        .default([])
        .describe(
          `Labels of pods ${verb}, as \`key=value\` or \`key\`; \`*\` is any part of a value. They are asked of the container runtime (\`cri_endpoint\`).`,
        ),
      containers: z
        .array(z.string().min(1))
        .default([])
        .describe(`Names of containers in pods, or ids of containers, ${verb}; \`*\` is any part.`),
      binaries: z
        .array(prefix)
        .max(1000)
        .default([])
        .describe(`Beginnings of paths of programs ${verb}, with everything that they do.`),
      path_prefixes: z.array(prefix).max(1000).default([]).describe(`Beginnings of paths of files ${verb}.`),
      cidrs: z.array(cidr).max(1000).default([]).describe(`Addresses and ranges of peers ${verb}.`),
      ports: z.array(z.int().min(1).max(65535)).max(1000).default([]).describe(`Ports of peers ${verb}.`),
    })
    .prefault({})
    .describe(otherwise)
}

function budget(perSecond: number, burst: number, what: string) {
  return z
    .strictObject({
      per_second: z.int().min(0).max(1_000_000).default(perSecond).describe('Records a second; 0 = as many as come.'),
      burst: z.int().min(1).max(4_000_000).default(burst).describe('Records that may come at once.'),
    })
    .prefault({})
    .describe(what)
}

const rateLimits = z
  .strictObject({
    enabled: z.boolean().default(true).describe('False lets everything through.'),
    exec: budget(500, 5000, 'Programs that are started.'),
    file: budget(2000, 10_000, 'Files.'),
    network: budget(2000, 10_000, 'Connections, and what is read from packets.'),
    other: budget(500, 5000, 'Everything else.'),
  })
  .prefault({})
  .describe(
    'Most records of one cgroup, so that no container can crowd out the others. What is held back is counted, and told in `sensor.throttle`.',
  )

const watchEntry = z.strictObject({
  class: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'expected a name such as credentials')
    .describe('What the files are: the value of `weir.file.watch`.'),
  paths: z
    .array(z.string().regex(/^(?:\/|\*\*\/)[^\u0000]+$/, 'expected an absolute path, or one that begins with **/'))
    .min(1)
    .max(1000)
    .describe('Paths as a process sees them; `*` is any part of a name, a leading `**/` any folder.'),
})

const watch = z
  .strictObject({
    defaults: z
      .boolean()
      .default(true)
      .describe(`The built-in list: ${[...new Set(DEFAULT_WATCH.map((entry) => `\`${entry.class}\``))].join(', ')}.`),
    files: z.array(watchEntry).max(100).default([]).describe('Further files.'),
  })
  .prefault({})
  .describe('Files of which each opening is reported, never folded, and marked with its class.')

/** Names of CAP_* in the order of their numbers. */
const CAPABILITIES = [
  ...['chown', 'dac_override', 'dac_read_search', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['linux_immutable', 'net_bind_service', 'net_broadcast', 'net_admin', 'net_raw', 'ipc_lock', 'ipc_owner'],
  ...['sys_module', 'sys_rawio', 'sys_chroot', 'sys_ptrace', 'sys_pacct', 'sys_admin', 'sys_boot', 'sys_nice'],
  ...['sys_resource', 'sys_time', 'sys_tty_config', 'mknod', 'lease', 'audit_write', 'audit_control', 'setfcap'],
  ...['mac_override', 'mac_admin', 'syslog', 'wake_alarm', 'block_suspend', 'audit_read', 'perfmon', 'bpf'],
  ...['checkpoint_restore'],
] as const

const capability = z
  .string()
  .transform((text) => text.toLowerCase().replace(/^cap_/, ''))
  .pipe(z.enum(CAPABILITIES))

/** The mask of these capabilities. */
export function capabilityMask(names: readonly (typeof CAPABILITIES)[number][]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n)
}

export const config = z.strictObject({
  signals,
  include: rules(
    'that alone are reported',
    'Where a list has entries, what is not on it is not reported. Containers are chosen by `namespaces`, `pods`, `pod_labels` and `containers` (one match is enough; processes of the host are not affected), peers by `cidrs` and `ports`.',
  ),
  exclude: rules('that are not reported', 'What is not reported; applied in the kernel. Wins over `include`.'),
  cri_endpoint: z
    .string()
    .regex(/^(?:unix:\/\/)?\//, 'expected the path of a socket, such as /run/containerd/containerd.sock')
    .optional()
    .describe(
      'Socket of the container runtime, which names pods at once and knows their labels. By default it is asked only where rules have `pod_labels`, at the place where containerd, CRI-O or k3s listen: whoever may speak there may do anything on the node.',
    ),
  arguments: z
    .strictObject({
      redact: z.boolean().default(true).describe('Replace passwords, tokens and keys in arguments of programs.'),
    })
    .prefault({})
    .describe('Arguments of programs.'),
  environment: z
    .strictObject({
      allow: z
        .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name such as LD_PRELOAD'))
        .max(64)
        .default([])
        .describe('Variables that are kept, by name; none by default, as environments hold secrets.'),
    })
    .prefault({})
    .describe('Environment variables of programs that are started.'),
  watch,
  rate_limits: rateLimits,
  dedup: duration()
    .refine((ms) => ms % 1000 === 0 && ms <= 3_600_000, { message: 'expected whole seconds, at most 1h' })
    .prefault('10s')
    .describe(
      'How long repeats of an opened file or a used capability by the same program are folded into one record that counts them; 0 = each is a record.',
    ),
  capabilities: z
    .array(capability)
    .optional()
    .describe('Capabilities whose use is reported, such as `sys_admin`; by default those that say something.'),
  failed_opens: z.boolean().default(true).describe('Report files that could not be opened.'),
  capture: z
    .strictObject({
      payload: byteSize()
        .refine((bytes) => bytes >= 128 && bytes <= 2048, { message: 'expected 128 to 2048 bytes' })
        .prefault('2KiB')
        .describe('Bytes of a packet that are looked at for names. They never leave the process.'),
    })
    .prefault({})
    .describe('What is copied out of packets.'),
  export: z
    .strictObject({
      fork: z.boolean().default(false).describe('Forks that no program follows: many, and seldom of interest.'),
      exit: z.boolean().default(true).describe('Ends of processes, with status and what they used.'),
    })
    .prefault({})
    .describe('Records that are made of what is seen in any case.'),
  avoid_hooks: z
    .array(z.enum(AVOIDABLE))
    .default([])
    .describe('Ways into the kernel that are not tried, where a host has reasons: the next best one is used.'),
  raw_syscalls: z
    .boolean()
    .default(false)
    .describe(
      'See system calls of 32-bit programs too (x86-64 only). Costs every system call of the machine some 30 ns.',
    ),
  rings: z
    .strictObject({
      critical: ring('4MiB', 'For programs, privileges and other rare things: what must not be lost.'),
      bulk: ring('16MiB', 'For files, sockets and packets.'),
    })
    .prefault({})
    .describe('Memory between kernel and Weir, powers of two; charged to the memory limit of the container.'),
  backlog: byteSize()
    .refine((bytes) => bytes >= 64 * KIB && bytes <= 1024 * MIB, { message: 'expected 64KiB to 1GiB' })
    .prefault('8MiB')
    .describe(
      'Records that may wait while the pipelines have no room. Beyond it records are shed and counted: files and connections from half of it on, programs from three quarters, privileges and findings last.',
    ),
  node_name: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the node: `host.name`, and a part of every exec id; by default the name of the machine.'),
  cluster_name: z.string().min(1).optional().describe('Sets `k8s.cluster.name` on every record.'),
  cgroup_root: z
    .string()
    .regex(/^\//, 'expected an absolute path')
    .optional()
    .describe('Where cgroup2 is mounted; found by itself.'),
  simulate_drop: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('Percent of records to lose on purpose, to try out what losses lead to.'),
})

export type Config = z.output<typeof config>
