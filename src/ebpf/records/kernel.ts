/** Mounts, modules, ptrace, signals, memory files, bpf(), io_uring, redirections and telling calls as records. */
import type { Attributes, LogRecord } from '../../records/record.ts'
import { SEVERITY } from '../../records/severity.ts'
import { i32, name, text, u32, u64 } from '../decode/read.ts'
import { BPF, FD, IOURING, MEMFD, MODULE, MOUNT, PTRACE, SIGNAL, SYSCALL } from '../layout/offsets.ts'
import { BPF_OP, MODULE_OP, MOUNT_OP, PTRACE_OP, SYSCALL_OP } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { beginAttributes, type Desk, finish, from, who } from './draft.ts'
import { addEndpoints, type NameOf } from './network.ts'
import { BPF_COMMANDS, IO_URING_OPERATIONS, PROGRAM_TYPES, PTRACE_REQUESTS } from './uapi.ts'
import { bitNames, errorName, signalName } from './words.ts'

/** `moveMount` -> `move_mount`. */
function callNames(ops: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(
    Object.entries(ops).map(([key, op]) => [op, key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]),
  )
}

const MOUNT_CALLS = new Map([...callNames(MOUNT_OP), [MOUNT_OP.umount, 'umount2'], [MOUNT_OP.setattr, 'mount_setattr']])
/** MS_* of include/uapi/linux/mount.h. */
const mountFlags = bitNames([
  [1, 'ro'],
  [2, 'nosuid'],
  [4, 'nodev'],
  [8, 'noexec'],
  [32, 'remount'],
  [4096, 'bind'],
  [8192, 'move'],
  [16384, 'rec'],
  [1 << 17, 'unbindable'],
  [1 << 18, 'private'],
  [1 << 19, 'slave'],
  [1 << 20, 'shared'],
])

function addResult(attributes: Attributes, ret: number): string {
  if (ret >= 0) return ''
  attributes['error.type'] = errorName(ret)
  return `: ${errorName(ret)}`
}

export function mountRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const op = u32(memory, at + MOUNT.op)
  const call = MOUNT_CALLS.get(op) ?? 'unknown'
  const source = text(memory, at, size, MOUNT.source)
  const target = text(memory, at, size, MOUNT.target)
  const type = text(memory, at, size, MOUNT.fstype)
  attributes['weir.mount.call'] = call
  if (source !== '') attributes['weir.mount.source'] = source
  if (target !== '') attributes['weir.mount.target'] = target
  if (type !== '') attributes['weir.mount.type'] = type
  if (op === MOUNT_OP.mount) attributes['weir.mount.flags'] = mountFlags(u32(memory, at + MOUNT.flags))
  const failed = addResult(attributes, i32(memory, at + MOUNT.ret))
  const what = [type, source, target === '' ? '' : `on ${target}`].filter((part) => part !== '').join(' ')
  const body = `${who(actor)} calls ${call}${what === '' ? '' : ` (${what})`}${failed}${from(actor)}`
  return finish(desk, actor, memory, at, 'mount.change', SEVERITY.low, body, attributes)
}

const MODULE_CALLS = new Map([
  [MODULE_OP.init, 'init_module'],
  [MODULE_OP.finit, 'finit_module'],
  [MODULE_OP.delete, 'delete_module'],
  [MODULE_OP.loaded, 'loaded'],
  [MODULE_OP.request, 'request'],
] as [number, string][])

export function moduleRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const call = MODULE_CALLS.get(u32(memory, at + MODULE.op)) ?? 'unknown'
  const module = text(memory, at, size, MODULE.name)
  const path = text(memory, at, size, MODULE.path)
  attributes['weir.module.call'] = call
  if (module !== '') attributes['weir.module.name'] = module
  if (path !== '') attributes['weir.module.path'] = path
  const failed = addResult(attributes, i32(memory, at + MODULE.ret))
  const body = `${who(actor)} module ${call} ${module === '' ? path : module}${failed}${from(actor)}`
  const severity = call === 'request' ? SEVERITY.low : SEVERITY.error
  return finish(desk, actor, memory, at, 'module.load', severity, body, attributes)
}

/** Another process that something is done to: its `process_key` and its name. */
function addTarget(desk: Desk, attributes: Attributes, memory: RingMemory, key: number, comm: number): string {
  const tgid = u32(memory, key + 16)
  const known = desk.processes.find(memory, key)
  const said = name(memory, comm, 16)
  const shown = said === '' ? (known?.image.name ?? '') : said
  attributes['weir.target.pid'] = tgid
  if (u64(memory, key) !== 0) {
    attributes['weir.target.entity_id'] = desk.processes.entityOf(memory, key)
    attributes['weir.target.exec_id'] = desk.processes.execOf(memory, key)
  }
  if (shown !== '') attributes['weir.target.comm'] = shown
  return shown === '' ? `pid ${tgid}` : `${shown} (pid ${tgid})`
}

const PTRACE_CALLS = new Map([
  [PTRACE_OP.ptrace, 'ptrace'],
  [PTRACE_OP.vmRead, 'process_vm_readv'],
  [PTRACE_OP.vmWrite, 'process_vm_writev'],
  [PTRACE_OP.pidfdGetfd, 'pidfd_getfd'],
] as [number, string][])

