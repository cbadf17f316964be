/** Which content is in which file, and which files are open. */
import type { FoundFile } from './identify.ts'
import type { Source } from './source.ts'
import type { Tail } from './tail.ts'

export class Catalog {
  readonly tails = new Set<Tail>()
  readonly #byInode = new Map<string, Tail>()
  readonly #max: number
  /** When the present look began: what is seen in it is as old as that. */
  lookedAt = 0
  /** Files that are open without a tail: empty ones, whose content is not known yet. */
  readonly blanks = new Map<string, { readonly file: FoundFile; readonly source: Source; readonly since: number }>()

  constructor(maxOpenFiles: number) {
    this.#max = maxOpenFiles
  }

  get openFiles(): number {
    let open = this.blanks.size
    for (const tail of this.tails) if (tail.source !== undefined) open += 1
    return open
  }

  holder(inode: string): Tail | undefined {
    return this.#byInode.get(inode)
  }

  /** The content is in this file from now on. */
  attach(tail: Tail, file: FoundFile, source: Source, isListed: boolean): void {
    const isNew = !this.tails.has(tail)
    this.tails.add(tail)
    this.#byInode.set(file.inode, tail)
    tail.inode = file.inode
    tail.lastInode = file.inode
    tail.source = source
    tail.size = source.size()
    tail.isListed = isListed
    tail.isRestored = false
    tail.isSuspect = false
    tail.isTruncated = false
    tail.isLossCounted = false
    tail.goneAt = undefined
    if (!isListed && !isNew) return // It is still known by the name that a pattern asked for.
    if (isListed) tail.seenAt = this.lookedAt
    tail.moveTo(file.path)
  }

  /** The content is in no file any more, as far as is known. */
  async detach(tail: Tail): Promise<void> {
    if (tail.inode !== undefined) this.#byInode.delete(tail.inode)
    tail.inode = undefined
    tail.isSuspect = false
    tail.isListed = false
    tail.goneAt = Date.now()
    await this.close(tail)
  }

  async close(tail: Tail): Promise<void> {
    const { source } = tail
    tail.source = undefined
    await source?.close()
  }

  remove(tail: Tail): void {
    this.tails.delete(tail)
    if (tail.inode !== undefined) this.#byInode.delete(tail.inode)
  }

  /** True when one more file may be opened; the one that was quiet longest is closed for it, to be opened again later. */
  async makeRoom(): Promise<boolean> {
    if (this.openFiles < this.#max) return true
    let quietest: Tail | undefined
    for (const tail of this.tails) {
      if (isQuiet(tail) && tail.lastDataAt < (quietest?.lastDataAt ?? Number.POSITIVE_INFINITY)) quietest = tail
    }
    if (quietest !== undefined) {
      await this.close(quietest)
      return true
    }
    const [blank] = this.blanks
    if (blank === undefined) return false
    this.blanks.delete(blank[0])
    await blank[1].source.close()
    return true
  }

  async closeAll(): Promise<void> {
    for (const tail of this.tails) await this.close(tail)
    for (const { source } of this.blanks.values()) await source.close()
    this.blanks.clear()
  }
}

/** All that is in the file was read and acknowledged. Notes the file's version, to see later that it changed. */
function isQuiet(tail: Tail): boolean {
  const isBusy = tail.isRunning || tail.hasUnread || tail.restBytes > 0 || tail.isHeld || tail.progress.hasFlights
  if (tail.source === undefined || !tail.isListed || isBusy) return false
  tail.closedAs = fileVersion(tail.source.stat())
  return tail.source.size() === tail.size // Else something was appended since it was looked at.
}

export function fileVersion({ size, mtimeNs }: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `${size}:${mtimeNs}`
}
