/** What happens when a file turns up that nobody follows: it is opened, recognised, and gets a tail. */
import type { Catalog } from './catalog.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { FollowContext } from './follow.ts'
import { type FoundFile, identify } from './identify.ts'
import { BEGINNING, type Position, type Print, positionIn } from './identity.ts'
import type { FollowOptions } from './options.ts'
import { openSource, type Source } from './source.ts'
import { Tail, tailId } from './tail.ts'
import type { Trouble } from './trouble.ts'

/** A compressed file that was written to this recently may not be complete. */
const COMPRESSING_MS = 1000

interface Twin {
  readonly tail: Tail
  readonly size: bigint
  readonly hadFile: boolean
}

export interface Arrivals {
  /** Resolves with the tail that the file's content has now, if it has one and it is to be read. */
  arrive(file: FoundFile, known: ReadonlySet<Tail>, how: Arrival): Promise<Tail | undefined>
  open(file: FoundFile): Promise<Source | undefined>
  /** Files that could not be opened or told apart since `begin`, and may be at another look. */
  readonly postponed: number
  begin(): void
  /** Forgets what was remembered of files that are not there any more. */
  keepOnly(inodes: ReadonlyMap<string, unknown>): void
}

export interface Arrival {
  /** A pattern names it. */
  readonly isListed: boolean
  /** Begin at the end: what is there was there before anybody asked. */
  readonly isOld: boolean
  /** Only wanted if it goes on with content that has no file. */
  readonly isCandidate?: boolean
}

export function createArrivals(
  options: FollowOptions,
  context: FollowContext,
  catalog: Catalog,
  checkpoints: Checkpoints,
  trouble: Trouble,
): Arrivals {
  const twins = new Map<string, Twin>()
  const compressed = new Set<string>()
  let postponed = 0

  const isCompressed = (path: string): boolean =>
    options.compression === 'gzip' || (options.compression === 'auto' && path.endsWith('.gz'))

  const open = async (file: FoundFile): Promise<Source | undefined> => {
    if (!(await catalog.makeRoom())) {
      postponed += 1
      return undefined
    }
    try {
      const source = await openSource(file.path, isCompressed(file.path))
      trouble.clear(file.path)
      return source
    } catch (error) {
      // Renamed between being listed and being opened: the next look finds it where it is then.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') postponed += 1
      else trouble.report(file.path, error)
      return undefined
    }
  }
  // Empty files are kept open: they may be filled and renamed before the next look.
  const openBlank = async (file: FoundFile): Promise<void> => {
    const source = await open(file)
    if (source !== undefined) catalog.blanks.set(file.inode, { file, source, since: Date.now() })
  }
  const mustWait = (file: FoundFile): boolean => {
    if (compressed.has(file.inode)) return true
    if (isCompressed(file.path) && !context.drain && Date.now() - Number(file.stat.mtimeMs) < COMPRESSING_MS)
      return true
    const twin = twins.get(file.inode)
    const isUnchanged = twin?.size === file.stat.size && twin.hadFile === (twin.tail.inode !== undefined)
    return twin !== undefined && isUnchanged
  }
  const isUnwanted = async (file: FoundFile, source: Source): Promise<boolean> => {
    if (source.isCompressed || !file.path.endsWith('.gz')) return false
    const magic = Buffer.alloc(2)
    await source.read(magic, 0, 2, 0)
    if (magic.readUInt16BE() !== 0x1f8b) return false
    compressed.add(file.inode)
    context.log.warn(`${file.path} is compressed and not read; set "compression: auto" to read it.`, {
      path: file.path,
    })
    return true
  }
  const recognise = async (
    file: FoundFile,
    source: Source,
    known: ReadonlySet<Tail>,
    how: Arrival,
  ): Promise<Tail | undefined> => {
    const { verdict, print, beginning } = await identify(file, source, known, options.fingerprintBytes)
    if (verdict.kind === 'wait') postponed += 1
    if (beginning.length === 0 || verdict.kind === 'wait') return undefined
    if (verdict.kind === 'copy') {
      twins.set(file.inode, { tail: verdict.tail, size: file.stat.size, hadFile: true })
      context.log.info(`${file.path} is a copy of ${verdict.tail.path}; it is read only if it comes to differ.`)
      return undefined
    }
    if (verdict.kind === 'continues') {
      catalog.attach(verdict.tail, file, source, how.isListed)
      checkpoints.changed(verdict.tail)
      return verdict.tail
    }
    if (how.isCandidate) return undefined
    const isRead = verdict.kind === 'spent' || how.isOld || isReadNew(file)
    const position = isRead ? await positionIn(source, await endOf(source)) : BEGINNING
    if (verdict.kind === 'new') warnOfLookalike(file, print)
    const tail = createTail(file, print, beginning, position)
    catalog.attach(tail, file, source, how.isListed)
    checkpoints.changed(tail)
    return tail
  }
  const isReadNew = (file: FoundFile): boolean =>
    options.onTruncate === 'read_new' && previous(file)?.isTruncated === true
  const previous = (file: FoundFile): Tail | undefined => {
    let latest: Tail | undefined
    for (const tail of catalog.tails) {
      if (tail.lastInode === file.inode && tail.generation >= (latest?.generation ?? 0)) latest = tail
    }
    return latest
  }
  const createTail = (file: FoundFile, print: Print, beginning: Buffer, position: Position): Tail => {
    let generation = (previous(file)?.generation ?? -1) + 1
    const ids = new Set([...catalog.tails].map((tail) => tail.id))
    while (ids.has(tailId(file.stat, generation, beginning))) generation += 1
    const id = tailId(file.stat, generation, beginning)
    return new Tail({ id, generation, path: file.path, inode: file.inode, print, position })
  }
  const warnOfLookalike = (file: FoundFile, print: Print): void => {
    if (print.length < options.fingerprintBytes) return
    for (const { print: other, inode, path } of catalog.tails) {
      if (inode === undefined || inode === file.inode || other.hash !== print.hash) continue
      context.log.warn(
        `${file.path} and ${path} begin with the same ${print.length} bytes; both are read. ` +
          'If one is a copy of the other, exclude it.',
        { path: file.path },
      )
      return
    }
  }
  return {
    open,
    get postponed() {
      return postponed
    },
    begin() {
      postponed = 0
    },
    keepOnly(inodes) {
      for (const inode of twins.keys()) if (!inodes.has(inode)) twins.delete(inode)
      for (const inode of compressed) if (!inodes.has(inode)) compressed.delete(inode)
    },
    async arrive(file, known, how) {
      const blank = catalog.blanks.get(file.inode)
      if (blank === undefined && mustWait(file)) return undefined
      if (blank === undefined && file.stat.size === 0n) {
        await openBlank(file)
        return undefined
      }
      catalog.blanks.delete(file.inode)
      const source = blank?.source ?? (await open(file))
      if (source === undefined) return undefined
      let tail: Tail | undefined
      try {
        if (!(await isUnwanted(file, source))) tail = await recognise(file, source, known, how)
      } catch (error) {
        trouble.report(file.path, error)
      }
      if (tail?.source !== source) await source.close()
      return tail
    },
  }
}

/** Where reading would end; a compressed file has to be read for that. */
async function endOf(source: Source): Promise<number> {
  if (!source.isCompressed) return source.size()
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  for (let offset = 0; ; ) {
    const length = await source.read(buffer, 0, buffer.length, offset)
    offset += length
    if (length < buffer.length) return offset
  }
}
