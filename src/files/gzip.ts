/** A compressed file, read as if it were plain: offsets count decompressed bytes, members follow each other. */
import { type BigIntStats, fstatSync, type promises } from 'node:fs'
import { type Damage, findDamage, findGarbage, isDamage } from './damage.ts'
import { type Decompression, decompress } from './gunzip.ts'
import type { Source } from './source.ts'

const EMPTY = Buffer.alloc(0)
/** A reader goes on a few bytes before where it stopped: so much stays. */
const MARGIN_BYTES = 64 * 1024
/** What is behind it is let go, many pages at once. */
const TRIM_BYTES = 1024 * 1024

/**
 * Reading forward is a stream; reading before what the last call returned starts over. So the last call's bytes are
 * kept until the end is reached, and a reader should not let many such files be half read at once.
 */
export class GunzippedSource implements Source {
  readonly isCompressed = true
  readonly #handle: promises.FileHandle
  #stream: Decompression | undefined
  #window: Buffer = EMPTY
  #windowStart = 0
  /** Known once it was reached, for the compressed file of that size. */
  #end: { readonly compressed: number; readonly size: number } | undefined
  /** What ends the content early, in the compressed file of that size: what comes before is read like any other. */
  #flaw: { readonly compressed: number; readonly damage: Damage } | undefined
  #busy: Promise<unknown> = Promise.resolve()

  constructor(handle: promises.FileHandle) {
    this.#handle = handle
  }

  stat(): BigIntStats {
    return fstatSync(this.#handle.fd, { bigint: true })
  }

  size(): number {
    return this.#end?.compressed === this.#compressedSize() ? this.#end.size : Number.POSITIVE_INFINITY
  }

  get damage(): Damage | undefined {
    const flaw = this.#flaw
    return this.#end !== undefined && flaw?.compressed === this.#compressedSize() ? flaw.damage : undefined
  }

  read(...args: Parameters<Source['read']>): Promise<number> {
    const result = this.#busy.then(() => this.#read(...args))
    this.#busy = result.catch(() => {})
    return result
  }

  async close(): Promise<void> {
    await this.#busy
    this.#rewind()
    await this.#handle.close()
  }

  #compressedSize(): number {
    return fstatSync(this.#handle.fd).size
  }

  #rewind(): void {
    this.#stream?.destroy()
    this.#stream = undefined
    this.#window = EMPTY
    this.#windowStart = 0
  }

  async #read(buffer: Buffer, at: number, length: number, offset: number): Promise<number> {
    if (this.#end !== undefined && this.#end.compressed !== this.#compressedSize()) {
      this.#end = undefined
      this.#flaw = undefined
      this.#rewind()
    }
    if (offset < this.#windowStart) this.#rewind()
    await this.#fill(offset, offset + length)
    const from = offset - this.#windowStart
    const to = Math.min(this.#window.length, from + length)
    const copied = from < to ? this.#window.copy(buffer, at, from, to) : 0
    if (this.#end !== undefined && offset + copied >= this.#end.size) this.#rewind() // Give the memory back.
    return copied
  }

  /** Extends the window until it reaches `target` or the end, forgetting what is before `keepFrom`. */
  async #fill(keepFrom: number, target: number): Promise<void> {
    this.#trim(keepFrom - MARGIN_BYTES)
    const chunks = [this.#window]
    let reached = this.#windowStart + this.#window.length
    while (reached < target) {
      const chunk = await this.#nextChunk(reached)
      if (chunk === undefined) break
      reached += chunk.length
      chunks.push(chunk)
      while (this.#windowStart + (chunks[0]?.length ?? Number.POSITIVE_INFINITY) <= keepFrom) {
        this.#windowStart += (chunks.shift() as Buffer).length
      }
    }
    this.#window = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  }

  /** Every read begins within the window, so that no chunk of it would ever be wholly behind. */
  #trim(keepFrom: number): void {
    const surplus = keepFrom - this.#windowStart
    if (surplus < TRIM_BYTES || surplus > this.#window.length) return
    this.#window = Buffer.from(this.#window.subarray(surplus))
    this.#windowStart += surplus
  }

  async #nextChunk(reached: number): Promise<Buffer | undefined> {
    const compressed = this.#flaw?.compressed ?? this.#compressedSize()
    try {
      this.#stream ??= decompress(this.#handle, this.#flaw?.damage.at)
      const chunk = await this.#stream.next()
      if (chunk !== undefined) return chunk
      const garbage = this.#flaw ? undefined : await findGarbage(this.#handle, compressed, this.#stream.consumed)
      if (garbage !== undefined) this.#flaw = { compressed, damage: garbage }
      this.#end = { compressed, size: reached }
      return undefined
    } catch (error) {
      if (this.#flaw !== undefined || !isDamage(error)) throw error
      this.#flaw = { compressed, damage: await findDamage(this.#handle, compressed, error.code) }
      return this.#skipTo(reached)
    }
  }

  /** Begins again, up to the damaged place this time, and goes on after what was read already. */
  async #skipTo(reached: number): Promise<Buffer | undefined> {
    this.#stream?.destroy()
    this.#stream = undefined
    for (let at = 0; ; ) {
      const chunk = await this.#nextChunk(at)
      if (chunk === undefined) return undefined
      at += chunk.length
      if (at > reached) return chunk.subarray(chunk.length - (at - reached))
    }
  }
}
