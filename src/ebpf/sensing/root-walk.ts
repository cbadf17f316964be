/**
 * Looks up files below the root folder of a process, as that process would find them. What lies there belongs to whoever
 * owns the container: links are followed within the root only, a bounded number of times, and file systems that answer
 * when their owner pleases (FUSE, network) are not touched, as a look at one may never return.
 */
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { posix } from 'node:path'

export interface Found {
  readonly path: string
  /** As the kernel has it: major << 20 | minor. */
  readonly dev: number
  readonly ino: bigint
}

interface Mount {
  readonly path: string
  readonly dev: number
  readonly isSlow: boolean
}

/** What a path led to. */
interface Place extends Found {
  readonly isFolder: boolean
}

const MOST_LINKS = 8
/** Looks at the disk for one pattern: links that lead to links that lead to links end here. */
const MOST_STEPS = 2000
const MOST_NAMES = 1024
const MOST_MOUNTS = 4096
const SLOW = /^(?:fuse|nfs|cifs|smb|9p|ceph|glusterfs|afs|lustre|autofs)/

/** The mounts of a process, deepest first. */
export function parseMounts(text: string): Mount[] {
  return (
    text
      .split('\n', MOST_MOUNTS)
      .flatMap((line) => {
        const [left = '', right = ''] = line.split(' - ')
        const [, , device = '', , path] = left.split(' ')
        const [major = Number.NaN, minor = Number.NaN] = device.split(':').map(Number)
        if (path === undefined || Number.isNaN(major) || Number.isNaN(minor)) return []
        const type = right.split(' ')[0] as string
        return [{ path: unoctal(path), dev: ((major << 20) | minor) >>> 0, isSlow: SLOW.test(type) }]
      })
      // Of two mounts at one place the later one is on top.
      .map((mount, order) => ({ mount, order }))
      .toSorted((one, other) => other.mount.path.length - one.mount.path.length || other.order - one.order)
      .map(({ mount }) => mount)
  )
}

/** Spaces and the like are written in octal. */
function unoctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

export class RootWalk {
  readonly #root: string
  readonly #mounts: readonly Mount[]
  #steps = 0

  private constructor(root: string, mounts: readonly Mount[]) {
    this.#root = root
    this.#mounts = mounts
  }

  /** `proc` is the folder of a process, such as /proc/1. Rejects when the process is gone, or its root closed to us. */
  static async of(proc: string): Promise<RootWalk> {
    await lstat(`${proc}/root/`)
    return new RootWalk(`${proc}/root`, parseMounts(await readFile(`${proc}/mountinfo`, 'utf8')))
  }

  /** The files that the pattern names, at most `most`. */
  async find(pattern: string, most: number): Promise<Found[]> {
    const found: Found[] = []
    this.#steps = 0
    await this.#descend('', pattern.split('/').filter(Boolean), found, most)
    return found
  }

  /** What is at this path now, links in its folders included; undefined when nothing is. */
  async at(path: string): Promise<Found | undefined> {
    return (await this.find(path, 1))[0]
  }

  async #descend(folder: string, names: readonly string[], found: Found[], most: number): Promise<void> {
    const [name, ...rest] = names
    if (name === undefined) return
    for (const each of name.includes('*') ? await this.#list(folder, name) : [name]) {
      const path = `${folder}/${each}`
      const place = found.length < most ? await this.#resolve(path) : undefined
      if (place?.isFolder) await this.#descend(place.path, rest, found, most)
      else if (place !== undefined && rest.length === 0) found.push({ path, dev: place.dev, ino: place.ino })
    }
  }

  async #list(folder: string, pattern: string): Promise<string[]> {
    if (this.#mountOf(folder).isSlow) return []
    const shape = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'u')
    try {
      return (await readdir(this.#root + folder)).filter((name) => shape.test(name)).slice(0, MOST_NAMES)
    } catch {
      return []
    }
  }

  /** `path` has a folder that is no link; its last name may be one. */
  async #resolve(path: string, links = 0): Promise<Place | undefined> {
    const mount = this.#mountOf(path)
    this.#steps += 1
    if (mount.isSlow || links > MOST_LINKS || this.#steps > MOST_STEPS) return undefined
    try {
      const stat = await lstat(this.#root + path, { bigint: true })
      if (!stat.isSymbolicLink()) return { path, dev: mount.dev, ino: stat.ino, isFolder: stat.isDirectory() }
      const target = posix.resolve(posix.dirname(path), await readlink(this.#root + path))
      return await this.#walk(target, links + 1)
    } catch {
      return undefined
    }
  }

  /** Goes to `path` from the root, name by name, so that no folder on the way is a link that leads out. */
  async #walk(path: string, links: number): Promise<Place | undefined> {
    let at = ''
    let place: Place | undefined
    for (const name of path.split('/').filter(Boolean)) {
      place = await this.#resolve(`${at}/${name}`, links)
      if (place === undefined) return undefined
      at = place.path
    }
    return place
  }

  #mountOf(path: string): Mount {
    const found = this.#mounts.find(
      (mount) => mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`),
    )
    return found ?? { path: '/', dev: 0, isSlow: true }
  }
}
