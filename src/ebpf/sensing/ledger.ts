/**
 * The books of a session: what the kernel side tried to send, what arrived, and what became of the difference. Each
 * loss has a type, a reason and the stage at which it happened; whatever was tried arrived, or stands in here.
 */

import type { TypeCounters } from '../kernel/sensor.ts'
import { FILTERS, FLAWS, LOSSES, typeName } from './names.ts'
import type { KernelSide, Report } from './parts.ts'

export type Stage = 'kernel' | 'decode' | 'intake'

export interface Loss {
  readonly type: string
  readonly reason: string
  readonly stage: Stage
  readonly count: number
}

/** What was lost from one `sensor.loss` to the next. */
export interface LossWindow {
  /** Milliseconds since 1970. */
  readonly from: number
  readonly to: number
  readonly losses: readonly Loss[]
  /** Whose records were shed most, where that is known: ids of containers with their counts. */
  readonly culprits: readonly (readonly [string, number])[]
}

type Counted = ReadonlyMap<number, TypeCounters>

const MOST_CULPRITS = 1000
const NAMED_CULPRITS = 5

/** How many seconds back health looks. */
const SPAN = 30

export class Ledger {
  readonly #report: Report
  #last: Counted = new Map()
  readonly #window = new Map<string, { type: string; reason: string; stage: Stage; count: number }>()
  readonly #culprits = new Map<string, number>()
  #from: number
  /** Records that were taken out of the rings, by type. */
  readonly #received: number[] = []
  readonly #reported: number[] = []
  /** Of the last seconds: what was tried, and what was lost. */
  readonly #seconds: { tried: number; lost: number }[] = []
  #tried = 0
  #lost = 0
  attempted = 0
  lostInKernel = 0

  constructor(report: Report, now: number) {
    this.#report = report
    this.#from = now
  }

  /** Called for every record: adds one to a number, and nothing else. */
  received(type: number): void {
    this.#received[type] = (this.#received[type] ?? 0) + 1
  }

  /** Records that arrived and that nobody will see. */
  lose(type: string, reason: string, stage: Stage, count: number): void {
    if (count <= 0) return
    this.#lost += count
    this.#report.count('weir_ebpf_lost', count, { type, reason, stage })
    const key = `${type} ${reason} ${stage}`
    const known = this.#window.get(key)
    if (known === undefined) this.#window.set(key, { type, reason, stage, count })
    else known.count += count
  }

  /** Notes that records which were lost later than in the kernel were of this container. */
  blame(container: string, count: number): void {
    const known = this.#culprits.get(container)
    if (known !== undefined || this.#culprits.size < MOST_CULPRITS) this.#culprits.set(container, (known ?? 0) + count)
  }

  /** Once a second: what the kernel side has counted since. */
  post(sensor: Pick<KernelSide, 'counters'>): void {
    const now = sensor.counters()
    for (const [type, counters] of now) this.#postType(type, counters, this.#last.get(type))
    this.#last = now
    this.#received.forEach((count, type) => {
      const more = count - (this.#reported[type] ?? 0)
      if (more > 0) this.#report.count('weir_ebpf_events', more, { type: typeName(type) })
      this.#reported[type] = count
    })
    this.#seconds.push({ tried: this.#tried, lost: this.#lost })
    if (this.#seconds.length > SPAN) this.#seconds.shift()
    this.#tried = 0
    this.#lost = 0
  }

  #postType(type: number, counters: TypeCounters, last: TypeCounters | undefined): void {
    const name = typeName(type)
    const since = (what: keyof TypeCounters): number => counters[what] - (last?.[what] ?? 0)
    const tried = since('attempted')
    this.#tried += tried
    this.attempted += tried
    for (const [counter, reason] of LOSSES) {
      const count = since(counter)
      this.lostInKernel += Math.max(0, count)
      this.lose(name, reason, 'kernel', count)
    }
    for (const [counter, reason] of FILTERS) {
      const count = since(counter)
      if (count > 0) this.#report.count('weir_ebpf_filtered', count, { type: name, reason })
    }
    // Only budgets suppress what would have been a record of its own.
    const throttled = since('throttled')
    if (throttled > 0) this.#report.filtered(throttled, 'throttled')
    for (const [counter, flaw] of FLAWS) {
      const count = since(counter)
      if (count > 0) this.#report.count('weir_ebpf_incomplete', count, { type: name, flaw })
    }
  }

  /** The losses since the last time, where there are any; tells the host of them. */
  close(now: number): LossWindow | undefined {
    if (this.#window.size === 0) {
      this.#from = now
      return undefined
    }
    const losses = [...this.#window.values()].toSorted((one, other) => other.count - one.count)
    const culprits = [...this.#culprits].toSorted(([, one], [, other]) => other - one).slice(0, NAMED_CULPRITS)
    const window = { from: this.#from, to: now, losses, culprits }
    this.#culprits.clear()
    const byReason = Map.groupBy(losses, ({ reason }) => reason)
    for (const [reason, group] of byReason) {
      this.#report.lost(
        group.reduce((sum, { count }) => sum + count, 0),
        reason,
      )
    }
    this.#window.clear()
    this.#from = now
    return window
  }

  /** The share of what was tried that was lost, 0 to 1, over the last half minute; 0 until that long has been seen. */
  get lossShare(): number {
    if (this.#seconds.length < SPAN) return 0
    const tried = this.#seconds.reduce((sum, second) => sum + second.tried, 0)
    const lost = this.#seconds.reduce((sum, second) => sum + second.lost, 0)
    return tried === 0 ? 0 : lost / tried
  }

  /** Records taken out of the rings, of all types. */
  get arrived(): number {
    return this.#received.reduce((sum, count) => sum + (count ?? 0), 0)
  }
}
