/** Which file stood at each path when it was looked at last, and which content is to be read last of all that did. */
import type { FoundFile } from './identify.ts'
import type { Tail } from './tail.ts'

/** Which file stood at a path, and until when at least. */
export interface Stand {
  readonly inode: string
  readonly at: number
  /** The content of the file was exchanged since. */
  readonly isTruncated: boolean
}

const MAX_PATHS = 20_000

export class Stands {
  readonly #stands = new Map<string, Stand>()
  readonly #last = new Map<string, Tail>()

  /** From a checkpoint; the latest of a path comes last. */
  restore(tail: Tail): void {
    this.#stands.set(tail.path, { inode: tail.lastInode, at: tail.seenAt, isTruncated: false })
    this.#last.set(tail.path, tail)
  }

  truncated(path: string): void {
    const stand = this.#stands.get(path)
    if (stand !== undefined) this.#stands.set(path, { ...stand, isTruncated: true })
  }

  /** What stood at the path before this file, when that was another one or had other content. */
  before({ path, inode }: FoundFile): Stand | undefined {
    const stand = this.#stands.get(path)
    return stand?.inode === inode && !stand.isTruncated ? undefined : stand
  }

  /** New content stands (or stood) at the path: what was there before is read first. */
  queue(tail: Tail, path: string): void {
    tail.after = this.#last.get(path)
    this.#last.set(path, tail)
  }

  /** `unsettled` are the paths where not everything could be opened: what stood there before is not forgotten. */
  remember(found: Iterable<FoundFile>, unsettled: ReadonlySet<string>, at: number): void {
    const paths = new Set<string>()
    for (const file of found) {
      paths.add(file.path)
      if (!unsettled.has(file.path)) this.#stands.set(file.path, { inode: file.inode, at, isTruncated: false })
      else this.#rememberMissed(file)
    }
    if (this.#stands.size <= MAX_PATHS) return
    for (const path of this.#stands.keys()) if (!paths.has(path)) this.#stands.delete(path)
    for (const path of this.#last.keys()) if (!paths.has(path)) this.#last.delete(path)
  }

  /** A file that could not be opened may have another name at the next look: then it is found by its age. */
  #rememberMissed({ path, stat }: FoundFile): void {
    if (this.#stands.has(path)) return
    this.#stands.set(path, { inode: '', at: Number(stat.birthtimeMs), isTruncated: false })
  }
}
