/**
 * Decides what a file is that nobody follows yet. When in doubt it is new: reading something twice is a duplicate,
 * which its record ids reveal; not reading it is a loss.
 */
import type { BigIntStats } from 'node:fs'
import { agreeBefore, hasPosition, type Print, printOf, readBytes } from './identity.ts'
import { mayBeCopy } from './names.ts'
import type { Source } from './source.ts'
import type { Tail } from './tail.ts'

export interface FoundFile {
  readonly path: string
  readonly inode: string
  readonly stat: BigIntStats
}

export type Verdict =
  /** It holds the content of this tail, which has no file at the moment. */
  | { readonly kind: 'continues'; readonly tail: Tail }
  /** It holds the content of this tail as far as it goes; the tail's own file is still there. */
  | { readonly kind: 'copy'; readonly tail: Tail }
  /** It holds less than what was read of this tail: nothing in it is new. */
  | { readonly kind: 'spent'; readonly tail: Tail }
  /** It cannot be told before the pages of this tail that are on their way have landed. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'new' }

/** `tails` are those that were known before the file appeared. */
export async function identify(
  file: FoundFile,
  source: Source,
  tails: Iterable<Tail>,
  fingerprintBytes: number,
): Promise<{ readonly verdict: Verdict; readonly print: Print; readonly beginning: Buffer }> {
  const beginning = await readBytes(source, 0, fingerprintBytes)
  const hashes = new Map<number, string>()
  const begins = ({ length, hash }: Print): boolean => {
    if (length > beginning.length) return false
    const known = hashes.get(length) ?? printOf(beginning.subarray(0, length)).hash
    hashes.set(length, known)
    return known === hash
  }
  for (const tail of tails) {
    if (tail.inode !== undefined && tail.source === undefined) continue
    const answer = await (tail.inode === undefined
      ? compareWithGone(file, source, tail, begins, fingerprintBytes)
      : compareWithLiving(file, source, tail, begins))
    if (answer !== undefined) return { verdict: answer, beginning, print: printOf(beginning) }
  }
  return { verdict: { kind: 'new' }, beginning, print: printOf(beginning) }
}

/** The file of this tail of an earlier run, found by its inode: true when it still holds what was read. */
export async function isUnchanged(source: Source, tail: Tail): Promise<boolean> {
  const beginning = await readBytes(source, 0, tail.print.length)
  return printOf(beginning).hash === tail.print.hash && (await hasPosition(source, tail.progress.acked))
}

type Begins = (print: Print) => boolean

async function compareWithGone(
  file: FoundFile,
  source: Source,
  tail: Tail,
  begins: Begins,
  fingerprintBytes: number,
): Promise<Verdict | undefined> {
  const { acked, read, hasFlights } = tail.progress
  // A file of the same name after a restart is the same one on another disk only when that much of it agrees.
  const isReplica = tail.isRestored && tail.path === file.path && acked.offset >= fingerprintBytes
  const isBack = tail.lastInode === file.inode && !tail.isTruncated && !isBornAfter(file, tail.goneAt)
  if (!(isReplica || isBack || mayBeCopy(file.path, tail.path)) || !begins(tail.print)) return undefined
  if (hasFlights && source.size() < read.offset) return { kind: 'wait' }
  if (await hasPosition(source, acked)) return { kind: 'continues', tail }
  const size = source.size()
  const known = tail.progress.knownBefore(size)
  if (size >= acked.offset || known === undefined || known.offset === 0) return undefined
  return (await hasPosition(source, known)) ? { kind: 'spent', tail } : undefined
}

function isBornAfter(file: FoundFile, time: number | undefined): boolean {
  return time !== undefined && Number(file.stat.birthtimeMs) > time
}

async function compareWithLiving(
  file: FoundFile,
  source: Source,
  tail: Tail,
  begins: Begins,
): Promise<Verdict | undefined> {
  const original = tail.source as Source
  if (!mayBeCopy(file.path, tail.path)) return undefined
  if (source.isCompressed) {
    const isCopy = tail.print.length > 0 && begins(tail.print) && (await hasPosition(source, tail.progress.acked))
    return isCopy ? { kind: 'copy', tail } : undefined
  }
  const size = source.size()
  if (original.isCompressed || size > original.size()) return undefined
  const isSame =
    (await agreeBefore(source, original, Math.min(size, 65_536))) && (await agreeBefore(source, original, size))
  return isSame ? { kind: 'copy', tail } : undefined
}
