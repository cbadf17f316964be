/**
 * Every attribute of the records that the kernel's events become, with its type and meaning: docs/ebpf-events.md is made
 * from this table, and a test holds it equal to what the decoders emit. A trailing `*` stands for any rest of the name.
 *
 * Names are those of OpenTelemetry's semantic conventions where they have one; `process.entity_id`, `process.parent.*`
 * and `network.peer.address` of a path have the shape of ECS; `weir.*` are ours.
 */
import { KERNEL_GROUPS } from './attribute-table-kernel.ts'
import { NETWORK_GROUPS } from './attribute-table-network.ts'
import { flag, type Group, int, text, texts } from './attribute-types.ts'

const RESOURCE: Group = {
  title: 'Resource',
  events: 'every record',
  attributes: {
    'host.name': text('Name of the node.'),
    'host.id': text('Machine id of the host.'),
    'os.type': text('`linux`.'),
    'container.id': text('Id of the innermost container that the process is in, all 64 digits.'),
    'container.runtime.name': text('`containerd`, `cri-o`, `docker`, `podman`, …, as the name of the cgroup tells.'),
    'weir.container.outermost.id': text('Of a container within a container: the outermost one.'),
    'k8s.node.name': text('Name of the node, for containers of pods.'),
    'k8s.pod.uid': text('Uid of the pod, from the cgroup; of a static pod the hash of its configuration.'),
    'k8s.pod.name': text('From the folders of the kubelet’s logs.'),
    'k8s.namespace.name': text('From the same.'),
    'k8s.container.name': text('From the same.'),
    'weir.k8s.qos_class': text('`guaranteed`, `burstable` or `besteffort`.'),
    'weir.k8s.enrichment': text('`pending` while the names of the pod are looked for, `missing` when none was found.'),
  },
}

const PROCESS: Group = {
  title: 'Process',
  events: 'every record but those of the sensor itself',
  attributes: {
    'log.record.uid': text('The same each time the same kernel record is read; unique for the node.'),
    'process.pid': int('Pid on the host.'),
    'process.vpid': int('Pid in the innermost pid namespace; 1 is the init of a container.'),
    'process.parent_pid': int('Who is the parent now: may be a subreaper.'),
    'process.entity_id': text('The process, for good: from the boot, the pid and the time of birth.'),
    'process.exec_id': text(
      'The image: base64 of `node:time:pid`, as Tetragon writes it. A process that has only forked has that of the ancestor that loaded the image.',
    ),
    'process.parent.entity_id': text('The process that gave birth, whoever adopted the child since.'),
    'process.parent.exec_id': text('The image that it ran then.'),
    'process.parent.executable.path': text('Path of that image.'),
    'process.parent.executable.name': text('Its last name.'),
    'process.parent.command_line': text('Its arguments, secrets replaced.'),
    'process.executable.path': text('Path of the image as the kernel resolved it, in the process’ own root.'),
    'process.executable.name': text('Its last name.'),
    'process.command_line': text('Arguments, quoted as for a shell, secrets replaced.'),
    'process.working_directory': text('When the image was loaded.'),
    'process.interactive': flag('It has a controlling terminal.'),
    'process.user.id': text('Effective user.'),
    'process.user.name': text('Name of the effective user, for processes of the host.'),
    'process.real_user.id': text('Real user.'),
    'process.group.id': text('Effective group.'),
    'process.creation.time': text('RFC 3339; when the process was born.'),
    'process.linux.cgroup': text('Last name of its cgroup.'),
    'weir.process.login_user.id': text('Who logged in (auid), where somebody did.'),
    'weir.process.comm': text('What the thread called itself.'),
    'weir.process.ancestors': texts('Ids of the images of its ancestors, the nearest first, at most 16.'),
    'weir.process.lineage': text('Their names: `nginx ← containerd-shim ← systemd`.'),
    'weir.process.forked': flag('It runs the image of an ancestor: it has called no exec itself.'),
    'weir.process.in_init_tree': flag('Started by the image of its container, not by `kubectl exec` or a probe.'),
    'weir.count': int('Repeats that were folded into this record; the record itself is not counted.'),
    'error.type': text('Name of the error when the call failed: `ENOENT`.'),
    'weir.truncated': flag('A text was cut by the kernel side.'),
    'weir.read_fault': flag('Memory of the process could not be read: a text that is missing is unknown, not empty.'),
    'weir.compat32': flag('Done by a 32-bit program.'),
    'weir.io_uring': flag('Done by a request of io_uring, not by a system call.'),
  },
}

