/**
 * A file that is only appended to, in whole lines, and replaced by a new one when it is full or old.
 *
 * A write that fails half way (a full disk) is cut off again, so that what is written later does not
 * stand behind half a line; so is what a kill left half written.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, parse, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import { makeDirectory, whyNot } from './directory.ts'
import { openMended } from './mend.ts'
import { splitLines } from './split-lines.ts'

export interface RotatingFileOptions {
  readonly path: string
  readonly sync: boolean
  /** 0 means no limit. */
  readonly maxBytes: number
  readonly maxAgeMs: number
  readonly maxBackups: number
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly warn: (message: string, error: unknown) => void
}

export interface RotatingFile {
  /** Rejects soon, with a sentence, when the file can be neither opened nor made. */
  open(): Promise<void>
  /**
   * Resolves when all of the lines are in the file (and, with `sync`, on the disk), or in several: no file grows past
   * its limit but for one line that is longer. Calls are served in order. After a rejection some may be in a full file.
   */
  append(lines: Buffer): Promise<void>
  close(): Promise<void>
}

const SUFFIX = { none: '', gzip: '.gz', zstd: '.zst' } as const

export function createRotatingFile(options: RotatingFileOptions): RotatingFile {
  const { maxBytes, maxAgeMs, sync, warn } = options
  const path = resolve(options.path)
  let handle: FileHandle | undefined
  let size = 0
  let bornAt = 0
  let inode = 0
  let rotatedAt = 0
  let last: Promise<unknown> = Promise.resolve()
  let tidying: Promise<unknown> = Promise.resolve()

  const begin = async (): Promise<FileHandle> => {
    await makeDirectory(dirname(path))
    const opened = await openMended(path)
    ;({ handle, size, inode, bornAt } = opened)
    return opened.handle
  }

  // Somebody may have moved or deleted the file: nobody would ever see what is written to it then.
  const closeIfReplaced = async (): Promise<void> => {
    if (handle === undefined) return
    const present = await stat(path).catch(() => undefined)
    if (present?.ino === inode) return
    warn('The file was moved or deleted; beginning a new one.', undefined)
    await handle.close()
    handle = undefined
  }

  const isFull = (more: number): boolean =>
    size > 0 && ((maxBytes > 0 && size + more > maxBytes) || (maxAgeMs > 0 && Date.now() - bornAt >= maxAgeMs))

  const rotate = async (): Promise<void> => {
    await handle?.close()
    handle = undefined
    const { dir, name, ext } = parse(path)
    rotatedAt = Math.max(Date.now(), rotatedAt + 1) // Several in a millisecond sort by time all the same.
    const full = await freeName(join(dir, `${name}-${stamp(new Date(rotatedAt))}`), ext)
    await rename(path, full)
    // Compressing and deleting old files must not hold up the lines that come.
    tidying = tidying.then(() => tidy(full)).catch((error) => warn('A full file could not be tidied up.', error))
  }

  const tidy = async (full: string): Promise<void> => {
    if (options.compression !== 'none') await compressFile(full, options.compression)
    if (options.maxBackups > 0) await removeOldest(path, options.maxBackups)
  }

  const write = async (lines: Buffer): Promise<void> => {
    await closeIfReplaced()
    const room = handle === undefined || isFull(1) ? 0 : maxBytes - size
    for (const part of maxBytes > 0 ? splitLines(lines, room, maxBytes) : [lines]) await writePart(part)
  }

  const writePart = async (lines: Buffer): Promise<void> => {
    if (handle !== undefined && isFull(lines.length)) await rotate()
    const target = handle ?? (await begin())
    try {
      await target.appendFile(lines)
      if (sync) await target.datasync()
      size += lines.length
    } catch (error) {
      await target.truncate(size).catch(() => {})
      throw error
    }
  }

  return {
    async open() {
      await begin().catch((error) => {
        throw new Error(`path: cannot open ${path}: ${whyNot(error)}`, { cause: error })
      })
    },
    append(lines) {
      const written = last.then(() => write(lines))
      last = written.catch(() => {})
      return written
    },
    async close() {
      await last
      await tidying
      await handle?.close()
      handle = undefined
    },
  }
}

/** `2026-01-02T03-04-05.678`: sorts by time, and is a name everywhere. */
function stamp(time: Date): string {
  return time.toISOString().slice(0, 23).replaceAll(':', '-')
}

async function freeName(base: string, ext: string): Promise<string> {
  for (let i = 0; ; i++) {
    const name = `${base}${i === 0 ? '' : `.${i}`}${ext}`
    const taken = await Promise.all(Object.values(SUFFIX).map((suffix) => stat(name + suffix).catch(() => undefined)))
    if (taken.every((one) => one === undefined)) return name
  }
}

async function compressFile(path: string, compression: 'gzip' | 'zstd'): Promise<void> {
  const target = path + SUFFIX[compression]
  const compressor = compression === 'gzip' ? createGzip() : createZstdCompress()
  await pipeline(createReadStream(path), compressor, createWriteStream(`${target}.part`, { mode: 0o640 }))
  await rename(`${target}.part`, target)
  await rm(path)
}

async function removeOldest(path: string, keep: number): Promise<void> {
  const { dir, name, ext } = parse(path)
  const backups = (await readdir(dir))
    .filter((one) => one.startsWith(`${name}-`) && one !== basename(path) && one.includes(ext))
    .filter((one) => /-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}/.test(one))
    .sort()
  await Promise.all(backups.slice(0, Math.max(0, backups.length - keep)).map((one) => rm(join(dir, one))))
}
