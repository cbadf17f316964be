/** Names of numbers in the kernel's user interface that records show (include/uapi/linux/{bpf,ptrace,io_uring}.h). */

/** enum bpf_cmd. */
export const BPF_COMMANDS: ReadonlyMap<number, string> = new Map([
  [0, 'BPF_MAP_CREATE'],
  [5, 'BPF_PROG_LOAD'],
  [6, 'BPF_OBJ_PIN'],
  [7, 'BPF_OBJ_GET'],
  [8, 'BPF_PROG_ATTACH'],
  [17, 'BPF_RAW_TRACEPOINT_OPEN'],
  [28, 'BPF_LINK_CREATE'],
])

/** enum bpf_prog_type. */
export const PROGRAM_TYPES = [
  'unspec',
  'socket_filter',
  'kprobe',
  'sched_cls',
  'sched_act',
  'tracepoint',
  'xdp',
  'perf_event',
  'cgroup_skb',
  'cgroup_sock',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'sock_ops',
  'sk_skb',
  'cgroup_device',
  'sk_msg',
  'raw_tracepoint',
  'cgroup_sock_addr',
  'lwt_seg6local',
  'lirc_mode2',
  'sk_reuseport',
  'flow_dissector',
  'cgroup_sysctl',
  'raw_tracepoint_writable',
  'cgroup_sockopt',
  'tracing',
  'struct_ops',
  'ext',
  'lsm',
  'sk_lookup',
  'syscall',
  'netfilter',
] as const

export const PTRACE_REQUESTS: ReadonlyMap<number, string> = new Map([
  [0, 'PTRACE_TRACEME'],
  [4, 'PTRACE_POKETEXT'],
  [5, 'PTRACE_POKEDATA'],
  [6, 'PTRACE_POKEUSR'],
  [13, 'PTRACE_SETREGS'],
  [15, 'PTRACE_SETFPREGS'],
  [16, 'PTRACE_ATTACH'],
  [0x4205, 'PTRACE_SETREGSET'],
  [0x4206, 'PTRACE_SEIZE'],
])

/** enum io_uring_op, those that stand for calls which would be reported. */
export const IO_URING_OPERATIONS: ReadonlyMap<number, string> = new Map([
  [9, 'sendmsg'],
  [13, 'accept'],
  [16, 'connect'],
  [18, 'openat'],
  [28, 'openat2'],
  [35, 'renameat'],
  [36, 'unlinkat'],
  [37, 'mkdirat'],
  [38, 'symlinkat'],
  [39, 'linkat'],
  [45, 'socket'],
  [46, 'uring_cmd'],
  [56, 'bind'],
  [57, 'listen'],
])
