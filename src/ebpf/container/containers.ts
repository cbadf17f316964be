/**
 * Cgroups by id, and the containers that own them. An id is known from the cgroup file system at start, from records of
 * new cgroups, or from /proc/<pid>/cgroup of a process that is in it.
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { internResource } from '../../records/interning.ts'
import type { Attributes, Resource } from '../../records/record.ts'
import { type CgroupOwner, ownerOfCgroup } from './cgroup-path.ts'
import { type NameSource, PodLogs, type PodNames } from './pods.ts'

export interface Container extends CgroupOwner {
  readonly names: PodNames | undefined
  readonly resource: Resource
  /** What a line begins with: `nginx-7d9 (shop/web)`. */
  readonly label: string
}

/** A container, with a cgroup that is (or lies in) its own. */
export interface ContainerSeen {
  readonly cgroup: bigint
  readonly container: Container
  /** A process in it, by which its files can be reached; 0 = none is known. */
  readonly pid: number
}

export interface ContainersOptions {
  readonly node: string
  readonly resource: Readonly<Record<string, string>>
  readonly onContainer?: (seen: ContainerSeen) => void
  readonly proc?: string
  /** Where the hierarchy is mounted that names containers. */
  readonly cgroup?: string
  readonly podLogs?: string
  /** Instead of the logs of pods. */
  readonly names?: NameSource
}

export interface Cgroup {
  readonly id: number
  readonly path: string
  container: Container | undefined
  removedAt: number
}

/** The cgroups of a container, and until when it is worth asking for its names. */
interface Pending {
  readonly until: number
  readonly cgroups: number[]
  readonly pid: number
}

/** Lines of /proc/<pid>/cgroup, in the order in which the sensor chooses its hierarchy. */
const CONTROLLERS = [
  ...['memory', 'pids', 'cpuset'].map((name) => new RegExp(`^\\d+:(?:[^:]*,)?${name}(?:,[^:]*)?:`)),
  /^0::/,
]
const MOST_TRIES = 4
const MOST_UNKNOWN = 4096
const MOST_CGROUPS = 50_000
const MOST_SCANNED = 100_000
/** How long names are looked for, and how long a cgroup that is gone still names its late events. */
const NAMES_NS = 60e9
const GONE_NS = 60e9
const HOST: Cgroup = { id: 0, path: '', container: undefined, removedAt: 0 }

export class Containers {
  /** What records of the host have. */
  readonly host: Resource
  readonly #options: ContainersOptions
  readonly #pods: NameSource
  readonly #cgroups = new Map<number, Cgroup>()
  readonly #byKey = new Map<string, Container>()
  /** How many cgroups each container has. */
  readonly #uses = new Map<string, number>()
  /** Cgroups that no process could tell about, and how many were asked since the last tick. */
  readonly #unknown = new Map<number, number>()
  /** Without all of its names yet. */
  readonly #pending = new Map<string, Pending>()
  /** Time of the last tick, nanoseconds since boot. */
  #now = 0
  evicted = 0

  constructor(options: ContainersOptions) {
    this.#options = options
    this.#pods = options.names ?? new PodLogs(options.podLogs)
    this.host = internResource({ ...options.resource, 'host.name': options.node, 'os.type': 'linux' })
  }

  get size(): number {
    return this.#byKey.size
  }

  /** The file system's inode numbers are the ids. */
  scan(): void {
    const { cgroup } = this.#options
    if (cgroup === undefined) return
    const open: string[] = ['']
    for (let count = 0; open.length > 0 && count < MOST_SCANNED; count++) {
      const path = open.pop() as string
      const directory = join(cgroup, path)
      let entries: Dirent[]
      try {
        this.made(Number(statSync(directory, { bigint: true }).ino), path === '' ? '/' : path, 0)
        entries = readdirSync(directory, { withFileTypes: true })
      } catch {
        continue
      }
      for (const entry of entries) if (entry.isDirectory()) open.push(`${path}/${entry.name}`)
    }
  }

