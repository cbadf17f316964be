/** What happens when a file turns up that nobody follows: it is opened, recognised, and gets a tail. */
import { type Catalog, fileVersion } from './catalog.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { FollowContext } from './follow.ts'
import { type FoundFile, identify } from './identify.ts'
import { BEGINNING, inodeOf, type Position, type Print, positionIn } from './identity.ts'
import type { FollowOptions } from './options.ts'
import { openSource, type Source } from './source.ts'
import { mayGoOn } from './spoilage.ts'
import { Tail, tailId } from './tail.ts'
import type { Trouble } from './trouble.ts'

/** A compressed file that was written to this recently may not be complete. */
const COMPRESSING_MS = 1000
const GZIP_MAGIC = 0x1f8b

interface Twin {
  readonly tail: Tail
  readonly size: bigint
  readonly hadFile: boolean
}

export interface Arrival {
  /** A pattern names it. */
  readonly isListed: boolean
  /** Begin at the end: what is there was there before anybody asked. */
  readonly isOld: boolean
  /** Only wanted if it goes on with content that has no file. */
  readonly isCandidate?: boolean
}

export class Arrivals {
  readonly #options: FollowOptions
  readonly #context: FollowContext
  readonly #catalog: Catalog
  readonly #checkpoints: Checkpoints
  readonly #trouble: Trouble
  readonly #twins = new Map<string, Twin>()
  readonly #unwanted = new Set<string>()
  /** Compressed files of which nothing can be read, in the version that was reported. */
  readonly #spoilt = new Map<string, string>()
  /** Files that could not be opened or told apart since it was set to 0, and may be at another look. */
  postponed = 0

  constructor(
    options: FollowOptions,
    context: FollowContext,
    catalog: Catalog,
    checkpoints: Checkpoints,
    trouble: Trouble,
  ) {
    this.#options = options
    this.#context = context
    this.#catalog = catalog
    this.#checkpoints = checkpoints
    this.#trouble = trouble
  }