export function ptraceRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const op = u32(memory, at + PTRACE.op)
  const call = PTRACE_CALLS.get(op) ?? 'unknown'
  attributes['weir.ptrace.call'] = call
  let request = ''
  if (op === PTRACE_OP.ptrace) {
    request = PTRACE_REQUESTS.get(u32(memory, at + PTRACE.request)) ?? `PTRACE_${u32(memory, at + PTRACE.request)}`
    attributes['weir.ptrace.request'] = request
  }
  const target = addTarget(desk, attributes, memory, at + PTRACE.target, at + PTRACE.targetComm)
  const failed = addResult(attributes, i32(memory, at + PTRACE.ret))
  const body = `${who(actor)} calls ${call}${request === '' ? '' : ` (${request})`} on ${target}${failed}${from(actor)}`
  const severity = request === 'PTRACE_TRACEME' ? SEVERITY.low : SEVERITY.warn
  return finish(desk, actor, memory, at, 'process.ptrace', severity, body, attributes)
}

export function signalRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const signal = signalName(u32(memory, at + SIGNAL.signal))
  attributes['weir.signal'] = signal
  const target = addTarget(desk, attributes, memory, at + SIGNAL.target, at + SIGNAL.targetComm)
  const body = `${who(actor)} sends ${signal} to ${target}${from(actor)}`
  return finish(desk, actor, memory, at, 'process.signal', SEVERITY.low, body, attributes)
}

/** MFD_* of include/uapi/linux/memfd.h. */
const memfdFlags = bitNames([
  [1, 'cloexec'],
  [2, 'allow_sealing'],
  [4, 'hugetlb'],
  [8, 'noexec_seal'],
  [16, 'exec'],
])

export function memfdRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const file = text(memory, at, size, MEMFD.name)
  attributes['weir.memfd.name'] = file
  attributes['weir.memfd.flags'] = memfdFlags(u32(memory, at + MEMFD.flags))
  const failed = addResult(attributes, i32(memory, at + MEMFD.ret))
  const body = `${who(actor)} makes the memory file ${file}${failed}${from(actor)}`
  return finish(desk, actor, memory, at, 'memfd.create', SEVERITY.low, body, attributes)
}

export function bpfRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const isPerf = u32(memory, at + BPF.op) === BPF_OP.perfEventOpen
  const cmd = u32(memory, at + BPF.cmd)
  const command = isPerf ? 'perf_event_open' : (BPF_COMMANDS.get(cmd) ?? `BPF_${cmd}`)
  attributes['weir.bpf.command'] = command
  const kind = u32(memory, at + BPF.kind)
  if (command === 'BPF_PROG_LOAD') attributes['weir.bpf.type'] = PROGRAM_TYPES[kind] ?? `type_${kind}`
  else if (command === 'BPF_MAP_CREATE' || isPerf) attributes['weir.bpf.type'] = `type_${kind}`
  const program = text(memory, at, size, BPF.name)
  if (program !== '') attributes['weir.bpf.name'] = program
  const instructions = u32(memory, at + BPF.insnCount)
  if (instructions > 0) attributes['weir.bpf.instructions'] = instructions
  const failed = addResult(attributes, i32(memory, at + BPF.ret))
  const body = `${who(actor)} calls ${command}${program === '' ? '' : ` (${program})`}${failed}${from(actor)}`
  return finish(desk, actor, memory, at, 'bpf.use', SEVERITY.warn, body, attributes)
}

const SETUP = 0xffffffff

export function ioUringRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const opcode = u32(memory, at + IOURING.opcode)
  const operation = opcode === SETUP ? 'setup' : (IO_URING_OPERATIONS.get(opcode) ?? `op_${opcode}`)
  attributes['weir.io_uring.operation'] = operation
  const failed = addResult(attributes, i32(memory, at + IOURING.ret))
  const body = `${who(actor)} uses io_uring (${operation})${failed}${from(actor)}`
  return finish(desk, actor, memory, at, 'io_uring.use', SEVERITY.low, body, attributes)
}

export function redirectRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, nameOf: NameOf): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const number = u32(memory, at + FD.newFd)
  attributes['weir.fd.number'] = number
  const ends = addEndpoints(attributes, memory, at + FD.ep, false, (ip) => nameOf(0, ip))
  const stream = ['standard input', 'standard output', 'standard error'][number] ?? `descriptor ${number}`
  const body = `${who(actor)} makes a connection with ${ends.remote} its ${stream}${from(actor)}`
  return finish(desk, actor, memory, at, 'process.fd_redirect', SEVERITY.error, body, attributes)
}

const TELLING_CALLS = callNames(SYSCALL_OP)
const GRAVE = new Set(['reboot', 'kexec_load', 'kexec_file_load', 'userfaultfd'])

export function syscallRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const call = TELLING_CALLS.get(u32(memory, at + SYSCALL.op)) ?? 'unknown'
  attributes['weir.syscall'] = call
  attributes['weir.syscall.arguments'] = [0, 8, 16].map((offset) => `0x${hex(memory, at + SYSCALL.args + offset)}`)
  const failed = addResult(attributes, i32(memory, at + SYSCALL.ret))
  const body = `${who(actor)} calls ${call}${failed}${from(actor)}`
  const severity = GRAVE.has(call) ? SEVERITY.warn : SEVERITY.debug
  return finish(desk, actor, memory, at, 'process.syscall', severity, body, attributes)
}

function hex(memory: RingMemory, at: number): string {
  const high = u32(memory, at + 4)
  const low = u32(memory, at).toString(16)
  return high === 0 ? low : `${high.toString(16)}${low.padStart(8, '0')}`
}
