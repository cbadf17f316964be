/** Actions about what a process may do, and doors into the kernel and into other processes. */
import { type Action, type Facts, has, present, told } from './types.ts'

const calls = (...names: string[]) => new RegExp(`^(${names.join('|')})$`)

export const privilegeActions: readonly Action[] = [
  {
    id: '18',
    title: 'users and capabilities change',
    run: ({ deed }) => [deed, 'escalate'],
    expected: [
      { event: 'privilege.change', by: 'asking', where: { 'weir.privilege.call': 'setuid', 'error.type': 'EPERM' } },
      {
        event: 'privilege.change',
        by: 'dropping',
        where: {
          'weir.privilege.call': calls('setresuid', 'commit_creds'),
          'weir.privilege.before.user.id': is(0),
          'weir.privilege.after.user.id': is(65534),
        },
      },
      {
        event: 'privilege.change',
        by: 'dropping',
        where: { 'weir.privilege.before.user.id': is(65534), 'weir.privilege.after.user.id': is(0) },
      },
      { event: 'privilege.change', by: 'capset', where: { 'weir.privilege.capabilities.lost': has('CAP_SYS_ADMIN') } },
      {
        event: 'process.exec',
        by: 'suid-root',
        where: { 'weir.exec.flags': has('setuid'), 'process.user.id': is(0), 'process.real_user.id': is(65534) },
      },
      {
        event: 'process.exec',
        by: 'file-caps',
        where: { 'weir.exec.flags': has('file_caps'), 'weir.process.capabilities.effective': has('CAP_NET_RAW') },
      },
    ],
    atMost: 60,
    twin: { run: ({ deed }) => [deed, 'modest'], allowed: ['privilege.change', 'capability.use'] },
  },
  {
    id: '19',
    title: 'capabilities are used and refused',
    run: ({ deed }) => [deed, 'capabilities'],
    expected: [
      ...['CAP_SYS_CHROOT', 'CAP_MKNOD', 'CAP_NET_RAW'].map((name) => ({
        event: 'capability.use',
        by: 'refused',
        where: { 'weir.capability': name, 'weir.capability.granted': false },
      })),
      {
        event: 'capability.use',
        by: 'main',
        where: { 'weir.capability': 'CAP_SYS_CHROOT', 'weir.capability.granted': true },
      },
      {
        event: 'capability.use',
        by: 'main',
        where: { 'weir.capability': 'CAP_MKNOD', 'weir.capability.granted': true },
      },
      { event: 'mount.change', by: 'refused', where: { 'weir.mount.call': 'mount', 'error.type': 'EPERM' } },
    ],
    atMost: 50,
    twin: { run: ({ deed }) => [deed, 'no_capabilities'], allowed: ['privilege.change', 'capability.use'] },
  },
  {
    id: '20',
    title: 'namespaces are made and entered',
    run: ({ deed }) => [deed, 'namespaces'],
    expected: [
      {
        event: 'namespace.change',
        by: 'user',
        where: { 'weir.namespace.call': 'unshare', 'weir.namespace.types': has('user') },
        unless: (facts) => facts.of('user-refused').pid !== undefined,
      },
      {
        event: 'namespace.change',
        by: 'rest',
        where: { 'weir.namespace.call': 'unshare', 'weir.namespace.types': has('net', 'mnt', 'pid') },
      },
      { event: 'namespace.change', by: 'enter', where: { 'weir.namespace.call': 'setns' } },
      {
        event: 'namespace.change',
        // Of the child, whose namespaces they are.
        parent: 'main',
        where: { 'weir.namespace.call': calls('clone', 'clone3'), 'weir.namespace.types': has('uts', 'ipc') },
      },
    ],
    atMost: 40,
    twin: { run: ({ deed }) => [deed, 'forked'] },
  },
  {
    id: '21',
    title: 'mounts change, in the old way and in the new one',
    run: ({ deed }) => [deed, 'mounts'],
    expected: [
      {
        event: 'mount.change',
        by: 'main',
        where: {
          'weir.mount.call': 'mount',
          'weir.mount.type': 'tmpfs',
          'weir.mount.source': 'weir-tmpfs',
          'weir.mount.target': /new$/,
        },
      },
      {
        event: 'mount.change',
        by: 'main',
        where: { 'weir.mount.call': 'mount', 'weir.mount.flags': has('bind'), 'weir.mount.target': /bound$/ },
      },
      ...['fsopen', 'fsconfig', 'fsmount', 'move_mount', 'pivot_root'].map((call) => ({
        event: 'mount.change',
        by: 'main',
        where: { 'weir.mount.call': call },
      })),
      { event: 'mount.change', by: 'main', where: { 'weir.mount.call': calls('umount', 'umount2') } },
      { event: 'file.create', by: 'main', where: { 'file.path': /release_agent$/, 'weir.file.access': has('write') } },
    ],
    atMost: 50,
    twin: { run: ({ deed }) => [deed, 'list_mounts'] },
  },
  {
    id: '22',
    title: 'kernel modules are loaded and removed',
    run: ({ deed }) => [deed, 'modules'],
    expected: ['init_module', 'finit_module', 'delete_module'].map((call) => ({
      event: 'module.load',
      by: 'main',
      where: { 'weir.module.call': call, 'error.type': present },
    })),
    atMost: 20,
    twin: { run: ({ deed }) => [deed, 'version'] },
  },
  {
    id: '23',
    title: 'another process is traced and written into',
    run: ({ deed }) => [deed, 'trace'],
    expected: [
      { event: 'process.ptrace', where: { 'weir.ptrace.request': 'PTRACE_TRACEME' } },
      ...['PTRACE_ATTACH', 'PTRACE_POKETEXT'].map((request) => ({
        event: 'process.ptrace',
        by: 'main',
        where: {
          'weir.ptrace.request': request,
          'weir.target.pid': told('main', 'victim'),
          'weir.target.exec_id': present,
        },
      })),
      {
        event: 'process.ptrace',
        by: 'main',
        where: { 'weir.ptrace.request': 'PTRACE_SEIZE', 'weir.target.pid': told('main', 'seized') },
      },
      {
        event: 'process.ptrace',
        by: 'main',
        where: { 'weir.ptrace.call': 'process_vm_writev', 'weir.target.pid': told('main', 'victim') },
      },
      {
        event: 'process.ptrace',
        by: 'main',
        where: { 'weir.ptrace.call': 'pidfd_getfd' },
      },
    ],
    atMost: 40,
    twin: { run: ({ deed }) => [deed, 'waiting'] },
  },
  {
    id: '24',
    title: 'programs are loaded into the kernel',
    run: ({ deed }) => [deed, 'load_bpf'],
    expected: [
      {
        event: 'bpf.use',
        by: 'main',
        where: { 'weir.bpf.command': 'BPF_MAP_CREATE', 'weir.bpf.name': 'weir_deed_map' },
      },
      {
        event: 'bpf.use',
        by: 'main',
        where: { 'weir.bpf.command': 'BPF_PROG_LOAD', 'weir.bpf.type': /SOCKET_FILTER/i, 'weir.bpf.name': 'weir_deed' },
      },
      { event: 'bpf.use', by: 'main', where: { 'weir.bpf.command': /perf_event_open/i } },
    ],
    atMost: 20,
    twin: { run: ({ deed }) => [deed, 'polling'] },
  },
  {
    id: '25',
    title: 'a file and a connection without the system calls for them',
    run: ({ deed }) => [deed, 'uring', '/etc/shadow'],
    expected: [
      { event: 'io_uring.use', by: 'main', where: { 'weir.io_uring.operation': /setup/i } },
      { event: 'io_uring.use', by: 'main', where: { 'weir.io_uring.operation': 'openat' }, unless: noUring },
      { event: 'io_uring.use', by: 'main', where: { 'weir.io_uring.operation': 'connect' }, unless: noUring },
      { event: 'network.close', by: 'main', where: { 'destination.port': told('main', 'port') }, unless: noUring },
      {
        event: 'file.open',
        by: 'main',
        where: { 'file.path': '/etc/shadow', 'weir.file.watch': present },
        unless: (facts) => noUring(facts) || !facts.seesEveryOpen,
      },
    ],
    atMost: 30,
    twin: { run: ({ deed }) => [deed, 'polling'] },
  },
  {
    id: '26',
    title: 'rare system calls, and a signal that ends somebody else',
    run: ({ deed }) => [deed, 'rare'],
    expected: [
      { event: 'process.syscall', by: 'fault', where: { 'weir.syscall': 'userfaultfd' } },
      { event: 'process.syscall', by: 'seccomp', where: { 'weir.syscall': 'seccomp' } },
      { event: 'process.syscall', by: 'main', where: { 'weir.syscall': 'keyctl' } },
      {
        event: 'process.signal',
        by: 'main',
        where: { 'weir.signal': 'SIGKILL', 'weir.target.pid': told('main', 'victim'), 'weir.target.exec_id': present },
      },
      { event: 'process.exit', where: { 'process.exit.signal': 'SIGKILL', 'process.pid': told('main', 'victim') } },
    ],
    atMost: 30,
    twin: { run: ({ deed }) => [deed, 'common'] },
  },
]

/** Ids are text in some models and numbers in others; what counts is which. */
function is(id: number): (value: unknown) => boolean {
  return (value) => value !== undefined && Number(value) === id
}

function noUring(facts: Facts): boolean {
  return facts.of('uring')['opened'] !== 1
}
