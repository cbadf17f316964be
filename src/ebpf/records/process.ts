/** exec, failed exec, fork and exit as records. */
import type { Attributes, LogRecord } from '../../records/record.ts'
import { SEVERITY, type Severity } from '../../records/severity.ts'
import { hrTimeToRfc3339 } from '../../records/time.ts'
import { AF, address, i32, parts, text, u16, u32, u64 } from '../decode/read.ts'
import { EXEC, EXEC_FAILED, EXIT, FORK, HEADER } from '../layout/offsets.ts'
import { EXEC_FLAG, FLAG } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { redactArguments } from '../process/redact.ts'
import { beginAttributes, type Desk, finish, from, who } from './draft.ts'
import { bitNames, capabilityNames, errorName, modeText, signalName } from './words.ts'

const MOST_VARIABLES = 512

const execFlags = bitNames([
  [EXEC_FLAG.upper, 'upper_layer'],
  [EXEC_FLAG.memfd, 'memfd'],
  [EXEC_FLAG.unlinked, 'unlinked'],
  [EXEC_FLAG.tmpfs, 'tmpfs'],
  [EXEC_FLAG.setuid, 'setuid'],
  [EXEC_FLAG.setgid, 'setgid'],
  [EXEC_FLAG.fileCaps, 'file_caps'],
  [EXEC_FLAG.secure, 'secure'],
  [EXEC_FLAG.kthread, 'kernel_helper'],
  [EXEC_FLAG.writable, 'writable'],
  [EXEC_FLAG.thread, 'thread'],
])
/** Flags that a line shows, with how bad they are. */
const LOUD: ReadonlyMap<string, Severity> = new Map([
  ['memfd', SEVERITY.error],
  ['unlinked', SEVERITY.error],
  ['stdin_socket', SEVERITY.error],
  ['upper_layer', SEVERITY.warn],
  ['tmpfs', SEVERITY.warn],
  ['file_caps', SEVERITY.low],
  ['setuid', SEVERITY.low],
  ['setgid', SEVERITY.low],
  ['kernel_helper', SEVERITY.low],
])

export function execRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const flags = flagsOf(memory, at, size)
  const { image } = actor
  attributes['process.command_args'] = image.args as string[]
  attributes['process.args_count'] = u32(memory, at + EXEC.argc)
  if (flags.length > 0) attributes['weir.exec.flags'] = flags
  attributes['weir.exec.filename'] = text(memory, at, size, EXEC.filename)
  const interpreter = text(memory, at, size, EXEC.interp)
  if (interpreter !== '') attributes['weir.exec.interpreter'] = interpreter
  if (u32(memory, at + EXEC.argsTotal) > u16(memory, at + EXEC.argsLen)) attributes['weir.exec.args_truncated'] = true
  const stdin = stdinOf(memory, at, size)
  if (stdin !== '') attributes['weir.exec.stdin'] = stdin
  addImage(attributes, memory, at)
  addCredentials(attributes, memory, at)
  addNamespaces(attributes, memory, at)
  if (u32(memory, at + EXEC.previousTgid) !== 0)
    attributes['weir.process.previous.exec_id'] = desk.processes.execOf(memory, at + EXEC.previous)
  if (desk.environment.size > 0) addEnvironment(desk, attributes, memory, at, size)

  const isDrift = (u16(memory, at + HEADER.flags) & FLAG.drift) !== 0
  if (isDrift) attributes['weir.privilege.unexplained'] = true
  const loud = flags.filter((flag) => LOUD.has(flag))
  const command = image.commandLine === '' ? image.path : image.commandLine
  const shown = loud.length === 0 ? '' : ` [${loud.join(', ')}]`
  const severity = isDrift
    ? SEVERITY.fatal
    : loud.reduce((most, flag) => Math.max(most, LOUD.get(flag) ?? 0), SEVERITY.info as Severity)
  const body = `${actor.place} ${command}${isDrift ? ' [credentials changed without a call]' : ''}${shown}${from(actor)}`
  return finish(desk, actor, memory, at, 'process.exec', severity, body, attributes)
}

/** Flags of the kernel side, and those that its fields tell. */
function flagsOf(memory: RingMemory, at: number, size: number): string[] {
  const flags = execFlags(u32(memory, at + EXEC.execFlags))
  const more: string[] = []
  if (u32(memory, at + EXEC.exeLayer) === 1) more.push('lower_layer')
  if (isInet(u16(memory, at + EXEC.stdinSockFamily))) more.push('stdin_socket')
  if (isInet(u16(memory, at + EXEC.stdoutSockFamily))) more.push('stdout_socket')
  if (u16(memory, at + EXEC.interpLen) > 0 && text(memory, at, size, EXEC.interp) !== '') more.push('script')
  return more.length === 0 ? flags : [...flags, ...more]
}

function isInet(family: number): boolean {
  return family === AF.inet || family === AF.inet6
}