  made(id: number, path: string, pid: number): Cgroup {
    const known = this.#cgroups.get(id)
    // Processes hold on to it.
    if (known?.path === path && known.removedAt === 0) return known
    this.#forget(id)
    const cgroup: Cgroup = { id, path, container: undefined, removedAt: 0 }
    if (this.#cgroups.size >= MOST_CGROUPS) this.#evict()
    this.#cgroups.set(id, cgroup)
    const owner = ownerOfCgroup(path)
    if (owner !== undefined) this.#own(id, cgroup, owner, pid)
    return cgroup
  }

  removed(id: number): void {
    const cgroup = this.#cgroups.get(id)
    if (cgroup !== undefined) cgroup.removedAt = Math.max(1, this.#now)
  }

  /** Of an event: by its id, or by asking procfs about the process once. */
  of(id: number, tgid: number): Cgroup {
    if (id === 0) return HOST
    const known = this.#cgroups.get(id)
    if (known !== undefined) return known
    const tries = this.#unknown.get(id) ?? 0
    if (tries < MOST_TRIES) {
      const path = this.#pathOf(tgid)
      if (path !== undefined) return this.made(id, path, tgid)
      // Gone already. Whoever comes next from there may tell.
      if (this.#unknown.size < MOST_UNKNOWN) this.#unknown.set(id, tries + 1)
    }
    return { ...HOST, id }
  }

  /** `now` in nanoseconds since boot. */
  tick(now: number): void {
    this.#now = now
    this.#unknown.clear()
    for (const [key, pending] of this.#pending) this.#ask(key, pending, now)
    for (const [id, { removedAt }] of this.#cgroups) {
      if (removedAt > 0 && now - removedAt > GONE_NS) this.#forget(id)
    }
  }

  /** Looks again for the names of a container. */
  #ask(key: string, { until, cgroups, pid }: Pending, now: number): void {
    const container = this.#byKey.get(key)
    if (container === undefined) {
      this.#pending.delete(key)
      return
    }
    const names = this.#namesOf(container)
    const isDone = names?.container !== undefined || now >= until
    if (isDone) this.#pending.delete(key)
    const isNews = names?.pod !== container.names?.pod || names?.container !== container.names?.container
    if (isNews || isDone) this.#rename(key, container, names, cgroups, pid)
  }

  #namesOf({ podUid, podContainerId, containerId }: CgroupOwner): PodNames | undefined {
    return podUid === undefined ? undefined : this.#pods.lookup(podUid, podContainerId ?? containerId)
  }

  #own(id: number, cgroup: Cgroup, owner: CgroupOwner, pid: number): void {
    const key = keyOf(owner)
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      cgroup.container = known
      this.#pending.get(key)?.cgroups.push(id)
      this.#options.onContainer?.({ cgroup: BigInt(id), container: known, pid })
      return
    }
    const names = this.#namesOf(owner)
    const container = this.#container(owner, names, 'pending')
    this.#byKey.set(key, container)
    cgroup.container = container
    if (owner.podUid !== undefined && names?.container === undefined)
      this.#pending.set(key, { until: this.#now + NAMES_NS, cgroups: [id], pid })
    this.#options.onContainer?.({ cgroup: BigInt(id), container, pid })
  }

  #rename(key: string, old: Container, names: PodNames | undefined, cgroups: readonly number[], pid: number): void {
    const container = this.#container(old, names, 'missing')
    this.#byKey.set(key, container)
    for (const id of cgroups) {
      const cgroup = this.#cgroups.get(id)
      if (cgroup === undefined) continue
      cgroup.container = container
      this.#options.onContainer?.({ cgroup: BigInt(id), container, pid })
    }
  }

  #container(owner: CgroupOwner, names: PodNames | undefined, otherwise: 'pending' | 'missing'): Container {
    const attributes: Attributes = {
      ...this.host.attributes,
      'container.id': owner.containerId,
      'container.runtime.name': owner.runtime,
    }
    if (owner.outermostId !== undefined) attributes['weir.container.outermost.id'] = owner.outermostId
    if (owner.podUid !== undefined) {
      attributes['k8s.node.name'] = this.#options.node
      attributes['k8s.pod.uid'] = owner.podUid
      if (owner.qosClass !== undefined) attributes['weir.k8s.qos_class'] = owner.qosClass
      if (names === undefined) attributes['weir.k8s.enrichment'] = otherwise
    }
    if (names !== undefined) {
      attributes['k8s.namespace.name'] = names.namespace
      attributes['k8s.pod.name'] = names.pod
      if (names.container !== undefined) attributes['k8s.container.name'] = names.container
    }
    return { ...owner, names, resource: internResource(attributes), label: labelOf(owner, names) }
  }

  /** Of the hierarchy that names containers: a v1 one where there is one, else the unified one. */
  #pathOf(tgid: number): string | undefined {
    try {
      const lines = readFileSync(`${this.#options.proc ?? '/proc'}/${tgid}/cgroup`, 'utf8').split('\n')
      for (const line of CONTROLLERS) {
        const found = lines.find((each) => line.test(each))
        if (found !== undefined) return found.split(':').slice(2).join(':')
      }
      return '/'
    } catch {
      return undefined
    }
  }

  #forget(id: number): void {
    const container = this.#cgroups.get(id)?.container
    this.#cgroups.delete(id)
    if (container === undefined) return
    const key = keyOf(container)
    const uses = (this.#uses.get(key) ?? 1) - 1
    if (uses > 0) {
      this.#uses.set(key, uses)
      return
    }
    this.#uses.delete(key)
    this.#byKey.delete(key)
    this.#pending.delete(key)
  }

  #evict(): void {
    const oldest = this.#cgroups.keys().next().value
    if (oldest !== undefined) this.#forget(oldest)
    this.evicted++
  }
}

/** Not the id alone: below its own cgroup a container may make one that bears the id of another. */
function keyOf({ containerId, podUid = '', outermostId = '' }: CgroupOwner): string {
  return `${podUid}/${outermostId}/${containerId}`
}

function labelOf({ containerId, podUid }: CgroupOwner, names: PodNames | undefined): string {
  if (names !== undefined)
    return `${names.pod} (${names.namespace}${names.container === undefined ? '' : `/${names.container}`})`
  const short = containerId.slice(0, 12)
  return podUid === undefined ? short : `${short} (pod ${podUid})`
}
