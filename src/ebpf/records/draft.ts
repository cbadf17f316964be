/** What every record has, and how one is begun. */
import { internScope } from '../../records/interning.ts'
import { oneLine } from '../../records/one-line.ts'
import type { Attributes, HrTime, LogRecord } from '../../records/record.ts'
import { type Severity, severityName } from '../../records/severity.ts'
import type { Containers } from '../container/containers.ts'
import type { Clock } from '../decode/clock.ts'
import { name, u32 } from '../decode/read.ts'
import { HEADER } from '../layout/offsets.ts'
import { FLAG } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { characters } from '../process/ids.ts'
import type { ProcessTable } from '../process/table.ts'
import type { Users } from '../process/users.ts'

const SCOPE = internScope('weir.ebpf')
const SEVERITY_NAMES = Array.from({ length: 25 }, (_, severity) => severityName(severity))

/** What decoders share. */
export interface Desk {
  readonly processes: ProcessTable
  readonly containers: Containers
  readonly clock: Clock
  readonly users: Users
  /** First part of `log.record.uid`. */
  readonly uidPrefix: string
  readonly suppress: ReadonlySet<string>
  readonly watchClasses: ReadonlyMap<number, string>
  readonly watchByPath: (path: string) => string | undefined
  readonly environment: ReadonlySet<string>
  /** Of the batch that is being taken. */
  observed: HrTime
}

/** The attributes of an event's process, to which those of the event are added. */
export function beginAttributes(desk: Desk, actor: Actor, memory: RingMemory, at: number): Attributes {
  const attributes = { ...actor.attributes(memory, at, desk.users) }
  attributes['log.record.uid'] = uidOf(desk.uidPrefix, memory, at)
  attributes['weir.process.comm'] = name(memory, at + HEADER.comm, 16)
  const count = u32(memory, at + HEADER.count)
  if (count > 0) attributes['weir.count'] = count
  const flags = memory.u16[(at + HEADER.flags) >> 1] as number
  if ((flags & UNUSUAL) !== 0) addFlags(attributes, flags)
  return attributes
}

const UNUSUAL = FLAG.trunc | FLAG.readFault | FLAG.compat32 | FLAG.ioUring

function addFlags(attributes: Attributes, flags: number): void {
  if ((flags & FLAG.trunc) !== 0) attributes['weir.truncated'] = true
  if ((flags & FLAG.readFault) !== 0) attributes['weir.read_fault'] = true
  if ((flags & FLAG.compat32) !== 0) attributes['weir.compat32'] = true
  if ((flags & FLAG.ioUring) !== 0) attributes['weir.io_uring'] = true
}

/** Unique on this machine until it boots again: a CPU numbers its records, and no two are made in one nanosecond. */
function uidOf(prefix: string, memory: RingMemory, at: number): string {
  const low = u32(memory, at + HEADER.ktime)
  const when = characters(u32(memory, at + HEADER.ktime + 4), low >>> 16)
  return prefix + when + characters((low << 16) | (u32(memory, at + HEADER.cpu) & 0xffff), u32(memory, at + HEADER.seq))
}

/** A record with a line that holds whatever somebody made up: names of files, of programs. */
export function finish(
  desk: Desk,
  actor: Actor,
  memory: RingMemory,
  at: number,
  eventName: string,
  severity: Severity,
  body: string,
  attributes: Attributes,
): LogRecord {
  return finishPlain(desk, actor, memory, at, eventName, severity, oneLine(body), attributes)
}

/** The same for a line that is known to be printable: `who`, `from` and texts that were made so. */
export function finishPlain(
  desk: Desk,
  actor: Actor,
  memory: RingMemory,
  at: number,
  eventName: string,
  severity: Severity,
  body: string,
  attributes: Attributes,
): LogRecord {
  return {
    hrTime: desk.clock.at(memory, at + HEADER.ktime),
    hrTimeObserved: desk.observed,
    eventName,
    severityNumber: severity,
    severityText: SEVERITY_NAMES[severity] as string,
    body,
    attributes,
    resource: actor.resource(desk.containers),
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
  }
}

/** `nginx-7d9 (shop/web) /bin/sh`: where, and who. Printable. */
export function who(actor: Actor): string {
  return actor.title
}

/** `  ← nginx ← containerd-shim`. Printable. */
export function from(actor: Actor): string {
  return actor.tail
}
