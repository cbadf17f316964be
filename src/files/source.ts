/** Where bytes come from: a plain file, or a compressed one that is read as if it were plain. */
import { type BigIntStats, constants, fstatSync, type promises } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Damage } from './damage.ts'
import { GunzippedSource } from './gzip.ts'

export interface Source {
  readonly isCompressed: boolean
  /** Of the file itself, through the open handle: true to it wherever its name went. */
  stat(): BigIntStats
  /** Where reading would end now; `Infinity` while that is unknown (compressed, not read to its end yet). */
  size(): number
  /** What ends a compressed file early, once that place was reached; undefined again when the file has changed. */
  readonly damage?: Damage | undefined
  /** Fills `buffer[at, at + length)` from `offset`; resolves with fewer bytes only where the file ends. */
  read(buffer: Buffer, at: number, length: number, offset: number): Promise<number>
  /** Waits for a read that is under way. */
  close(): Promise<void>
}

/** Opens a regular file. Rejects with an errno, or when the path is something else. */
export async function openSource(path: string, isCompressed: boolean): Promise<Source> {
  // Without O_NONBLOCK, a FIFO that took the file's place would hold a thread for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  if (fstatSync(handle.fd).isFile()) return isCompressed ? new GunzippedSource(handle) : plain(handle)
  await handle.close()
  throw new Error(`${path} is not a regular file`)
}

function plain(handle: promises.FileHandle): Source {
  return {
    isCompressed: false,
    stat: () => fstatSync(handle.fd, { bigint: true }),
    size: () => fstatSync(handle.fd).size,
    async read(buffer, at, length, offset) {
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, at + filled, length - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
        if (filled < length && offset + filled >= fstatSync(handle.fd).size) break
      }
      return filled
    },
    close: () => handle.close(),
  }
}
