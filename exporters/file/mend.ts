/** What a kill in the middle of a write leaves behind, and how it is put right. */
import { type FileHandle, open } from 'node:fs/promises'

const BLOCK = 64 * 1024
const NEWLINE = 10

export interface OpenFile {
  readonly handle: FileHandle
  readonly size: number
  readonly inode: number
  readonly bornAt: number
}

/** Opens a file for appending, or makes it; what is written next stands behind a whole line. */
export async function openMended(path: string): Promise<OpenFile> {
  const handle = await open(path, 'a+', 0o640)
  try {
    const size = await mendLastLine(handle)
    const { birthtimeMs, ino: inode } = await handle.stat()
    return { handle, size, inode, bornAt: size > 0 ? birthtimeMs : Date.now() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Makes the file end in a whole line; resolves with its size. The beginning of one of our own lines was never
 * acknowledged (its record comes again) and is cut off; whatever else has no newline gets one.
 */
async function mendLastLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat()
  const start = await startOfLastLine(handle, size)
  if (start === size) return size
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, start)
  if (buffer.toString() === '{"' || size - start < 2) {
    await handle.truncate(start)
    return start
  }
  await handle.appendFile('\n')
  return size + 1
}

async function startOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(BLOCK)
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - BLOCK)
    const { bytesRead } = await handle.read(block, 0, end - from, from)
    const newline = block.subarray(0, bytesRead).lastIndexOf(NEWLINE)
    if (newline >= 0) return from + newline + 1
    end = from
  }
  return 0
}
