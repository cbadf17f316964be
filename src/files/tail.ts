/** One file's content, as the follower knows it: what it is, where it is, how far it was read. */
import { hash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { MARK_BYTES, type Position, type Print, printOf, readBytes } from './identity.ts'
import type { FileRef } from './page.ts'
import { Progress } from './progress.ts'
import type { Source } from './source.ts'

/** What can be done for a file now: hand on lines, hand on a last line without a newline, or ask for what is held. */
export type Work = 'lines' | 'rest' | 'flush'

export interface TailInit {
  readonly id: string
  readonly generation: number
  readonly path: string
  readonly inode: string
  readonly print: Print
  readonly position: Position
}

/**
 * Content has one tail for life. The file that holds it may change: a copy takes over when a rotator truncates the
 * original, which then gets a tail of its own, of the next generation.
 */
export class Tail {
  readonly id: string
  readonly generation: number
  readonly progress: Progress
  ref: FileRef
  /** The file that holds the content; undefined when there is none any more. */
  inode: string | undefined
  /** The last file that held it. */
  lastInode: string
  print: Print
  source: Source | undefined
  /** Where reading would end, when it was looked at last. */
  size = 0
  /** When its name was last seen to match. */
  seenAt = Date.now()
  isListed = false
  /** Size and time of the last change when the file was closed to make room for another. */
  closedAs = ''
  /** From a checkpoint, and not found in this run yet. */
  isRestored = false
  /** Bytes after the last line end: a line that is still being written, or the last one. */
  restBytes = 0
  /** The receiver holds an unfinished record. */
  isHeld = false
  /** No more is expected: hand on the rest. */
  isEnding = false
  /** The content is not what it was: the census must look. */
  isSuspect = false
  isRunning = false
  isQueued = false
  lastDataAt = Date.now()
  /** Not before this time, after a failure. */
  notBefore = 0
  failures = 0
  /** Content that was in this file's place before, and is read first. */
  after: Tail | undefined
  /** When the content was found to be in no file any more. */
  goneAt: number | undefined
  /** The last file holds other content now. */
  isTruncated = false
  isLossCounted = false
  /** The version of the file whose damage was reported. */
  damagedAs: string | undefined

  constructor(init: TailInit) {
    this.id = init.id
    this.generation = init.generation
    this.ref = { id: init.id, path: init.path }
    this.inode = init.inode
    this.lastInode = init.inode
    this.print = init.print
    this.progress = new Progress(init.position)
  }

  get path(): string {
    return this.ref.path
  }

  moveTo(path: string): void {
    if (path !== this.ref.path) this.ref = { id: this.id, path }
  }

  get hasUnread(): boolean {
    return this.size > this.progress.read.offset + this.restBytes
  }

  /** What is lost if the content does not turn up any more, as far as its size was seen. */
  get lostBytes(): number {
    return Number.isFinite(this.size) ? Math.max(0, this.size - this.progress.acked.offset) : 0
  }

  /** What can be done at `now`, if anything. */
  work(now: number, forceFlushMs: number, unit: number): Work | undefined {
    if (this.source === undefined || this.isSuspect || now < this.notBefore || this.#mustWait()) return undefined
    if (this.hasUnread) return 'lines'
    const isDue = this.isEnding || (forceFlushMs > 0 && now - this.lastDataAt >= forceFlushMs)
    if (!isDue) return undefined
    if (this.restBytes >= unit) return 'rest'
    return this.isHeld ? 'flush' : undefined
  }

  rewind(): void {
    this.progress.rewind()
    this.restBytes = 0
    this.isHeld = false
  }

  /** The print follows the file's growth until it is complete; what it covers has been read. */
  async growPrint(max: number): Promise<void> {
    const { offset } = this.progress.read
    const { source } = this
    if (this.print.length >= max || offset <= this.print.length || source === undefined) return
    const bytes = await readBytes(source, 0, Math.min(max, offset))
    // Only what continues the old print: after a truncation this would be somebody else's beginning.
    const known = printOf(bytes.subarray(0, this.print.length))
    if (known.hash === this.print.hash) this.print = printOf(bytes)
  }

  #mustWait(): boolean {
    const first = this.after
    if (first === undefined) return false
    const isBusy = first.isRunning || (first.source !== undefined && (first.hasUnread || first.notBefore > Date.now()))
    if (!isBusy && !first.isSuspect) this.after = undefined
    return this.after !== undefined
  }
}

/** The same for the same file in the same state, so that a lost checkpoint does not change what records are called. */
export function tailId(stat: BigIntStats, generation: number, beginning: Buffer): string {
  const lineEnd = beginning.indexOf(10)
  const text = beginning.subarray(0, lineEnd < 0 ? MARK_BYTES : lineEnd).toString('latin1')
  // An empty file says nothing about what it will hold: two of them must not share an id.
  const salt = text || Date.now()
  const name = `${stat.dev}:${stat.ino}:${stat.birthtimeNs}:${generation}:${salt}`
  return hash('sha256', name, 'base64url').slice(0, 16)
}
