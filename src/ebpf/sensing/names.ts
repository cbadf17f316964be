/** Names of what the kernel side counts, as labels of metrics and attributes of records. */
import type { TypeCounters } from '../kernel/sensor.ts'
import { TYPE } from '../layout/values.ts'

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TYPE).map(([name, type]) => [type, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]),
)

/** `exec`, `open`, … of a type of record; `type_99` of one that this version does not know. */
export function typeName(type: number): string {
  return NAMES.get(type) ?? `type_${type}`
}

export type Reason = 'ring_full' | 'no_buffer' | 'too_big' | 'pressure' | 'simulated' | 'unread'

/** How the kernel side loses records. */
export const LOSSES: readonly (readonly [keyof TypeCounters, Reason])[] = [
  ['dropRing', 'ring_full'],
  ['dropScratch', 'no_buffer'],
  ['dropToobig', 'too_big'],
  ['dropPressure', 'pressure'],
  ['dropSimulated', 'simulated'],
  ['dropUnread', 'unread'],
]

/** Why the kernel side makes no record of something, as it was told. */
export const FILTERS: readonly (readonly [keyof TypeCounters, string])[] = [
  ['filtered', 'filtered'],
  ['deduped', 'folded'],
  ['throttled', 'throttled'],
]

/** What is incomplete in records that were made. */
export const FLAWS: readonly (readonly [keyof TypeCounters, string])[] = [
  ['readFault', 'read_fault'],
  ['truncated', 'truncated'],
  ['noState', 'no_state'],
]
