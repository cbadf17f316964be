/** A compressed file, read as if it were plain: offsets count decompressed bytes, members follow each other. */
import { type BigIntStats, fstatSync, type promises } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Source } from './source.ts'

const CHUNK_BYTES = 64 * 1024
/** A compressed file without an end that was not written to for this long gets none any more. */
const INCOMPLETE_MS = 5000

const EMPTY = Buffer.alloc(0)

interface Decompression {
  next(): Promise<Buffer | undefined>
  destroy(): void
}

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
  /** What stopped the decompression; said when all that comes before was read. */
  #damage: unknown
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
    this.#damage = undefined
  }

  async #read(buffer: Buffer, at: number, length: number, offset: number): Promise<number> {
    if (this.#end !== undefined && this.#end.compressed !== this.#compressedSize()) {
      this.#end = undefined
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
    const chunks = [this.#window]
    let reached = this.#windowStart + this.#window.length
    if (reached < target) this.#throwDamage(reached)
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

  async #nextChunk(reached: number): Promise<Buffer | undefined> {
    const compressed = this.#compressedSize()
    this.#stream ??= decompress(this.#handle)
    try {
      const chunk = await this.#stream.next()
      if (chunk === undefined) this.#end = { compressed, size: reached }
      return chunk
    } catch (error) {
      // A file that is still being written ends in the middle of a member; one that no longer is, is damaged.
      if (this.#isBeingWritten(error)) this.#end = { compressed, size: reached }
      else this.#damage = error
      return undefined
    }
  }

  #isBeingWritten(error: unknown): boolean {
    const { mtimeMs } = fstatSync(this.#handle.fd)
    return (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR' && Date.now() - mtimeMs < INCOMPLETE_MS
  }

  #throwDamage(reached: number): void {
    const damage = this.#damage
    if (damage === undefined) return
    this.#damage = undefined
    this.#end = { compressed: this.#compressedSize(), size: reached } // Nobody needs to try again until it changes.
    throw damage
  }
}

function decompress(handle: promises.FileHandle): Decompression {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  // Not `handle.createReadStream`: destroying that one closes the file.
  const input = Readable.from(compressedChunks(handle))
  input.on('error', (error) => gunzip.destroy(error))
  input.pipe(gunzip)
  const chunks = gunzip[Symbol.asyncIterator]()
  return {
    async next() {
      const { value, done } = await chunks.next()
      return done ? undefined : (value as Buffer)
    },
    destroy() {
      input.destroy()
      gunzip.destroy()
    },
  }
}

async function* compressedChunks(handle: promises.FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
