/** Attributes of changed privileges, and of doors into the kernel and into other processes. */
import { flag, type Group, int, text, texts } from './attribute-types.ts'

const PRIVILEGES: Group = {
  title: 'Privileges',
  events: '`privilege.change`, `capability.use`, `namespace.change`',
  attributes: {
    'weir.privilege.call': text('`setuid`, `capset`, …; `drift` for a change that no call explains, `commit_creds`.'),
    'weir.privilege.before.user.id': text('Effective user before.'),
    'weir.privilege.after.user.id': text('And after.'),
    'weir.privilege.before.real_user.id': text('Real user before.'),
    'weir.privilege.after.real_user.id': text('And after.'),
    'weir.privilege.before.group.id': text('Effective group before.'),
    'weir.privilege.after.group.id': text('And after.'),
    'weir.privilege.capabilities.gained': texts('Capabilities that are permitted now and were not before.'),
    'weir.privilege.capabilities.lost': texts('And the other way round.'),
    'weir.privilege.unexplained': flag('No call explains the change: the mark of an exploited kernel.'),
    'weir.capability': text('`CAP_SYS_ADMIN`, …'),
    'weir.capability.granted': flag('The process had it.'),
    'weir.capability.syscall': text('The system call that asked for it.'),
    'weir.namespace.call': text('`unshare`, `setns` or `clone`.'),
    'weir.namespace.types': texts('`mnt`, `pid`, `net`, `uts`, `ipc`, `cgroup`, `user`, `time`.'),
    'weir.namespace.before.*': int('Inode number of a namespace that was left, by its type.'),
    'weir.namespace.after.*': int('Inode number of the one that was entered.'),
  },
}

const KERNEL: Group = {
  title: 'Mounts, modules and programs of the kernel',
  events: '`mount.change`, `module.load`, `memfd.create`, `bpf.use`, `io_uring.use`, `process.syscall`',
  attributes: {
    'weir.mount.call': text('`mount`, `umount2`, `pivot_root`, `move_mount`, `fsopen`, `chroot`, …'),
    'weir.mount.source': text('What is mounted.'),
    'weir.mount.target': text('Where.'),
    'weir.mount.type': text('Kind of the file system.'),
    'weir.mount.flags': texts('`bind`, `ro`, `rec`, …'),
    'weir.module.call': text('`init_module`, `finit_module`, `delete_module`, `loaded`, `request`.'),
    'weir.module.name': text('Of the module.'),
    'weir.module.path': text('Of its file.'),
    'weir.memfd.name': text('What the memory file is called.'),
    'weir.memfd.flags': texts('`cloexec`, `exec`, …'),
    'weir.bpf.command': text('`BPF_PROG_LOAD`, …, `perf_event_open`.'),
    'weir.bpf.type': text('Kind of the program or map.'),
    'weir.bpf.name': text('What it is called.'),
    'weir.bpf.instructions': int('How long the program is.'),
    'weir.io_uring.operation': text('`setup`, or the first request of its kind: `OPENAT`, `CONNECT`, …'),
    'weir.syscall': text('A call that few programs make: `userfaultfd`, `keyctl`, `reboot`, …'),
    'weir.syscall.arguments': texts('Its first three arguments, hexadecimal.'),
  },
}

const OTHERS: Group = {
  title: 'What is done to other processes',
  events: '`process.ptrace`, `process.signal`',
  attributes: {
    'weir.ptrace.call': text('`ptrace`, `process_vm_readv`, `process_vm_writev`, `pidfd_getfd`.'),
    'weir.ptrace.request': text('`PTRACE_ATTACH`, …'),
    'weir.signal': text('`SIGKILL`, …'),
    'weir.target.pid': int('Pid of the other process.'),
    'weir.target.entity_id': text('Its identity.'),
    'weir.target.exec_id': text('The image it runs.'),
    'weir.target.comm': text('What it is called.'),
  },
}

export const KERNEL_GROUPS: readonly Group[] = [PRIVILEGES, KERNEL, OTHERS]
