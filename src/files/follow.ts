/** Follows files: hands on what is appended to them, page by page, and remembers what was acknowledged. */
import { constants, promises as fs } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../component.ts'
import { encodingOf } from './encoding.ts'
import { cutLines, type LineLimits } from './lines.ts'
import type { FollowOptions } from './options.ts'
import type { Page, TakePage } from './page.ts'

const PAGE_BYTES = 1024 * 1024

export type FollowContext = Pick<Context, 'log' | 'store' | 'drain' | 'health' | 'count' | 'gauge'>

interface Known {
  readonly id: string
  readonly path: string
  readonly handle: fs.FileHandle
  offset: number
}

/**
 * Reads every file that matches, from where the last acknowledged page ended, and goes on until `signal` aborts
 * (with `context.drain`: until everything that is there has been read and acknowledged).
 *
 * A page whose journey failed is read again, with all that came after it in its file: a page that does not begin
 * where the last one of its file ended means that, and a receiver forgets what it held of the file.
 */
export async function follow(
  options: FollowOptions,
  context: FollowContext,
  take: TakePage,
  signal: AbortSignal,
): Promise<void> {
  const encoding = encodingOf(options.encoding)
  if (encoding === undefined) throw new Error(`Unknown encoding "${options.encoding}".`)
  const limits: LineLimits = { encoding, maxLineBytes: options.maxLineBytes, onLongLine: options.onLongLine }
  const files = new Map<string, Known>()
  const buffer = Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, options.maxLineBytes + 4))
  let isFirst = true
  while (!signal.aborted) {
    for await (const path of fs.glob([...options.include], { exclude: [...options.exclude] })) {
      const stat = await fs.stat(path)
      const id = `${stat.dev}-${stat.ino}`
      let known = files.get(id)
      if (known === undefined && stat.isFile()) {
        const saved = await context.store.get(id)
        const start = isFirst && options.startAt === 'end' ? stat.size : 0
        known = { id, path, handle: await fs.open(path, constants.O_RDONLY), offset: Number(saved ?? start) }
        files.set(id, known)
      }
      if (known !== undefined) await readToEnd(known, buffer, limits, context, take, signal)
    }
    isFirst = false
    if (context.drain) break
    await sleep(options.pollMs, undefined, { signal }).catch(() => {})
  }
  for (const file of files.values()) await file.handle.close()
}

async function readToEnd(
  file: Known,
  buffer: Buffer,
  limits: LineLimits,
  context: FollowContext,
  take: TakePage,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { bytesRead } = await file.handle.read(buffer, 0, buffer.length, file.offset)
    const cut = cutLines(buffer, 0, bytesRead, limits, false, context.drain && bytesRead < buffer.length)
    if (cut.lines.length === 0 || signal.aborted) return
    const start = file.offset
    const page: Page = {
      file,
      lines: cut.lines,
      start,
      end: start + cut.consumed,
      offsets: () => cut.offsets().map((offset) => start + offset),
    }
    file.offset = page.end
    const taken = await take(page, signal)
    const outcome = await taken.outcome
    if (outcome.kind === 'failed') file.offset = start
    else await context.store.set(file.id, String(file.offset))
  }
}
