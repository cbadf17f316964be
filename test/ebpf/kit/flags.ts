/** Flags of a record that say "look at this": none of them may come of a harmless neighbour. */
import type { Action, Facts, Seen } from '../actions/types.ts'
import { fitsWhere, line } from './match.ts'

const EXEC_FLAGS = new Set([
  ...['upper_layer', 'memfd', 'unlinked', 'tmpfs', 'setuid', 'setgid', 'file_caps', 'secure'],
  ...['stdin_socket', 'stdout_socket'],
])
/** Events that are a flag in themselves. */
const EVENTS = new Set([
  ...['memfd.create', 'process.ptrace', 'module.load', 'bpf.use', 'io_uring.use', 'mount.change', 'namespace.change'],
  ...['process.fd_redirect', 'process.syscall', 'process.signal', 'capability.use', 'privilege.change'],
])

export function flagsOf({ eventName, attributes }: Seen): string[] {
  const flags: string[] = []
  if (EVENTS.has(eventName)) flags.push(eventName)
  const exec = attributes['weir.exec.flags']
  if (Array.isArray(exec)) flags.push(...exec.filter((one) => EXEC_FLAGS.has(one)).map((one) => `exec.${one}`))
  if (eventName.startsWith('file.') && attributes['weir.file.watch'] !== undefined) flags.push('file.watch')
  if (attributes['weir.privilege.unexplained'] === true) flags.push('privilege.unexplained')
  if (attributes['weir.file.raw_path_changed'] === true) flags.push('file.raw_path_changed')
  if (attributes['weir.capability.granted'] === false) flags.push('capability.refused')
  return flags
}

/** What the harmless neighbour of an action should not have raised. */
export function twinProblems({ twin }: Action, records: readonly Seen[], facts: Facts): string[] {
  const problems: string[] = []
  if (records.length === 0) problems.push('no record at all: nothing would have been seen')
  for (const record of records) {
    for (const flag of flagsOf(record)) {
      if (twin.allowed?.includes(flag) !== true) problems.push(`raised ${flag}: ${line(record)}`)
    }
    for (const { event, where } of twin.never ?? []) {
      if (record.eventName === event && fitsWhere(record.attributes, where, facts)) {
        problems.push(`left a ${event}: ${line(record)}`)
      }
    }
  }
  return problems
}
