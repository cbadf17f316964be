/** Where a compressed file stops being one, and what is lost by that. */
import type { promises } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { CHUNK_BYTES } from './gunzip.ts'

export interface Damage {
  /** `truncated`: it ends in the middle, and may still be written. */
  readonly kind: 'not_gzip' | 'truncated' | 'corrupt'
  /** Compressed bytes before the bad place: they decompress without an error. */
  readonly at: number
  /** Compressed bytes from there on; at least 1, since of what was cut off nobody knows how much it was. */
  readonly lostBytes: number
  /** The code of zlib's error. */
  readonly code: string
}

export function isDamage(error: unknown): error is { readonly code: string } {
  return /^Z_(?:DATA_ERROR|BUF_ERROR|NEED_DICT)$/.test(String((error as NodeJS.ErrnoException).code))
}

/** What is wrong with a file of `size` bytes whose decompression failed with this code. */
export async function findDamage(handle: promises.FileHandle, size: number, code: string): Promise<Damage> {
  if (code === 'Z_BUF_ERROR') return { kind: 'truncated', at: size, lostBytes: 1, code }
  if (!(await isGzip(handle))) return { kind: 'not_gzip', at: 0, lostBytes: size, code }
  let at = 0
  // What zlib made of a piece with an error in it is not to be had: so the pieces become smaller, down to a byte.
  for (let piece = CHUNK_BYTES; piece >= 1; piece /= 256) at = await firstBadPiece(handle, size, at, piece)
  return { kind: 'corrupt', at, lostBytes: Math.max(1, size - at), code }
}

/** What stands behind the last member: padding with zeros is none, and anything else nobody can read. */
export async function findGarbage(
  handle: promises.FileHandle,
  size: number,
  from: number,
): Promise<Damage | undefined> {
  for (let position = from; position < size; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position)
    if (bytesRead === 0) return undefined
    const isPadding = buffer.subarray(0, bytesRead).every((byte) => byte === 0)
    if (!isPadding) return { kind: 'corrupt', at: from, lostBytes: size - from, code: 'Z_DATA_ERROR' }
    position += bytesRead
  }
  return undefined
}

/** Where the first piece with an error begins, in pieces of `piece` bytes from `known` on. */
async function firstBadPiece(handle: promises.FileHandle, size: number, known: number, piece: number): Promise<number> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  gunzip.resume()
  let isOver = false
  const over = new Promise<void>((resolve) => {
    const stop = (): void => {
      isOver = true
      resolve()
    }
    gunzip.on('error', stop).on('end', stop)
  })
  let good = 0
  try {
    while (good < size) {
      const length = Math.min(good < known ? Math.min(CHUNK_BYTES, known - good) : piece, size - good)
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, good)
      if (bytesRead === 0) break
      const written = new Promise<void>((resolve) => gunzip.write(buffer.subarray(0, bytesRead), () => resolve()))
      await Promise.race([written, over])
      if (isOver) break
      good += bytesRead
    }
    return good
  } finally {
    gunzip.destroy()
  }
}

async function isGzip(handle: promises.FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead < 2 || buffer.readUInt16BE() === 0x1f8b
}
