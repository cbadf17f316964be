/**
 * A ring buffer of the kernel (BPF_MAP_TYPE_RINGBUF, Documentation/bpf/ringbuf.rst), read in place.
 *
 * Two mappings: a page with the consumer's position, which is ours to write, and a page with the producer's position
 * followed by the data, mapped twice in a row so that a record across the end is contiguous. Each record begins with
 * its length; bit 31 says that it is still being written, bit 30 that it was given up. This is the only file that touches
 * the mappings, and nothing may use them after `close`.
 */
import { HEADER } from '../layout/offsets.ts'
import { type RingMemory, ringMemory, type TakeRecord } from '../memory.ts'

const DISCARDED = 0x40000000
const LENGTH = 0x3fffffff
const RECORD_HEADER = 8

/** The positions and the data of a ring, however they came to be in memory. */
export interface RingPages {
  readonly consumer: BigInt64Array
  readonly producer: BigInt64Array
  /** Twice the ring's size. */
  readonly data: ArrayBuffer
  readonly offset: number
  readonly size: number
}

export class Ring {
  readonly size: number
  readonly #pages: RingPages
  readonly #memory: RingMemory
  /** By CPU: the highest sequence number seen, and how many records. */
  #highest: number[] = []
  #seen: number[] = []
  #position: number
  #at: number
  discarded = 0
  /** Records that are shorter than a header: counted, and passed over. */
  malformed = 0

  constructor(pages: RingPages) {
    this.#pages = pages
    this.size = pages.size
    this.#memory = ringMemory(pages.data, pages.offset, pages.size * 2)
    this.#position = Number(Atomics.load(pages.consumer, 0))
    this.#at = this.#position % pages.size
  }

  /** Bytes that wait. */
  get waiting(): number {
    return Number(Atomics.load(this.#pages.producer, 0)) - this.#position
  }

  /** Records that sequence numbers say were tried and never came. */
  get missing(): number {
    let missing = 0
    for (let cpu = 0; cpu < this.#highest.length; cpu++) missing += (this.#highest[cpu] ?? 0) - (this.#seen[cpu] ?? 0)
    return missing
  }

  /** Hands out what waits, at most `most` records; returns how many. */
  drain(take: TakeRecord, most: number): number {
    const { producer, consumer, size } = this.#pages
    const memory = this.#memory
    const end = Number(Atomics.load(producer, 0))
    let position = this.#position
    let at = this.#at
    let records = 0

    while (position < end && records < most) {
      const word = Atomics.load(memory.i32, at >> 2)
      // Bit 31: whoever comes later waits with it.
      if (word < 0) break
      const length = word & LENGTH
      if ((word & DISCARDED) !== 0) this.discarded++
      else if (length < HEADER.bytes) this.malformed++
      else {
        this.#number(memory, at + RECORD_HEADER)
        take(memory, at + RECORD_HEADER, length)
        records++
      }
      const step = (length + RECORD_HEADER + 7) & ~7
      position += step
      at += step
      if (at >= size) at -= size
    }
    if (position !== this.#position) {
      this.#position = position
      this.#at = at
      Atomics.store(consumer, 0, BigInt(position))
    }
    return records
  }

  /** A program that interrupts another one may be first to write, though it was numbered second. */
  #number({ u32 }: RingMemory, at: number): void {
    const cpu = u32[(at + HEADER.cpu) >> 2] as number
    const seq = (u32[(at + HEADER.seq) >> 2] as number) + (u32[(at + HEADER.seq + 4) >> 2] as number) * 2 ** 32
    if (cpu >= this.#highest.length) {
      for (let i = this.#highest.length; i <= cpu && i < 4096; i++) {
        this.#highest.push(0)
        this.#seen.push(0)
      }
      if (cpu >= 4096) return
    }
    if (seq > (this.#highest[cpu] as number)) this.#highest[cpu] = seq
    this.#seen[cpu] = (this.#seen[cpu] as number) + 1
  }
}