  /** Resolves with the tail that the file's content has now, if it has one and it is to be read. */
  async arrive(file: FoundFile, known: ReadonlySet<Tail>, how: Arrival): Promise<Tail | undefined> {
    const blank = this.#catalog.blanks.get(file.inode)
    if (blank === undefined && this.#mustWait(file)) return undefined
    if (blank === undefined && file.stat.size === 0n) {
      await this.#openBlank(file)
      return undefined
    }
    this.#catalog.blanks.delete(file.inode)
    const source = blank?.source ?? (await this.open(file))
    return source && this.#recogniseOrClose(file, source, known, how)
  }

  async open(file: FoundFile): Promise<Source | undefined> {
    if (!(await this.#catalog.makeRoom())) {
      this.postponed += 1
      return undefined
    }
    try {
      const source = await openSource(file.path, this.#isCompressed(file.path))
      this.#trouble.clear(file.path)
      if (inodeOf(source.stat()) === file.inode) return source
      await source.close() // Another file has taken its name since it was listed.
      this.postponed += 1
      return undefined
    } catch (error) {
      // Renamed between being listed and being opened: the next look finds it where it is then.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.postponed += 1
      else this.#trouble.report(file.path, error)
      return undefined
    }
  }

  /** Forgets what was remembered of files that are not there any more. */
  keepOnly(inodes: ReadonlyMap<string, unknown>): void {
    for (const inode of this.#twins.keys()) if (!inodes.has(inode)) this.#twins.delete(inode)
    for (const inode of this.#spoilt.keys()) if (!inodes.has(inode)) this.#spoilt.delete(inode)
    for (const inode of this.#unwanted) if (!inodes.has(inode)) this.#unwanted.delete(inode)
  }

  #isCompressed(path: string): boolean {
    const { compression } = this.#options
    return compression === 'gzip' || (compression === 'auto' && path.endsWith('.gz'))
  }

  /** Empty files are kept open: they may be filled and renamed before the next look. */
  async #openBlank(file: FoundFile): Promise<void> {
    const source = await this.open(file)
    if (source !== undefined) this.#catalog.blanks.set(file.inode, { file, source, since: Date.now() })
  }

  #mustWait(file: FoundFile): boolean {
    if (this.#unwanted.has(file.inode) || this.#spoilt.get(file.inode) === fileVersion(file.stat)) return true
    const isFresh = !this.#context.drain && Date.now() - Number(file.stat.mtimeMs) < COMPRESSING_MS
    if (isFresh && this.#isCompressed(file.path)) return true
    const twin = this.#twins.get(file.inode)
    return twin?.size === file.stat.size && twin.hadFile === (twin.tail.inode !== undefined)
  }

  async #recogniseOrClose(
    file: FoundFile,
    source: Source,
    known: ReadonlySet<Tail>,
    how: Arrival,
  ): Promise<Tail | undefined> {
    let tail: Tail | undefined
    try {
      if (!(await this.#isUnwanted(file, source))) tail = await this.#recognise(file, source, known, how)
    } catch (error) {
      this.#trouble.report(file.path, error)
    }
    if (tail?.source !== source) await source.close()
    return tail
  }

  async #isUnwanted(file: FoundFile, source: Source): Promise<boolean> {
    if (source.isCompressed || !file.path.endsWith('.gz')) return false
    const magic = Buffer.alloc(2)
    await source.read(magic, 0, 2, 0)
    if (magic.readUInt16BE() !== GZIP_MAGIC) return false
    this.#unwanted.add(file.inode)
    this.#context.log.warn(`${file.path} is compressed and not read; set "compression: auto" to read it.`, {
      path: file.path,
    })
    return true
  }

  async #recognise(file: FoundFile, source: Source, known: ReadonlySet<Tail>, how: Arrival): Promise<Tail | undefined> {
    const { verdict, print, beginning } = await identify(file, source, known, this.#options.fingerprintBytes)
    if (beginning.length === 0) {
      this.#reportSpoilt(file, source)
      return undefined
    }
    switch (verdict.kind) {
      case 'wait':
        this.postponed += 1
        return undefined
      case 'copy':
        this.#twins.set(file.inode, { tail: verdict.tail, size: file.stat.size, hadFile: true })
        this.#context.log.info(`${file.path} is a copy of ${verdict.tail.path}; it is read only if it comes to differ.`)
        return undefined
      case 'continues':
        return this.#attach(verdict.tail, file, source, how)
    }
    if (how.isCandidate) return undefined
    if (verdict.kind === 'new') this.#warnOfLookalike(file, print)
    const isRead = verdict.kind === 'spent' || how.isOld || this.#isReadNew(file)
    const position = isRead ? await positionIn(source, await endOf(source)) : BEGINNING
    return this.#attach(this.#createTail(file, print, beginning, position), file, source, how)
  }

  /** Nothing of it can be read. */
  #reportSpoilt({ inode, path, stat }: FoundFile, source: Source): void {
    const { damage } = source
    if (damage === undefined || mayGoOn(damage, source, this.#context.drain)) return
    this.#spoilt.set(inode, fileVersion(stat))
    this.#trouble.spoilt(path, damage)
  }

  #attach(tail: Tail, file: FoundFile, source: Source, how: Arrival): Tail {
    this.#catalog.attach(tail, file, source, how.isListed)
    this.#checkpoints.changed(tail)
    return tail
  }

  #isReadNew(file: FoundFile): boolean {
    return this.#options.onTruncate === 'read_new' && this.#previous(file)?.isTruncated === true
  }

  /** The content that was in the same file last. */
  #previous(file: FoundFile): Tail | undefined {
    let latest: Tail | undefined
    for (const tail of this.#catalog.tails) {
      if (tail.lastInode === file.inode && tail.generation >= (latest?.generation ?? 0)) latest = tail
    }
    return latest
  }

  #createTail(file: FoundFile, print: Print, beginning: Buffer, position: Position): Tail {
    let generation = (this.#previous(file)?.generation ?? -1) + 1
    const ids = new Set([...this.#catalog.tails].map((tail) => tail.id))
    while (ids.has(tailId(file.stat, generation, beginning))) generation += 1
    const id = tailId(file.stat, generation, beginning)
    return new Tail({ id, generation, path: file.path, inode: file.inode, print, position })
  }

  #warnOfLookalike(file: FoundFile, print: Print): void {
    if (print.length < this.#options.fingerprintBytes) return
    for (const { print: other, inode, path } of this.#catalog.tails) {
      if (inode === undefined || inode === file.inode || other.hash !== print.hash) continue
      this.#context.log.warn(
        `${file.path} and ${path} begin with the same ${print.length} bytes; both are read. ` +
          'If one is a copy of the other, exclude it.',
        { path: file.path },
      )
      return
    }
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
