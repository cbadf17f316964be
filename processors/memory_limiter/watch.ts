/**
 * Watches the memory of this process and says when it is short.
 *
 * Two numbers count. *Resident* is what the kernel can't take back without killing: the heap, buffers outside of it,
 * stacks; not the pages of files, such as the program itself. It must stay below the hard limit. *In use* leaves out
 * what the allocator keeps for the next buffers, which costs nothing more when it is used again; it must stay below the
 * soft limit. Garbage is collected before the doors are shut, and again while they are: V8 alone is in no hurry.
 */
import { readFileSync } from 'node:fs'
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
  /** Bytes that are resident and belong to no file. */
  readonly resident: () => number
  /** Bytes that JavaScript knows of: the heap as it is mapped, and buffers outside of it. */
  readonly accounted: () => number
  readonly now: () => number
  /** Collects all garbage, which takes as long as the heap is large. */
  readonly collect: () => void
}

const PAGE = 4096

export const PROCESS: MemoryProbe = {
  resident() {
    // proc(5), statm: size, resident and shared (pages of files), in pages.
    const [, resident = '0', shared = '0'] = readFileSync('/proc/self/statm', 'latin1').split(' ')
    return (Number(resident) - Number(shared)) * PAGE
  },
  accounted() {
    const { heapTotal, external } = process.memoryUsage()
    return heapTotal + external
  },
  now: () => performance.now(),
  collect: () => gc(),
}

/** A collection that frees less than this share was in vain: the next one comes later. */
const IN_VAIN = 0.05
/** Below the soft limit by this share before the door opens again: otherwise it would flutter. */
const RELIEF = 0.05

/** What stays resident above the hard limit for so long, without being in use, is the allocator's: it is used again. */
const KEPT_MS = 10_000

export class MemoryWatch {
  readonly #limits: MemoryLimits
  readonly #probe: MemoryProbe
  /** What is resident and JavaScript does not know of: code, stacks, the libraries' own. */
  readonly #overhead: number
  #collectedAt = Number.NEGATIVE_INFINITY
  #waitMs = 0
  #keptSince: number | undefined
  isShort = false
  resident = 0
  inUse = 0

  constructor(limits: MemoryLimits, probe: MemoryProbe = PROCESS) {
    this.#limits = limits
    this.#probe = probe
    this.#overhead = Math.max(0, probe.resident() - probe.accounted())
  }

  /** Looks once. Returns whether memory is short now. */
  check(): boolean {
    const { hardBytes, softGcMs, hardGcMs } = this.#limits
    this.#measure()
    if (this.#isOver()) this.#collect(this.resident > hardBytes ? hardGcMs : softGcMs)
    this.isShort = this.#isOver()
    if (!this.isShort) this.#waitMs = 0
    return this.isShort
  }

  #measure(): void {
    this.resident = this.#probe.resident()
    this.inUse = Math.min(this.resident, this.#probe.accounted() + this.#overhead)
  }

  #isOver(): boolean {
    const { softBytes, hardBytes } = this.#limits
    const share = this.isShort ? 1 - RELIEF : 1
    if (this.inUse > softBytes * share) {
      this.#keptSince = undefined
      return true
    }
    if (this.resident <= hardBytes * share) {
      this.#keptSince = undefined
      return false
    }
    this.#keptSince ??= this.#probe.now()
    return this.#probe.now() - this.#keptSince < KEPT_MS
  }

  #collect(leastMs: number): void {
    const { now, collect } = this.#probe
    if (now() - this.#collectedAt < Math.max(leastMs, this.#waitMs)) return
    const before = this.resident
    collect()
    this.#collectedAt = now()
    this.#measure()
    const isInVain = this.resident > before * (1 - IN_VAIN)
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
