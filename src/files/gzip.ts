/** A compressed file, read as if it were plain: offsets count decompressed bytes, members follow each other. */
import { fstatSync, type promises } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Source } from './source.ts'

const CHUNK_BYTES = 64 * 1024
/** A compressed file without an end that was not written to for this long gets none any more. */
const INCOMPLETE_MS = 5000

interface Decompression {
  next(): Promise<Buffer | undefined>
  destroy(): void
}

/**
 * Reading forward is a stream; reading before what the last call returned starts over. So the last call's bytes are
 * kept until the end is reached, and a reader should not let many such files be half read at once.
 */
export function gunzipped(handle: promises.FileHandle): Source {
  let stream: Decompression | undefined
  let window: Buffer = Buffer.alloc(0)
  let windowStart = 0
  let end: { readonly compressed: number; readonly size: number } | undefined
  let damage: unknown
  let busy: Promise<unknown> = Promise.resolve()
  const compressedSize = (): number => fstatSync(handle.fd).size

  const rewind = (): void => {
    stream?.destroy()
    stream = undefined
    window = Buffer.alloc(0)
    windowStart = 0
  }
  const isBeingWritten = (error: unknown): boolean =>
    (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR' && Date.now() - fstatSync(handle.fd).mtimeMs < INCOMPLETE_MS
  const nextChunk = async (compressed: number, reached: number): Promise<Buffer | undefined> => {
    try {
      const chunk = await (stream as Decompression).next()
      if (chunk === undefined) end = { compressed, size: reached }
      return chunk
    } catch (error) {
      // A file that is still being written ends in the middle of a member; one that no longer is, is damaged.
      if (!isBeingWritten(error))
        damage = error // What came before can be read: the next call says so.
      else end = { compressed, size: reached }
      return undefined
    }
  }
  // Extends the window until it reaches `target` or the end, forgetting what is before `keepFrom`.
  const fill = async (keepFrom: number, target: number): Promise<void> => {
    const compressed = compressedSize()
    const chunks = [window]
    let reached = windowStart + window.length
    if (damage !== undefined) {
      end = { compressed, size: reached } // Until the file changes, nobody needs to try again.
      const error = damage
      damage = undefined
      throw error
    }
    stream ??= decompress(handle)
    while (reached < target) {
      const chunk = await nextChunk(compressed, reached)
      if (chunk === undefined) break
      reached += chunk.length
      chunks.push(chunk)
      while (chunks[0] !== undefined && windowStart + chunks[0].length <= keepFrom) {
        windowStart += (chunks.shift() as Buffer).length
      }
    }
    window = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  }
  const read: Source['read'] = async (buffer, at, length, offset) => {
    if (end !== undefined && end.compressed !== compressedSize()) {
      end = undefined
      rewind()
    }
    if (offset < windowStart) rewind()
    if (end === undefined || offset + length > windowStart + window.length) await fill(offset, offset + length)
    const from = Math.max(0, offset - windowStart)
    const copied = window.copy(buffer, at, from, Math.min(window.length, from + length))
    if (end !== undefined && offset + copied >= end.size) rewind() // Nothing is left to read: give the memory back.
    return copied
  }
  return {
    isCompressed: true,
    stat: () => fstatSync(handle.fd, { bigint: true }),
    size: () => (end?.compressed === compressedSize() ? end.size : Number.POSITIVE_INFINITY),
    read(...args) {
      const result = busy.then(() => read(...args))
      busy = result.catch(() => {})
      return result
    },
    async close() {
      await busy
      rewind()
      await handle.close()
    },
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
