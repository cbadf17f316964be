/**
 * Which programs of the object watch what: for each feature the ways to see it, best first. A way counts when all its
 * programs load and attach; the next one is tried otherwise. What is missing is reported, never passed over.
 *
 * The first tier hooks functions inside the kernel (fentry, or kprobe where that is refused): arguments that no program
 * can rewrite any more, and no way around by io_uring or 32-bit calls. The second tier hooks tracepoints and cgroups,
 * which every kernel with BTF offers.
 */

/** What a user switches on and off; also the bits of `weir_config.signals` (enum weir_signal_bit in bpf/events.h). */
export const SIGNALS = {
  process: 1 << 0,
  file: 1 << 1,
  network: 1 << 2,
  dns: 1 << 3,
  tls: 1 << 4,
  http: 1 << 5,
  privilege: 1 << 6,
  capability: 1 << 7,
  namespace: 1 << 8,
  mount: 1 << 9,
  module: 1 << 10,
  ptrace: 1 << 11,
  memfd: 1 << 12,
  bpf: 1 << 13,
  io_uring: 1 << 14,
  signal: 1 << 15,
  fd_redirect: 1 << 16,
  syscall: 1 << 17,
} as const

export type Signal = keyof typeof SIGNALS

export interface Hook {
  /** What is watched, under its signal: `file.open`. */
  readonly feature: string
  readonly signal: Signal
  /** The name it is reported by. */
  readonly hook: string
  /** All of them are needed. */
  readonly programs: readonly string[]
  /** Loaded where the kernel has what they hook; their absence is no lack. */
  readonly optional?: readonly string[]
  /** Fields of `weir_config` that are 1 when this way is taken. */
  readonly config?: readonly ('has_file_lsm' | 'has_path_lsm')[]
  /** What this way does not see, for `sensor.status` and `weir ebpf check`. */
  readonly blind?: string
}

const syscalls = (...names: string[]): string[] => names.map((name) => `${name}_exit`)
const both = (...names: string[]): string[] => names.flatMap((name) => [`${name}_enter`, `${name}_exit`])

/** System calls that change files; architectures lack some of the older ones, kernels some of the newer. */
const CHANGES = [
  ...both('unlinkat', 'renameat2', 'linkat', 'symlinkat', 'mkdirat', 'mknodat', 'fchmodat', 'fchownat', 'truncate'),
  ...both('setxattr', 'lsetxattr', 'utimensat'),
  ...syscalls('fchmod', 'fchown', 'ftruncate', 'fsetxattr'),
]
const OLD_CHANGES = [
  ...both('unlink', 'rmdir', 'rename', 'renameat', 'link', 'symlink', 'mkdir', 'mknod', 'chmod', 'chown', 'lchown'),
  ...both('fchmodat2'),
]
const OPENS = ['open_exit_openat', 'open_exit_openat2', 'open_exit_by_handle']
const OLD_OPENS = ['open_exit_open', 'open_exit_creat']
const PATHS = ['unlink', 'rmdir', 'mkdir', 'mknod', 'symlink', 'link', 'rename', 'chmod', 'chown', 'truncate']
const CGROUP_SOCKETS = ['socket_create', 'connect_v4', 'connect_v6', 'sendmsg_v4', 'sendmsg_v6']
/** Streams of TCP get their owner from the changes of its state. */
const PACKETS = ['packet_egress', 'packet_ingress', 'tcp_state', ...CGROUP_SOCKETS]

const BLIND_OPENS = 'files opened by io_uring requests and by 32-bit programs'

/** Needed by everything else: without them no event knows its process or container. */
export const CORE: readonly Hook[] = [
  {
    feature: 'process.lifetime',
    signal: 'process',
    hook: 'tp_btf/sched_process_*',
    programs: ['process_exec', 'process_fork', 'process_exit'],
  },
  {
    feature: 'cgroup',
    signal: 'process',
    hook: 'tp_btf/cgroup_*',
    programs: ['cgroup_made', 'cgroup_removed', 'cgroup_entered'],
  },
  { feature: 'scan', signal: 'process', hook: 'iter/task', programs: ['scan_tasks'], optional: ['scan_sockets'] },
  { feature: 'heartbeat', signal: 'process', hook: 'syscall', programs: ['heartbeat'] },
]