function stdinOf(memory: RingMemory, at: number, size: number): string {
  const family = u16(memory, at + EXEC.stdinSockFamily)
  if (isInet(family))
    return `${address(memory, at + EXEC.stdinSockRemoteIp, family)}:${u16(memory, at + EXEC.stdinSockRemotePort)}`
  if (family === AF.unix) return 'unix socket'
  return text(memory, at, size, EXEC.stdinPath)
}

function addImage(attributes: Attributes, memory: RingMemory, at: number): void {
  attributes['file.inode'] = String(u64(memory, at + EXEC.exeIno))
  attributes['file.mode'] = modeText(u32(memory, at + EXEC.exeMode))
  attributes['file.owner.id'] = String(u32(memory, at + EXEC.exeUid))
}

function addCredentials(attributes: Attributes, memory: RingMemory, at: number): void {
  attributes['process.saved_user.id'] = String(u32(memory, at + EXEC.credsSuid))
  const effective = EXEC.credsEffective
  const permitted = EXEC.credsPermitted
  attributes['weir.process.capabilities.effective'] = capabilityNames(
    u32(memory, at + effective),
    u32(memory, at + effective + 4),
  )
  attributes['weir.process.capabilities.permitted'] = capabilityNames(
    u32(memory, at + permitted),
    u32(memory, at + permitted + 4),
  )
  if (u32(memory, at + EXEC.credsNoNewPrivs) !== 0) attributes['weir.process.no_new_privs'] = true
}

function addNamespaces(attributes: Attributes, memory: RingMemory, at: number): void {
  attributes['weir.namespace.mnt'] = u32(memory, at + EXEC.nsMnt)
  attributes['weir.namespace.pid'] = u32(memory, at + EXEC.nsPid)
  attributes['weir.namespace.net'] = u32(memory, at + EXEC.nsNet)
  attributes['weir.namespace.uts'] = u32(memory, at + EXEC.nsUts)
  attributes['weir.namespace.ipc'] = u32(memory, at + EXEC.nsIpc)
  attributes['weir.namespace.cgroup'] = u32(memory, at + EXEC.nsCgroup)
  attributes['weir.namespace.user'] = u32(memory, at + EXEC.nsUser)
}

function addEnvironment(desk: Desk, attributes: Attributes, memory: RingMemory, at: number, size: number): void {
  for (const variable of parts(memory, at, size, EXEC.env, MOST_VARIABLES)) {
    const equals = variable.indexOf('=')
    const key = variable.slice(0, equals)
    if (equals > 0 && desk.environment.has(key))
      attributes[`weir.process.environment.${key}`] = redactArguments(['', variable.slice(equals + 1)])[1] ?? ''
  }
}

export function execFailedRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const filename = text(memory, at, size, EXEC_FAILED.filename)
  const error = errorName(i32(memory, at + EXEC_FAILED.ret))
  attributes['weir.exec.filename'] = filename
  attributes['process.command_args'] = redactArguments(parts(memory, at, size, EXEC_FAILED.args, 20)) as string[]
  attributes['error.type'] = error
  const body = `${who(actor)} could not run ${filename}: ${error}${from(actor)}`
  // Shells look for programs in many places.
  return finish(
    desk,
    actor,
    memory,
    at,
    'process.exec_failed',
    error === 'ENOENT' ? SEVERITY.debug : SEVERITY.low,
    body,
    attributes,
  )
}

export function forkRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const body = `${who(actor)} was forked by pid ${u32(memory, at + FORK.parentTgid)}${from(actor)}`
  return finish(desk, actor, memory, at, 'process.fork', SEVERITY.debug, body, attributes)
}

export function exitRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const signal = u32(memory, at + EXIT.signal)
  const code = u32(memory, at + EXIT.code)
  attributes['process.exit.code'] = signal === 0 ? code : 128 + signal
  attributes['process.exit.time'] = hrTimeToRfc3339(desk.clock.at(memory, at + HEADER.ktime))
  if (signal !== 0) attributes['process.exit.signal'] = signalName(signal)
  if (u32(memory, at + EXIT.core) !== 0) attributes['weir.process.core_dumped'] = true
  attributes['event.duration'] = u64(memory, at + HEADER.ktime) - u64(memory, at + HEADER.processStart)
  attributes['weir.process.cpu.user'] = u64(memory, at + EXIT.utime)
  attributes['weir.process.cpu.system'] = u64(memory, at + EXIT.stime)
  attributes['weir.process.max_rss'] = u64(memory, at + EXIT.maxRss)
  const how = signal === 0 ? `ended with ${code}` : `was ended by ${signalName(signal)}`
  return finish(
    desk,
    actor,
    memory,
    at,
    'process.exit',
    SEVERITY.info,
    `${who(actor)} ${how}${from(actor)}`,
    attributes,
  )
}
