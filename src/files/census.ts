/** Looks at the files again and again: which are there, which content is where, what is new, what is gone. */
import { statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { type Arrival, Arrivals } from './arrivals.ts'
import { Catalog, fileVersion } from './catalog.ts'
import { type Checkpoints, expired } from './checkpoints.ts'
import { createDepartures, type Departures } from './departures.ts'
import type { FollowContext } from './follow.ts'
import type { Finder } from './glob.ts'
import { type FoundFile, isUnchanged } from './identify.ts'
import { inodeOf } from './identity.ts'
import type { FollowOptions } from './options.ts'
import { createSiblings, type Siblings } from './siblings.ts'
import { Stands } from './stands.ts'
import type { Tail } from './tail.ts'
import type { Trouble } from './trouble.ts'

const BLANK_GRACE_MS = 30_000
const STATS_IN_A_ROW = 500

export class Census {
  readonly catalog: Catalog
  readonly #options: FollowOptions
  readonly #finder: Finder
  readonly #checkpoints: Checkpoints
  readonly #trouble: Trouble
  readonly #arrivals: Arrivals
  readonly #departures: Departures
  readonly #stands = new Stands()
  #isFirst = true
  #isFirstStart = true
  #hasNew = false

  constructor(
    options: FollowOptions,
    context: FollowContext,
    finder: Finder,
    checkpoints: Checkpoints,
    trouble: Trouble,
  ) {
    this.catalog = new Catalog(options.maxOpenFiles)
    this.#options = options
    this.#finder = finder
    this.#checkpoints = checkpoints
    this.#trouble = trouble
    this.#arrivals = new Arrivals(options, context, this.catalog, checkpoints, trouble)
    this.#departures = createDepartures(this.catalog, checkpoints, context, options.pollMs)
  }

  /** Takes over what earlier runs knew. */
  restore(tails: readonly Tail[], isFirstStart: boolean): void {
    this.#isFirstStart = isFirstStart
    for (const tail of [...tails].sort((a, b) => a.seenAt - b.seenAt)) {
      this.catalog.tails.add(tail)
      this.#stands.restore(tail)
    }
  }

  /**
   * One look. Afterwards every tail knows how long its file is. Resolves with true when there is content that was
   * not known before.
   */
  async look(): Promise<boolean> {
    const now = Date.now()
    this.#hasNew = false
    this.catalog.lookedAt = now
    this.#arrivals.postponed = 0
    const found = await this.#find()
    const known = new Set(this.catalog.tails)
    const siblings = createSiblings()
    for (const tail of known) {
      const isTruncated = await this.#refresh(tail, found.get(tail.inode ?? ''), siblings, now)
      if (isTruncated) this.#stands.truncated(tail.path)
    }
    for (const tail of known) {
      if (!tail.isRestored || tail.goneAt !== undefined) continue
      if (await this.#resume(tail, found, siblings)) this.#stands.truncated(tail.path)
    }
    const unsettled = await this.#adopt(found, siblings, known)
    await this.#welcome(found, known, unsettled)
    await this.#watchBlanks(found, known, now)
    this.#stands.remember(found.values(), unsettled, now)
    this.#arrivals.keepOnly(found)
    this.#expire(now)
    this.#isFirst = false
    return this.#hasNew
  }

  /** True when some files could not be opened or recognised yet, and another look is needed. */
  get isUnfinished(): boolean {
    return this.#arrivals.postponed > 0
  }

  /** At the end of a run that reads everything: nothing will turn up any more. */
  countLosses(): void {
    for (const tail of this.catalog.tails) this.#departures.countLoss(tail, true)
  }

  async #find(): Promise<Map<string, FoundFile>> {
    const found = new Map<string, FoundFile>()
    const paths = this.#finder.find()
    let looked = 0
    for (const path of paths) {
      if (++looked % STATS_IN_A_ROW === 0) await setImmediate()
      const file = this.#lookAt(path)
      if (file === undefined) continue
      // One file under several names (links) keeps the name it had.
      if (!found.has(file.inode) || this.catalog.holder(file.inode)?.path === path) found.set(file.inode, file)
    }
    this.#trouble.keepOnly(paths)
    return found
  }

  #lookAt(path: string): FoundFile | undefined {
    try {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
      return stat?.isFile() ? { path, stat, inode: inodeOf(stat) } : undefined
    } catch (error) {
      this.#trouble.report(path, error)
      return undefined
    }
  }

  /** Returns true when the content was exchanged in place. */
  async #refresh(tail: Tail, file: FoundFile | undefined, siblings: Siblings, now: number): Promise<boolean> {
    if (tail.inode === undefined) {
      this.#departures.countLoss(tail)
      return false
    }
    tail.isListed = file !== undefined
    if (file !== undefined) {
      tail.seenAt = now
      if (tail.path !== file.path) this.#checkpoints.changed(tail)
      tail.moveTo(file.path)
    }
    if (tail.source === undefined) return this.#reopen(tail, file, siblings)
    // The look may be older than what was read since: only the open file itself can tell that it became shorter.
    const seen = tail.source.isCompressed ? -1 : Number(file?.stat.size ?? -1)
    const size = seen < tail.progress.read.offset ? tail.source.size() : seen
    const isExchanged = tail.isSuspect || size < tail.progress.read.offset
    if (isExchanged) return this.#exchange(tail, size)
    tail.size = size
    if (file === undefined) await this.#departures.letGo(tail)
    return false
  }

  async #exchange(tail: Tail, size: number): Promise<boolean> {
    if (this.#options.onTruncate === 'ignore') {
      tail.isSuspect = false
      tail.size = size
      tail.progress.forgetMarks()
      return false
    }
    await this.#departures.exchanged(tail)
    return true
  }

  /** A file that was closed to make room. */
  async #reopen(tail: Tail, listed: FoundFile | undefined, siblings: Siblings): Promise<boolean> {
    const file = listed ?? siblings.byInode(tail.path, tail.lastInode)
    if (file === undefined) {
      await this.#departures.vanished(tail)
      return false
    }
    if (tail.closedAs === fileVersion(file.stat)) return false
    const source = await this.#arrivals.open(file)
    if (source === undefined) return false
    if (await isUnchanged(source, tail)) {
      this.catalog.attach(tail, file, source, listed !== undefined)
      return false
    }
    await source.close()
    return this.#exchange(tail, Number(file.stat.size))
  }

  /** Content of an earlier run: it is where it was, or was renamed, or is gone. True when it was exchanged in place. */
  async #resume(tail: Tail, found: ReadonlyMap<string, FoundFile>, siblings: Siblings): Promise<boolean> {
    const file = found.get(tail.lastInode) ?? renumbered(tail, found) ?? siblings.byInode(tail.path, tail.lastInode)
    if (file === undefined || this.catalog.holder(file.inode) !== undefined) {
      await this.#departures.vanished(tail)
      return false
    }
    const source = await this.#arrivals.open(file)
    if (source === undefined) return false
    if (await isUnchanged(source, tail)) {
      this.catalog.attach(tail, file, source, found.has(file.inode))
      return false
    }
    await source.close()
    await this.#departures.exchanged(tail)
    return true
  }

  /**
   * Where one file took another's place, there may have been others in between that no pattern names any more.
   * Resolves with the paths for which not all of them could be opened yet.
   */
  async #adopt(
    found: ReadonlyMap<string, FoundFile>,
    siblings: Siblings,
    known: ReadonlySet<Tail>,
  ): Promise<Set<string>> {
    const unsettled = new Set<string>()
    for (const file of found.values()) {
      const stand = this.#stands.before(file)
      if (stand === undefined) continue
      const { path } = file
      const { postponed } = this.#arrivals
      const how = { isListed: false, isOld: false }
      if (stand.isTruncated) {
        await this.#arriveAll(siblings.changedSince(path, stand.at), path, known, { ...how, isCandidate: true })
      }
      await this.#arriveAll(siblings.bornSince(path, stand.at), path, known, how)
      if (this.#arrivals.postponed > postponed) unsettled.add(path)
    }
    return unsettled
  }

  async #arriveAll(files: readonly FoundFile[], path: string, known: ReadonlySet<Tail>, how: Arrival): Promise<void> {
    for (const file of files) {
      if (this.#isKnown(file.inode)) continue
      const tail = await this.#arrivals.arrive(file, known, how)
      if (tail !== undefined) this.#queue(tail, path, known)
    }
  }

  async #welcome(
    found: ReadonlyMap<string, FoundFile>,
    known: ReadonlySet<Tail>,
    unsettled: Set<string>,
  ): Promise<void> {
    const isOld = this.#isFirst && this.#isFirstStart && this.#options.startAt === 'end'
    for (const file of found.values()) {
      if (this.#isKnown(file.inode) || this.#isTooOld(file)) continue
      const { postponed } = this.#arrivals
      const tail = await this.#arrivals.arrive(file, known, { isListed: true, isOld })
      if (tail !== undefined) this.#queue(tail, file.path, known)
      if (this.#arrivals.postponed > postponed) unsettled.add(file.path)
    }
  }

  async #watchBlanks(found: ReadonlyMap<string, FoundFile>, known: ReadonlySet<Tail>, now: number): Promise<void> {
    for (const [inode, { file, source, since }] of [...this.catalog.blanks]) {
      const stat = source.stat()
      const listed = found.get(inode)
      if (stat.size > 0n) {
        const current = { ...(listed ?? file), stat }
        const tail = await this.#arrivals.arrive(current, known, { isListed: listed !== undefined, isOld: false })
        if (tail !== undefined) this.#queue(tail, file.path, known)
      } else if (listed === undefined && now - since > BLANK_GRACE_MS) {
        this.catalog.blanks.delete(inode)
        await source.close()
      }
    }
  }

  #isKnown(inode: string): boolean {
    return this.catalog.holder(inode) !== undefined || this.catalog.blanks.has(inode)
  }

  #isTooOld({ stat }: FoundFile): boolean {
    const { excludeOlderThanMs } = this.#options
    return excludeOlderThanMs > 0 && Date.now() - Number(stat.mtimeMs) > excludeOlderThanMs
  }

  #queue(tail: Tail, path: string, known: ReadonlySet<Tail>): void {
    if (known.has(tail)) return // Found again: whatever came after it waits for it already.
    this.#stands.queue(tail, path)
    this.#hasNew = true
  }

  #expire(now: number): void {
    for (const tail of expired(this.catalog.tails, now)) {
      this.catalog.remove(tail)
      this.#checkpoints.forget(tail)
    }
  }
}

/** The same path and inode on a device that has another number after a reboot. */
function renumbered(tail: Tail, found: ReadonlyMap<string, FoundFile>): FoundFile | undefined {
  const number = tail.lastInode.slice(tail.lastInode.indexOf(':'))
  for (const file of found.values()) if (file.path === tail.path && file.inode.endsWith(number)) return file
  return undefined
}
