/** Nanoseconds since boot as the time of day. The clock of the machine may be set while it runs. */
import type { HrTime } from '../../records/record.ts'
import { bootNs, wallOffsetNs } from '../kernel/clock.ts'

const BILLION = 1_000_000_000

export class WallClock {
  /** Called with each new offset: nanoseconds since 1970 minus those since boot. */
  onChange: ((offsetNs: bigint) => void) | undefined
  #seconds = 0
  #nanos = 0
  #offset = 0n

  constructor() {
    this.measure()
  }

  get offsetNs(): bigint {
    return this.#offset
  }

  measure(): void {
    this.#offset = wallOffsetNs()
    this.#seconds = Number(this.#offset / BigInt(BILLION))
    this.#nanos = Number(this.#offset % BigInt(BILLION))
    this.onChange?.(this.#offset)
  }

  bootNs(): number {
    return Number(bootNs())
  }

  /** Of the two halves of a kernel time, which are exact up to 104 days of uptime, and to a microsecond after that. */
  hrTime(low: number, high: number): HrTime {
    const boot = low + high * 2 ** 32
    const seconds = Math.floor(boot / BILLION)
    const nanos = boot - seconds * BILLION + this.#nanos
    return nanos >= BILLION ? [this.#seconds + seconds + 1, nanos - BILLION] : [this.#seconds + seconds, nanos]
  }
}
