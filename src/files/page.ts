/** What a follower of files hands to a receiver, and what it wants to hear back. */
import type { Outcome } from '../flow/ack.ts'

/** A file as a follower knows it: by what is in it, not by what it is called. */
export interface FileRef {
  /** Stable across renames, copies by a rotator and restarts. */
  readonly id: string
  /** Where it was found last. */
  readonly path: string
}

/**
 * Some complete lines of one file, in order. One that starts before the end of the last page of its file means that
 * pages failed and are read again: forget what is held of the file. One without lines means that nothing came for
 * a while, or that nothing will: hand on what is held. Only a receiver that holds something gets one.
 */
export interface Page {
  readonly file: FileRef
  /** Decoded, without their line ends. Long lines are already cut to `maxLineBytes`. */
  readonly lines: readonly string[]
  /** Byte offset of the first line's first byte. */
  readonly start: number
  /** Byte offset just past the last line's end. */
  readonly end: number
  /** Byte offset at which each line starts; computed on first use, since few receivers need it. */
  offsets(): readonly number[]
}

/** A receiver's answer to a page. */
export interface Taken {
  /** How the journey of the page's records ended; never rejects. */
  readonly outcome: Promise<Outcome>
  /**
   * The checkpoint may advance to here once this page and all before it are acknowledged.
   * Less than `page.end` while the receiver holds an unfinished record (a partial line, an open multi-line event).
   */
  readonly safe?: number
}

/** Resolves when the page's records were admitted, which is the backpressure. Rejects only when `signal` aborts. */
export type TakePage = (page: Page, signal: AbortSignal) => Promise<Taken>