const EXEC: Group = {
  title: 'Programs',
  events: '`process.exec`, `process.exec_failed`',
  attributes: {
    'process.command_args': texts('Arguments, secrets replaced.'),
    'process.args_count': int('How many there were.'),
    'process.saved_user.id': text('Saved user.'),
    'weir.exec.filename': text('The file as it was given to exec.'),
    'weir.exec.interpreter': text('Who runs it, when it is a script.'),
    'weir.exec.flags': texts(
      '`upper_layer` (written into the container, not of its image), `lower_layer`, `memfd`, `unlinked`, `tmpfs`, `setuid`, `setgid`, `file_caps`, `secure` (started with privileges raised), `stdin_socket`, `stdout_socket`, `kernel_helper`, `writable` (may write its own image), `thread` (exec came from another thread than the first), `script`.',
    ),
    'weir.exec.stdin': text('What standard input is: a path, or the address at the other end.'),
    'weir.exec.args_truncated': flag('There were more arguments than are kept.'),
    'file.inode': text('Of the image.'),
    'file.mode': text('Permissions of the image, octal.'),
    'file.owner.id': text('Owner of the image.'),
    'weir.process.capabilities.effective': texts('`CAP_NET_RAW`, …'),
    'weir.process.capabilities.permitted': texts('`CAP_NET_RAW`, …'),
    'weir.process.no_new_privs': flag('It can gain no privileges by exec.'),
    'weir.process.previous.exec_id': text('The image that this one replaced in the same process.'),
    'weir.process.environment.*': text('Variables of the environment that were asked for.'),
    'weir.namespace.*': int('Inode numbers of its namespaces: `mnt`, `pid`, `net`, `uts`, `ipc`, `cgroup`, `user`.'),
    'weir.privilege.unexplained': flag('Its credentials differ from those last seen, and no call explains it.'),
  },
}

const EXIT: Group = {
  title: 'Ends of processes',
  events: '`process.exit`',
  attributes: {
    'process.exit.code': int('Exit status; 128 and the number of the signal when one ended it.'),
    'process.exit.signal': text('`SIGKILL`, …'),
    'process.exit.time': text('RFC 3339.'),
    'event.duration': int('How long it lived.', 'ns'),
    'weir.process.core_dumped': flag('It left a core dump.'),
    'weir.process.cpu.user': int('CPU time in user space.', 'ns'),
    'weir.process.cpu.system': int('CPU time in the kernel.', 'ns'),
    'weir.process.max_rss': int('Most memory that was resident.', 'By'),
  },
}

const FILES: Group = {
  title: 'Files',
  events: '`file.*`',
  attributes: {
    'file.path': text('As the kernel resolved it; of a change by name: as far as names tell.'),
    'file.name': text('Last name.'),
    'file.directory': text('The rest.'),
    'file.extension': text('Without the dot.'),
    'file.inode': text('Inode number.'),
    'file.mode': text('Permissions, octal: `0644`. Of `file.chmod` the new ones.'),
    'file.owner.id': text('User. Of `file.chown` the new one.'),
    'file.group.id': text('Group. Of `file.chown` the new one.'),
    'file.symbolic_link.target_path': text('What a symbolic link points at, as written.'),
    'weir.file.device': text('Major and minor number of the file system: `8:1`.'),
    'weir.file.filesystem': text('`ext4`, `overlay`, `proc`, …'),
    'weir.file.layer': text('Of overlay: `lower` (of the image) or `upper` (of the container).'),
    'weir.file.access': texts('`read`, `write`, `create`, `truncate`, `append`, `directory`, `path`.'),
    'weir.file.watch': text('Class of the watch list that the file is of, under whatever name it was opened.'),
    'weir.file.raw_path': text('What the program wrote, where that hides something: `..`, /proc, descriptors.'),
    'weir.file.raw_path_changed': flag('The program changed the name while the call ran.'),
    'weir.file.target_path': text('New name of `file.rename`; of `file.link` the file that was linked to.'),
  },
}

export const EBPF_GROUPS: readonly Group[] = [RESOURCE, PROCESS, EXEC, EXIT, FILES, ...NETWORK_GROUPS, ...KERNEL_GROUPS]
