/**
 * Cgroups by id, and the containers that own them. An id is known from the cgroup file system at start, from records of
 * new cgroups, or from /proc/<pid>/cgroup of a process that is in it.
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { internResource } from '../../records/interning.ts'
import type { Attributes, Resource } from '../../records/record.ts'
import { type CgroupOwner, ownerOfCgroup } from './cgroup-path.ts'
import { PodLogs, type PodNames } from './pods.ts'

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
}

export interface Cgroup {
  readonly id: number
  readonly path: string
  container: Container | undefined
  removedAt: number
}

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
  readonly #pods: PodLogs
  readonly #cgroups = new Map<number, Cgroup>()
  readonly #byId = new Map<string, Container>()
  /** Without names yet: the cgroups of a container, and until when it is worth asking. */
  readonly #pending = new Map<string, { until: number; cgroups: number[]; pid: number }>()
  /** Time of the last tick, nanoseconds since boot. */
  #now = 0
  evicted = 0

  constructor(options: ContainersOptions) {
    this.#options = options
    this.#pods = new PodLogs(options.podLogs)
    this.host = internResource({ ...options.resource, 'host.name': options.node, 'os.type': 'linux' })
  }

  get size(): number {
    return this.#byId.size
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
    return this.#cgroups.get(id) ?? this.made(id, this.#pathOf(tgid), tgid)
  }

  /** `now` in nanoseconds since boot. */
  tick(now: number): void {
    this.#now = now
    for (const [id, { until, cgroups, pid }] of this.#pending) {
      const container = this.#byId.get(id)
      if (container?.podUid === undefined) {
        this.#pending.delete(id)
        continue
      }
      const names = this.#pods.lookup(container.podUid, container.containerId)
      if (names === undefined && now < until) continue
      this.#pending.delete(id)
      this.#rename(container, names, cgroups, pid)
    }
    for (const [id, { removedAt }] of this.#cgroups) {
      if (removedAt > 0 && now - removedAt > GONE_NS) this.#forget(id)
    }
  }

  #own(id: number, cgroup: Cgroup, owner: CgroupOwner, pid: number): void {
    const known = this.#byId.get(owner.containerId)
    if (known !== undefined) {
      cgroup.container = known
      this.#pending.get(owner.containerId)?.cgroups.push(id)
      this.#options.onContainer?.({ cgroup: BigInt(id), container: known, pid })
      return
    }
    const names = owner.podUid === undefined ? undefined : this.#pods.lookup(owner.podUid, owner.containerId)
    const container = this.#container(owner, names, 'pending')
    this.#byId.set(owner.containerId, container)
    cgroup.container = container
    if (owner.podUid !== undefined && names === undefined)
      this.#pending.set(owner.containerId, { until: this.#now + NAMES_NS, cgroups: [id], pid })
    this.#options.onContainer?.({ cgroup: BigInt(id), container, pid })
  }

  #rename(old: Container, names: PodNames | undefined, cgroups: readonly number[], pid: number): void {
    const container = this.#container(old, names, 'missing')
    this.#byId.set(old.containerId, container)
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

  /** The line of the hierarchy that names containers: the v1 one where there is one, else the unified one. */
  #pathOf(tgid: number): string {
    try {
      const lines = readFileSync(`${this.#options.proc ?? '/proc'}/${tgid}/cgroup`, 'utf8').split('\n')
      const line =
        lines.find((each) => /^\d+:(?:[^:]*,)?(?:memory|pids)(?:,[^:]*)?:/.test(each)) ??
        lines.find((each) => each.startsWith('0::'))
      return line?.split(':').slice(2).join(':') ?? '/'
    } catch {
      return '/'
    }
  }

  #forget(id: number): void {
    const container = this.#cgroups.get(id)?.container
    this.#cgroups.delete(id)
    if (container === undefined) return
    for (const other of this.#cgroups.values()) if (other.container?.containerId === container.containerId) return
    this.#byId.delete(container.containerId)
    this.#pending.delete(container.containerId)
  }

  #evict(): void {
    const oldest = this.#cgroups.keys().next().value
    if (oldest !== undefined) this.#forget(oldest)
    this.evicted++
  }
}

function labelOf({ containerId, podUid }: CgroupOwner, names: PodNames | undefined): string {
  if (names !== undefined)
    return `${names.pod} (${names.namespace}${names.container === undefined ? '' : `/${names.container}`})`
  const short = containerId.slice(0, 12)
  return podUid === undefined ? short : `${short} (pod ${podUid})`
}
