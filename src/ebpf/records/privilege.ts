/** Changes of privileges and namespaces, and the use of capabilities, as records. */
import type { Attributes, LogRecord } from '../../records/record.ts'
import { SEVERITY, type Severity } from '../../records/severity.ts'
import { i32, u16, u32 } from '../decode/read.ts'
import { CAP, CRED, HEADER, NS } from '../layout/offsets.ts'
import { CRED_OP, FLAG, NS_OP } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { beginAttributes, type Desk, finish, from, who } from './draft.ts'
import { syscallName } from './syscalls.ts'
import { capabilityName, capabilityNames, errorName, namespaceTypes } from './words.ts'

const CALLS: Readonly<Record<number, string>> = {
  [CRED_OP.setuid]: 'setuid',
  [CRED_OP.setgid]: 'setgid',
  [CRED_OP.setreuid]: 'setreuid',
  [CRED_OP.setregid]: 'setregid',
  [CRED_OP.setresuid]: 'setresuid',
  [CRED_OP.setresgid]: 'setresgid',
  [CRED_OP.setfsuid]: 'setfsuid',
  [CRED_OP.setfsgid]: 'setfsgid',
  [CRED_OP.setgroups]: 'setgroups',
  [CRED_OP.capset]: 'capset',
  [CRED_OP.prctl]: 'prctl',
  [CRED_OP.drift]: 'drift',
  [CRED_OP.commit]: 'commit_creds',
}

export function credentialRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const call = CALLS[u32(memory, at + CRED.op)] ?? 'unknown'
  const ret = i32(memory, at + CRED.ret)
  const before = u32(memory, at + CRED.beforeEuid)
  const after = u32(memory, at + CRED.afterEuid)
  const isUnexplained = (u16(memory, at + HEADER.flags) & FLAG.drift) !== 0
  attributes['weir.privilege.call'] = call
  addUsers(attributes, memory, at)
  const gained = difference(memory, at + CRED.afterPermitted, at + CRED.beforePermitted)
  const lost = difference(memory, at + CRED.beforePermitted, at + CRED.afterPermitted)
  if (gained.length > 0) attributes['weir.privilege.capabilities.gained'] = gained
  if (lost.length > 0) attributes['weir.privilege.capabilities.lost'] = lost
  if (isUnexplained) attributes['weir.privilege.unexplained'] = true
  if (ret < 0) attributes['error.type'] = errorName(ret)
  const severity = severityOf(isUnexplained, ret, before, after, gained.length)
  const failed = ret < 0 ? `, refused: ${errorName(ret)}` : ''
  const change = before === after ? '' : ` from user ${before} to ${after}`
  const verb = isUnexplained
    ? 'has other privileges without a call that explains it'
    : `changes its privileges by ${call}`
  const sets = `${gained.length > 0 ? `, gains ${gained.join(' ')}` : ''}${lost.length > 0 ? `, gives up ${lost.length} capabilities` : ''}`
  const body = `${who(actor)} ${verb}${change}${sets}${failed}${from(actor)}`
  return finish(desk, actor, memory, at, 'privilege.change', severity, body, attributes)
}

function severityOf(isUnexplained: boolean, ret: number, before: number, after: number, gained: number): Severity {
  if (isUnexplained) return SEVERITY.fatal
  if (ret < 0) return SEVERITY.low
  return (after === 0 && before !== 0) || gained > 0 ? SEVERITY.warn : SEVERITY.info
}

function addUsers(attributes: Attributes, memory: RingMemory, at: number): void {
  attributes['weir.privilege.before.user.id'] = String(u32(memory, at + CRED.beforeEuid))
  attributes['weir.privilege.after.user.id'] = String(u32(memory, at + CRED.afterEuid))
  attributes['weir.privilege.before.real_user.id'] = String(u32(memory, at + CRED.beforeUid))
  attributes['weir.privilege.after.real_user.id'] = String(u32(memory, at + CRED.afterUid))
  attributes['weir.privilege.before.group.id'] = String(u32(memory, at + CRED.beforeEgid))
  attributes['weir.privilege.after.group.id'] = String(u32(memory, at + CRED.afterEgid))
}

/** Capabilities of the one set that the other lacks. */
function difference(memory: RingMemory, one: number, other: number): string[] {
  return capabilityNames(
    (u32(memory, one) & ~u32(memory, other)) >>> 0,
    (u32(memory, one + 4) & ~u32(memory, other + 4)) >>> 0,
  )
}

export function capabilityRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const capability = capabilityName(u32(memory, at + CAP.cap))
  const isGranted = i32(memory, at + CAP.ret) === 0
  const syscall = syscallName(u32(memory, at + CAP.syscall))
  attributes['weir.capability'] = capability
  attributes['weir.capability.granted'] = isGranted
  if (syscall !== undefined) attributes['weir.capability.syscall'] = syscall
  const verb = isGranted ? 'uses' : 'is refused'
  const body = `${who(actor)} ${verb} ${capability}${syscall === undefined ? '' : ` in ${syscall}`}${from(actor)}`
  return finish(desk, actor, memory, at, 'capability.use', isGranted ? SEVERITY.debug : SEVERITY.low, body, attributes)
}

const NAMESPACE_CALLS: Readonly<Record<number, string>> = {
  [NS_OP.unshare]: 'unshare',
  [NS_OP.setns]: 'setns',
  [NS_OP.clone]: 'clone',
}
const KINDS = [
  ['mnt', NS.beforeMnt],
  ['pid', NS.beforePid],
  ['net', NS.beforeNet],
  ['uts', NS.beforeUts],
  ['ipc', NS.beforeIpc],
  ['cgroup', NS.beforeCgroup],
  ['user', NS.beforeUser],
] as const
const AFTER = NS.after - NS.before

export function namespaceRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const call = NAMESPACE_CALLS[u32(memory, at + NS.op)] ?? 'unknown'
  const ret = i32(memory, at + NS.ret)
  const types = new Set(namespaceTypes(u32(memory, at + NS.flags)))
  attributes['weir.namespace.call'] = call
  for (const [kind, offset] of KINDS) {
    const before = u32(memory, at + offset)
    const after = u32(memory, at + offset + AFTER)
    if (before === after) continue
    attributes[`weir.namespace.before.${kind}`] = before
    attributes[`weir.namespace.after.${kind}`] = after
    types.add(kind)
  }
  if (u32(memory, at + NS.beforePidForChildren) !== u32(memory, at + NS.afterPidForChildren)) types.add('pid')
  attributes['weir.namespace.types'] = [...types]
  if (ret < 0) attributes['error.type'] = errorName(ret)
  const failed = ret < 0 ? `: ${errorName(ret)}` : ''
  const body = `${who(actor)} changes namespaces by ${call} (${[...types].join(', ')})${failed}${from(actor)}`
  return finish(desk, actor, memory, at, 'namespace.change', SEVERITY.low, body, attributes)
}
