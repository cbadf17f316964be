/** What a session is put together from: the kernel side, and what turns its records into ours. */
import type { LogRecord } from '../../records/record.ts'
import type { Sensor } from '../kernel/sensor.ts'
import type { RingMemory } from '../memory.ts'

/** The part of `Sensor` that a session uses. */
export type KernelSide = Pick<
  Sensor,
  | 'hooks'
  | 'environment'
  | 'attach'
  | 'scan'
  | 'drain'
  | 'waiting'
  | 'fill'
  | 'wait'
  | 'counters'
  | 'gaps'
  | 'discarded'
  | 'malformed'
  | 'setSelf'
  | 'beat'
  | 'lostLinks'
  | 'detach'
  | 'close'
>

/** The part of `Model` that a session uses. */
export interface RecordMaker {
  take(memory: RingMemory, at: number, size: number, out: LogRecord[]): void
  tick(bootNs: number, out: LogRecord[]): void
}

/** How a session tells what it did; `Context` of a component has all of it. */
export interface Report {
  lost(count: number, reason: string): void
  filtered(count: number, reason: string): void
  count(metric: string, value: number, labels?: Readonly<Record<string, string>>): void
  gauge(metric: string, value: number, labels?: Readonly<Record<string, string>>): void
  health(status: 'ok' | 'recoverable' | 'permanent', reason?: string): void
}
