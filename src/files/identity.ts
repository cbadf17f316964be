/**
 * How a file's content is recognised: by a hash of its first bytes, and by a checksum of the bytes just before a
 * position. The first survives renames and copies; the second tells a copy from a file with an equal beginning,
 * and notices content that was exchanged in place.
 */
import { hash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Source } from './source.ts'

/** Hash of the first `length` bytes. Grows with the file until `fingerprint_size` is reached. */
export interface Print {
  readonly length: number
  readonly hash: string
}

/** A place in a file, with what stands before it. */
export interface Position {
  readonly offset: number
  /** How many of the bytes before the offset the checksum covers. */
  readonly markBytes: number
  readonly markCrc: number
  /** True inside a line that is being dropped because it is too long. */
  readonly cutting: boolean
}

export const MARK_BYTES = 1024
export const BEGINNING: Position = { offset: 0, markBytes: 0, markCrc: 0, cutting: false }
export const NO_PRINT: Print = { length: 0, hash: '' }

/** Device and inode: which file it is as long as it is not deleted. */
export function inodeOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`
}

export function printOf(bytes: Uint8Array): Print {
  return bytes.length === 0 ? NO_PRINT : { length: bytes.length, hash: hash('sha256', bytes, 'hex').slice(0, 32) }
}

/** The position `index` in a buffer that begins somewhere at or before it. */
export function positionAt(offset: number, buffer: Buffer, index: number, cutting = false): Position {
  const markBytes = Math.min(MARK_BYTES, index)
  return { offset, markBytes, markCrc: crc32(buffer.subarray(index - markBytes, index)), cutting }
}

export function hasMark(position: Position, buffer: Buffer, length: number): boolean {
  return length >= position.markBytes && crc32(buffer.subarray(0, position.markBytes)) === position.markCrc
}

/** Up to `length` bytes from `offset`; fewer when the file ends before. */
export async function readBytes(source: Source, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  return buffer.subarray(0, await source.read(buffer, 0, length, offset))
}

/** The position `offset` as it is in the file now. */
export async function positionIn(source: Source, offset: number): Promise<Position> {
  const before = await readBytes(source, Math.max(0, offset - MARK_BYTES), Math.min(MARK_BYTES, offset))
  return positionAt(offset, before, before.length)
}

/** True when the file begins with what was hashed. */
export async function beginsWith(source: Source, print: Print): Promise<boolean> {
  return printOf(await readBytes(source, 0, print.length)).hash === print.hash
}

/** True when the file has the position: it is long enough, and the same bytes stand before it. */
export async function hasPosition(source: Source, position: Position): Promise<boolean> {
  const before = await readBytes(source, position.offset - position.markBytes, position.markBytes)
  return hasMark(position, before, before.length)
}

const COMPARED_BYTES = 64 * 1024

/** True when the last bytes before `offset` are the same in both files. */
export async function agreeBefore(a: Source, b: Source, offset: number): Promise<boolean> {
  const length = Math.min(COMPARED_BYTES, offset)
  const [inA, inB] = await Promise.all([readBytes(a, offset - length, length), readBytes(b, offset - length, length)])
  return inA.length === length && inA.equals(inB)
}
