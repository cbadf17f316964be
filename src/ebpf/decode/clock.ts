/** From the kernel's time since boot to the time of day. */
import type { HrTime } from '@opentelemetry/api'
import type { RingMemory } from '../memory.ts'
import { u32 } from './read.ts'

const BILLION = 1_000_000_000

export class Clock {
  #seconds = 0
  #nanos = 0

  /** Time of day minus time since boot, in nanoseconds. */
  set(offset: bigint): void {
    this.#seconds = Number(offset / 1_000_000_000n)
    this.#nanos = Number(offset % 1_000_000_000n)
  }

  /** Of the time that stands at `at`: exact to a few nanoseconds. */
  at(memory: RingMemory, at: number): HrTime {
    const total = u32(memory, at) + u32(memory, at + 4) * 2 ** 32
    const seconds = Math.floor(total / BILLION)
    const nanos = total - seconds * BILLION + this.#nanos
    return nanos >= BILLION ? [seconds + this.#seconds + 1, nanos - BILLION] : [seconds + this.#seconds, nanos]
  }
}
