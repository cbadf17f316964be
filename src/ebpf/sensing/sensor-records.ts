/** Records in which the sensor speaks of itself: what it sees, what it lost, whom it held back, who interfered. */
import { randomUUID } from 'node:crypto'
import type { EventName } from '../../records/event-names.ts'
import { internScope } from '../../records/interning.ts'
import type { Attributes, HrTime, LogRecord, Resource } from '../../records/record.ts'
import { SEVERITY, severityName } from '../../records/severity.ts'
import { millisToHrTime } from '../../records/time.ts'
import type { HookState } from '../kernel/sensor.ts'
import { THROTTLE } from '../layout/offsets.ts'
import { RATE_CLASS } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { LossWindow } from './ledger.ts'

const SCOPE = internScope('weir.ebpf')

export interface SensorFacts {
  readonly kernel: string
  readonly architecture: string
  readonly libbpf: string
}

function record(
  eventName: EventName,
  severityNumber: number,
  body: string,
  attributes: Attributes,
  resource: Resource,
  time: HrTime = millisToHrTime(Date.now()),
): LogRecord {
  return {
    hrTime: time,
    hrTimeObserved: time,
    eventName,
    severityNumber,
    severityText: severityName(severityNumber),
    body,
    attributes: { 'log.record.uid': randomUUID(), ...attributes },
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
  }
}

/** What is watched and by which hook, and what is not seen. */
export function statusRecord(hooks: readonly HookState[], facts: SensorFacts, resource: Resource): LogRecord {
  const missing = hooks.filter(({ hook }) => hook === undefined)
  const blind = hooks.filter((state) => state.blind !== undefined)
  const seen = hooks.length - missing.length
  const body =
    missing.length === 0
      ? `the sensor watches ${seen} features on kernel ${facts.kernel}`
      : `the sensor watches ${seen} features on kernel ${facts.kernel}; not seen: ${missing.map(({ feature }) => feature).join(', ')}`
  return record(
    'sensor.status',
    missing.length === 0 ? SEVERITY.info : SEVERITY.warn,
    body,
    {
      'weir.sensor.hooks': hooks.map(({ feature, hook }) => `${feature}=${hook ?? 'none'}`),
      'weir.sensor.missing': missing.map(({ feature, reason }) => `${feature}: ${reason ?? 'no hook'}`),
      'weir.sensor.blind': blind.map((state) => `${state.feature}: ${state.blind}`),
      'weir.sensor.second_choice': hooks.flatMap(({ feature, hook, reason }) =>
        hook === undefined || reason === undefined ? [] : [`${feature}: ${reason}`],
      ),
      'weir.sensor.kernel': facts.kernel,
      'weir.sensor.architecture': facts.architecture,
      'weir.sensor.libbpf': facts.libbpf,
    },
    resource,
  )
}

/** What was lost since the last such record. Types with the largest losses are named first. */
export function lossRecord({ from, to, losses, culprits }: LossWindow, resource: Resource): LogRecord {
  const total = losses.reduce((sum, { count }) => sum + count, 0)
  const named = losses.map(({ type, reason, count }) => `${type} ${count} (${reason})`)
  return record(
    'sensor.loss',
    SEVERITY.error,
    `${total} records were lost: ${named.slice(0, 5).join(', ')}${named.length > 5 ? ', …' : ''}`,
    {
      'weir.sensor.loss.count': total,
      'weir.sensor.loss.window.start': new Date(from).toISOString(),
      'weir.sensor.loss.window.end': new Date(to).toISOString(),
      'weir.sensor.loss.by': losses.map(({ stage, type, reason, count }) => `${stage}/${type}/${reason}=${count}`),
      ...(culprits.length > 0 && { 'weir.sensor.loss.containers': culprits.map(([id, count]) => `${id}=${count}`) }),
    },
    resource,
    millisToHrTime(to),
  )
}

const CLASSES = new Map<number, string>(
  Object.entries(RATE_CLASS)
    .filter(([name]) => name !== 'classes')
    .map(([name, value]) => [value, name]),
)

export interface Throttle {
  readonly cgroup: bigint
  readonly rateClass: string
  readonly ended: boolean
  readonly suppressed: number
}

/** Undefined when the record is too short. */
export function readThrottle({ u32 }: RingMemory, at: number, size: number, cgroupAt: number): Throttle | undefined {
  if (size < THROTTLE.bytes) return undefined
  const word = (offset: number): number => u32[(at + offset) >> 2] as number
  return {
    cgroup: (BigInt(word(cgroupAt + 4)) << 32n) | BigInt(word(cgroupAt)),
    rateClass: CLASSES.get(word(THROTTLE.class)) ?? 'other',
    ended: word(THROTTLE.ended) !== 0,
    suppressed: word(THROTTLE.suppressed) + word(THROTTLE.suppressed + 4) * 2 ** 32,
  }
}

/** A container made more records of a class than it may, or has calmed down. `resource` is the container's, where known. */
export function throttleRecord(throttle: Throttle, time: HrTime, resource: Resource): LogRecord {
  const { cgroup, rateClass, ended, suppressed } = throttle
  return record(
    'sensor.throttle',
    ended ? SEVERITY.info : SEVERITY.warn,
    ended
      ? `records of class ${rateClass} of cgroup ${cgroup} pass again; ${suppressed} were held back`
      : `more records of class ${rateClass} than the budget allows come from cgroup ${cgroup}; the rest is held back`,
    {
      'weir.sensor.throttle.class': rateClass,
      'weir.sensor.throttle.state': ended ? 'ended' : 'began',
      'weir.sensor.throttle.suppressed': suppressed,
      'weir.sensor.cgroup.id': String(cgroup),
    },
    resource,
    time,
  )
}

/** Somebody took programs of ours away. */
export function tamperRecord(programs: readonly string[], resource: Resource): LogRecord {
  return record(
    'sensor.tamper',
    SEVERITY.fatal,
    `somebody detached ${programs.length === 1 ? 'a program' : `${programs.length} programs`} of the sensor: ${programs.slice(0, 5).join(', ')}; what they watched is not seen any more`,
    { 'weir.sensor.detached': [...programs] },
    resource,
  )
}
