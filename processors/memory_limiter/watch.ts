/**
 * Watches the memory of this process and says when it is short.
 *
 * What counts is what the kernel counts: resident memory, with buffers outside the heap, compiled code and stacks. A
 * collection of garbage is forced before the door is believed to be needed, and again while it is shut, since V8 alone
 * has no reason to hurry.
 */
import { totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface MemoryLimits {
  readonly softBytes: number
  readonly hardBytes: number
  /** Least time between two forced collections, above the soft and above the hard limit. */
  readonly softGcMs: number
  readonly hardGcMs: number
  /** Longest time between two, to which it grows while they free little. */
  readonly maxGcMs: number
}

export interface MemoryProbe {
  readonly rss: () => number
  readonly now: () => number
  /** Collects all garbage, which takes as long as the heap is large. */
  readonly collect: () => void
}

export const PROCESS: MemoryProbe = {
  rss: () => process.memoryUsage.rss(),
  now: () => performance.now(),
  collect: () => gc(),
}

/** Bytes that this process may use: those of its cgroup, or of the machine. */
export function memoryOfHost(): number {
  return Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem())
}

/** A collection that frees less than this share was in vain: the next one comes later. */
const IN_VAIN = 0.05
/** Below the soft limit by this share before the door opens again: otherwise it would flutter. */
const RELIEF = 0.05

export class MemoryWatch {
  readonly #limits: MemoryLimits
  readonly #probe: MemoryProbe
  #collectedAt = Number.NEGATIVE_INFINITY
  #waitMs = 0
  isShort = false
  rss = 0

  constructor(limits: MemoryLimits, probe: MemoryProbe = PROCESS) {
    this.#limits = limits
    this.#probe = probe
  }

  /** Looks once. Returns whether memory is short now. */
  check(): boolean {
    const { softBytes, hardBytes, softGcMs, hardGcMs } = this.#limits
    this.rss = this.#probe.rss()
    const bound = this.isShort ? softBytes * (1 - RELIEF) : softBytes
    if (this.rss > bound) this.#collect(this.rss > hardBytes ? hardGcMs : softGcMs)
    if (this.rss <= bound) this.#waitMs = 0
    this.isShort = this.rss > bound
    return this.isShort
  }

  #collect(leastMs: number): void {
    const { now, collect, rss } = this.#probe
    if (now() - this.#collectedAt < Math.max(leastMs, this.#waitMs)) return
    const before = this.rss
    collect()
    this.#collectedAt = now()
    this.rss = rss()
    const isInVain = this.rss > before * (1 - IN_VAIN)
    this.#waitMs = isInVain ? Math.min(this.#limits.maxGcMs, Math.max(1000, this.#waitMs * 2)) : 0
  }
}

let collectGarbage: (() => void) | undefined

/** V8's own collection, which a flag makes callable. */
function gc(): void {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc')
    collectGarbage = runInNewContext('gc') as () => void
  }
  collectGarbage()
}
