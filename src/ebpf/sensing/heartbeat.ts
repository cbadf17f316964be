/** A number that goes through the kernel and comes back by both rings, every few seconds: proof that the path is open. */
import { HEARTBEAT } from '../layout/offsets.ts'
import type { RingMemory } from '../memory.ts'

/** It comes by each ring. */
const RINGS = 2

export class Heartbeat {
  #nonce = 0
  #returned = RINGS
  /** Beats in a row that did not come back whole. */
  missed = 0

  /** Judges the last beat and sends the next one. */
  next(beat: (nonce: bigint) => void): void {
    if (this.#returned < RINGS) this.missed += 1
    else this.missed = 0
    this.#nonce += 1
    this.#returned = 0
    beat(BigInt(this.#nonce))
  }

  take({ u32 }: RingMemory, at: number, size: number): void {
    if (size < HEARTBEAT.bytes || u32[(at + HEARTBEAT.nonce) >> 2] !== this.#nonce) return
    this.#returned += 1
    if (this.#returned === RINGS) this.missed = 0
  }
}