export const HOOKS: readonly Hook[] = [
  {
    feature: 'process.exec_failed',
    signal: 'process',
    hook: 'tracepoint/syscalls',
    programs: syscalls('execve', 'execveat'),
  },
  {
    feature: 'file.open',
    signal: 'file',
    hook: 'fentry/security_file_open',
    programs: ['fentry_file_open', ...OPENS],
    optional: OLD_OPENS,
    config: ['has_file_lsm'],
  },
  {
    feature: 'file.open',
    signal: 'file',
    hook: 'kprobe/security_file_open',
    programs: ['kprobe_file_open', ...OPENS],
    optional: OLD_OPENS,
    config: ['has_file_lsm'],
  },
  {
    feature: 'file.open',
    signal: 'file',
    hook: 'tracepoint/syscalls',
    programs: OPENS,
    optional: OLD_OPENS,
    blind: BLIND_OPENS,
  },
  {
    feature: 'file.change',
    signal: 'file',
    hook: 'fentry/security_path_*',
    programs: [...CHANGES, ...PATHS.map((name) => `fentry_path_${name}`)],
    optional: OLD_CHANGES,
    config: ['has_path_lsm'],
  },
  {
    feature: 'file.change',
    signal: 'file',
    hook: 'kprobe/security_path_*',
    programs: [...CHANGES, ...PATHS.map((name) => `kprobe_path_${name}`)],
    optional: OLD_CHANGES,
    config: ['has_path_lsm'],
  },
  {
    feature: 'file.change',
    signal: 'file',
    hook: 'tracepoint/syscalls',
    programs: CHANGES,
    optional: OLD_CHANGES,
    blind: 'files changed by io_uring requests and by 32-bit programs',
  },
  {
    feature: 'network.connection',
    signal: 'network',
    hook: 'tp_btf/inet_sock_set_state',
    programs: ['tcp_state', ...syscalls('socket', 'connect', 'bind', 'listen')],
    optional: ['accept_exit_accept', 'accept_exit_accept4'],
  },
  {
    feature: 'network.flow',
    signal: 'network',
    hook: 'cgroup_skb',
    programs: PACKETS,
    // Without it what a flow came to at its end is not known.
    optional: ['socket_release'],
  },
  { feature: 'dns', signal: 'dns', hook: 'cgroup_skb', programs: PACKETS },
  { feature: 'tls', signal: 'tls', hook: 'cgroup_skb', programs: PACKETS },
  { feature: 'http', signal: 'http', hook: 'cgroup_skb', programs: PACKETS },
  {
    feature: 'privilege.call',
    signal: 'privilege',
    hook: 'tracepoint/syscalls',
    programs: syscalls(
      ...['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid'],
      ...['setfsuid', 'setfsgid', 'setgroups', 'capset', 'prctl'],
    ),
  },
  {
    feature: 'privilege.commit',
    signal: 'privilege',
    hook: 'fentry/commit_creds',
    programs: ['fentry_commit_creds'],
  },
  {
    feature: 'privilege.commit',
    signal: 'privilege',
    hook: 'kprobe/commit_creds',
    programs: ['kprobe_commit_creds'],
  },
  {
    feature: 'privilege.commit',
    signal: 'privilege',
    hook: 'comparison at events',
    programs: [],
    blind: 'a change of credentials without a call is found at the next event of its thread, not at once',
  },
  {
    feature: 'capability.use',
    signal: 'capability',
    hook: 'tp_btf/cap_capable',
    programs: ['capability_tracepoint'],
  },
  { feature: 'capability.use', signal: 'capability', hook: 'fexit/cap_capable', programs: ['capability_fexit'] },
  {
    feature: 'capability.use',
    signal: 'capability',
    hook: 'kprobe/cap_capable',
    programs: ['capability_kprobe', 'capability_kretprobe'],
  },
  {
    feature: 'namespace.change',
    signal: 'namespace',
    hook: 'tracepoint/syscalls',
    programs: syscalls('unshare', 'setns'),
  },
  {
    feature: 'mount.change',
    signal: 'mount',
    hook: 'tracepoint/syscalls',
    programs: syscalls(
      ...['mount', 'umount', 'pivot_root', 'move_mount', 'open_tree'],
      ...['fsopen', 'fsconfig', 'fsmount', 'chroot'],
    ),
    optional: syscalls('mount_setattr'),
  },
  {
    feature: 'module.load',
    signal: 'module',
    hook: 'tracepoint/syscalls',
    programs: [...syscalls('init_module', 'finit_module', 'delete_module'), 'module_loaded'],
  },
  {
    feature: 'module.request',
    signal: 'module',
    hook: 'fentry/security_kernel_module_request',
    programs: ['fentry_module_request'],
  },
  {
    feature: 'module.request',
    signal: 'module',
    hook: 'kprobe/security_kernel_module_request',
    programs: ['kprobe_module_request'],
  },
  {
    feature: 'process.ptrace',
    signal: 'ptrace',
    hook: 'tracepoint/syscalls',
    programs: ['ptrace_exit', 'vm_read_exit', 'vm_write_exit'],
    optional: ['pidfd_getfd_exit'],
  },
  { feature: 'process.signal', signal: 'signal', hook: 'tp_btf/signal_generate', programs: ['signal_sent'] },
  { feature: 'memfd.create', signal: 'memfd', hook: 'tracepoint/syscalls', programs: ['memfd_exit'] },
  {
    feature: 'bpf.use',
    signal: 'bpf',
    hook: 'tracepoint/syscalls',
    programs: ['bpf_exit'],
    optional: ['perf_event_exit'],
  },
  {
    feature: 'io_uring.use',
    signal: 'io_uring',
    hook: 'tp_btf/io_uring_submit_req',
    programs: ['io_uring_setup_exit', 'io_uring_submit_req'],
  },
  {
    feature: 'io_uring.use',
    signal: 'io_uring',
    hook: 'tp_btf/io_uring_submit_sqe',
    programs: ['io_uring_setup_exit', 'io_uring_submit_sqe'],
  },
  {
    feature: 'fd_redirect',
    signal: 'fd_redirect',
    hook: 'tracepoint/syscalls',
    programs: syscalls('dup', 'dup3'),
    optional: syscalls('dup2'),
  },
  {
    feature: 'syscall',
    signal: 'syscall',
    hook: 'tracepoint/syscalls',
    programs: syscalls('seccomp', 'settimeofday', 'clock_settime', 'sethostname'),
    optional: [
      ...syscalls('userfaultfd', 'keyctl', 'add_key', 'request_key', 'kexec_load', 'kexec_file_load'),
      ...syscalls('swapon', 'acct', 'ioperm', 'iopl'),
      'reboot_enter',
    ],
  },
]

/** Attached on request only (`raw_syscalls`): it costs every system call of the machine some 30 ns. x86-64 only. */
export const RAW: Hook = {
  feature: 'raw_syscalls',
  signal: 'syscall',
  hook: 'tp_btf/sys_exit',
  programs: ['raw_exit'],
}
