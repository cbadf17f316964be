/**
 * Tells the kernel side the inodes of the files on the watch list: on the host, and inside the root of each container,
 * so that a file is recognised under any name and through any mount. Files are replaced, and containers come and go:
 * what is known is looked at again now and then.
 */
import { readlink } from 'node:fs/promises'
import type { Sensor } from '../kernel/sensor.ts'
import { type Found, RootWalk } from './root-walk.ts'
import { placesOf, type WatchList } from './watch-list.ts'

/** The map in the kernel has room for 16384. */
const MOST_FILES = 12_000
const MOST_FILES_OF_ROOT = 256
const MOST_ROOTS = 512
const MOST_PENDING = 1024
/** Roots that are looked at in one second. */
const ROOTS_A_SECOND = 2
const AGAIN_SECONDS = 30
/** Every so many looks a root is searched anew, and not only its known files looked at. */
const SEARCH_EVERY = 10

interface Root {
  readonly cgroup: bigint | undefined
  readonly proc: string
  files: readonly Found[]
  looks: number
  next: number
}

export interface FileWatchOptions {
  readonly sensor: Pick<Sensor, 'watch' | 'unwatch'>
  readonly list: WatchList
  /** Where procfs of the host is. */
  readonly proc?: string
}

export class FileWatch {
  readonly #sensor: FileWatchOptions['sensor']
  readonly #list: WatchList
  readonly #proc: string
  readonly #roots = new Map<bigint | undefined, Root>()
  /** Containers whose files nobody has looked up: the process to reach them by, 0 where none is known. */
  readonly #pending = new Map<bigint, number>()
  /** By device and inode: how many roots hold it. */
  readonly #watched = new Map<string, number>()
  #second = 0
  #isBusy = false
  #hostNamespace: Promise<string | undefined> | undefined

  constructor({ sensor, list, proc = '/proc' }: FileWatchOptions) {
    this.#sensor = sensor
    this.#list = list
    this.#proc = proc
  }

  get size(): number {
    return this.#watched.size
  }

  /** True while a process of this container would be of use; asked for every exec. */
  wants(cgroup: bigint): boolean {
    return this.#pending.get(cgroup) === 0
  }

  get hasWishes(): boolean {
    return this.#pending.size > 0
  }

  /** A container, and a process in it where one is known. */
  seen(cgroup: bigint, pid: number): void {
    if (this.#roots.has(cgroup) || this.#pending.size >= MOST_PENDING) return
    if (pid !== 0 || !this.#pending.has(cgroup)) this.#pending.set(cgroup, pid)
  }

  gone(cgroup: bigint): void {
    this.#pending.delete(cgroup)
    const root = this.#roots.get(cgroup)
    if (root !== undefined) this.#drop(root)
  }

  /** The host's own files: those that its first process sees, or, where that is closed to us, those that we see. */
  async start(): Promise<void> {
    await this.#open(undefined, `${this.#proc}/1`)
    if (!this.#roots.has(undefined)) await this.#open(undefined, `${this.#proc}/self`)
  }

  /** Once a second. Resolves when the work of this second is done; never rejects. */
  async tick(): Promise<void> {
    this.#second += 1
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      let budget = ROOTS_A_SECOND
      for (const [cgroup, pid] of this.#pending) {
        if (pid === 0) continue
        this.#pending.set(cgroup, 0)
        if (await this.#isContainer(pid)) await this.#open(cgroup, `${this.#proc}/${pid}`)
        if (--budget === 0) break
      }
      const due = [...this.#roots.values()].filter(({ next }) => next <= this.#second)
      for (const root of due.slice(0, ROOTS_A_SECOND * 4)) await this.#again(root)
    } finally {
      this.#isBusy = false
    }
  }

  /** Before the runtime has changed its root, a process of a container sees the host's files. */
  async #isContainer(pid: number): Promise<boolean> {
    const namespace = (proc: string): Promise<string | undefined> => readlink(`${proc}/ns/mnt`).catch(() => undefined)
    this.#hostNamespace ??= namespace(`${this.#proc}/1`)
    const own = await namespace(`${this.#proc}/${pid}`)
    return own !== undefined && own !== (await this.#hostNamespace)
  }

  async #open(cgroup: bigint | undefined, proc: string): Promise<void> {
    if (this.#roots.size >= MOST_ROOTS) return
    const root: Root = { cgroup, proc, files: [], looks: 0, next: this.#second + AGAIN_SECONDS }
    if (!(await this.#search(root))) return
    this.#roots.set(cgroup, root)
    if (cgroup !== undefined) this.#pending.delete(cgroup)
  }

  /** False when the process is gone. */
  async #search(root: Root): Promise<boolean> {
    let walk: RootWalk
    try {
      walk = await RootWalk.of(root.proc)
    } catch {
      return false
    }
    const files: Found[] = []
    const known = root.files
    for (const [index, entry] of this.#list.entries.entries()) {
      const number = this.#list.classes.indexOf(entry.class) + 1
      if (number === 0) throw new RangeError(`class ${index} of the watch list has no number`)
      for (const place of placesOf(entry)) {
        for (const file of await walk.find(place, MOST_FILES_OF_ROOT - files.length)) {
          files.push(file)
          this.#hold(file, number)
        }
      }
    }
    root.files = files
    for (const file of known) this.#release(file)
    return true
  }

  /** A cheap look at the files that are known; a search when one was replaced. */
  async #again(root: Root): Promise<void> {
    root.looks += 1
    root.next = this.#second + AGAIN_SECONDS
    let isStale = root.looks % SEARCH_EVERY === 0
    try {
      const walk = await RootWalk.of(root.proc)
      for (const { path, ino, dev } of root.files) {
        if (isStale) break
        const now = await walk.at(path)
        isStale = now?.ino !== ino || now.dev !== dev
      }
      if (!isStale || (await this.#search(root))) return
    } catch {
      // The process is gone: the container may live on in another one.
    }
    this.#drop(root)
    if (root.cgroup !== undefined) this.seen(root.cgroup, 0)
  }

  #drop(root: Root): void {
    this.#roots.delete(root.cgroup)
    for (const file of root.files) this.#release(file)
    root.files = []
  }

  #hold({ dev, ino }: Found, number: number): void {
    const key = `${dev}:${ino}`
    const count = this.#watched.get(key) ?? 0
    if (count === 0) {
      if (this.#watched.size >= MOST_FILES) return
      this.#sensor.watch(dev, ino, number)
    }
    this.#watched.set(key, count + 1)
  }

  #release({ dev, ino }: Found): void {
    const key = `${dev}:${ino}`
    const count = this.#watched.get(key)
    if (count === undefined) return
    if (count > 1) this.#watched.set(key, count - 1)
    else {
      this.#watched.delete(key)
      this.#sensor.unwatch(dev, ino)
    }
  }
}
