/** Values of the enums that both sides share, generated from the BTF of the object (bpf/events.h) by `npm run bpf`: do not edit. */

export const TYPE = {
  exec: 1, fork: 2, exit: 3, open: 4, fs: 5, sock: 6, l7: 7, cred: 8, cap: 9, ns: 10, mount: 11, module: 12, bpf: 13,
  ptrace: 14, memfd: 15, iouring: 16, cgroup: 17, heartbeat: 18, throttle: 19, fd: 20, signal: 21, syscall: 22,
  execFailed: 23, types: 24,
} as const

export const FLAG = {
  trunc: 1, readFault: 2, argChanged: 4, compat32: 8, aggregated: 16, scan: 32, kthread: 64, ioUring: 128, drift: 256,
  watched: 512, notCurrent: 1024, listener: 2048,
} as const

export const PROCESS_FLAG = {
  initTree: 1, forked: 2, scanned: 4, self: 8, kthread: 16, excluded: 32,
} as const

export const EXEC_FLAG = {
  secure: 1, setuid: 2, setgid: 4, fileCaps: 8, memfd: 16, unlinked: 32, tmpfs: 64, upper: 128, kthread: 256,
  writable: 512, thread: 1024,
} as const

export const FS_OP = {
  unlink: 1, rmdir: 2, rename: 3, link: 4, symlink: 5, mkdir: 6, mknod: 7, chmod: 8, chown: 9, truncate: 10,
  setxattr: 11, utimes: 12,
} as const

export const SOCK_OP = {
  create: 1, bind: 2, connect: 3, accept: 4, listen: 5, close: 6, flow: 7,
} as const

export const L7_KIND = {
  dns: 1, tls: 2, http: 3,
} as const

export const CRED_OP = {
  setuid: 1, setgid: 2, setreuid: 3, setregid: 4, setresuid: 5, setresgid: 6, setfsuid: 7, setfsgid: 8, setgroups: 9,
  capset: 10, prctl: 11, drift: 12, commit: 13,
} as const

export const NS_OP = {
  unshare: 1, setns: 2, clone: 3,
} as const

export const MOUNT_OP = {
  mount: 1, umount: 2, pivotRoot: 3, moveMount: 4, openTree: 5, fsopen: 6, fsconfig: 7, fsmount: 8, setattr: 9,
  chroot: 10,
} as const

export const MODULE_OP = {
  init: 1, finit: 2, delete: 3, loaded: 4, request: 5,
} as const

export const BPF_OP = {
  bpf: 1, perfEventOpen: 2,
} as const

export const PTRACE_OP = {
  ptrace: 1, vmRead: 2, vmWrite: 3, pidfdGetfd: 4,
} as const

export const CGROUP_OP = {
  mkdir: 1, rmdir: 2, attach: 3,
} as const

export const RATE_CLASS = {
  exec: 0, file: 1, network: 2, other: 3, classes: 4,
} as const

export const SIGNAL_BIT = {
  process: 1, file: 2, network: 4, dns: 8, tls: 16, http: 32, privilege: 64, capability: 128, namespace: 256,
  mount: 512, module: 1024, ptrace: 2048, memfd: 4096, bpf: 8192, ioUring: 16384, signal: 32768, fd: 65536,
  syscall: 131072,
} as const

export const SYSCALL_OP = {
  userfaultfd: 1, keyctl: 2, addKey: 3, requestKey: 4, seccomp: 5, settimeofday: 6, clockSettime: 7, reboot: 8,
  kexecLoad: 9, kexecFileLoad: 10, sethostname: 11, swapon: 12, acct: 13, ioperm: 14, iopl: 15,
} as const

export const RULE = {
  exclude: 1, include: 2,
} as const
