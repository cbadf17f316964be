/**
 * All processes by pid and birth. Fed by records of exec, fork and exit and by the scan at start; a process that none
 * of them told of is made up from the header of its first event.
 */
import type { Cgroup, Containers } from '../container/containers.ts'
import type { Clock } from '../decode/clock.ts'
import { bigU64, name, text, u32, u64 } from '../decode/read.ts'
import { EXEC, HEADER } from '../layout/offsets.ts'
import type { RingMemory } from '../memory.ts'
import { Actor, type Image, UNKNOWN_IMAGE } from './actor.ts'
import { EntityIds, execId } from './ids.ts'
import { type ImageOptions, imageOf } from './image.ts'

/** How long a process that has ended still names its late events. */
const GRACE_NS = 10e9

export interface TableOptions extends ImageOptions {
  readonly node: string
  readonly bootId: string
  readonly most?: number
}

/** A process, with the image that it ran before. */
interface Entry {
  actor: Actor
  previous: Actor | undefined
}

interface Ended {
  readonly tgid: number
  readonly at: number
}

export class ProcessTable {
  readonly #options: TableOptions
  readonly #containers: Containers
  readonly #clock: Clock
  readonly #ids: EntityIds
  readonly #most: number
  readonly #entries = new Map<number, Entry>()
  readonly #ended: Ended[] = []
  /** How many of those were passed by in the search for whom to forget early. */
  #passed = 0
  evicted = 0

  constructor(options: TableOptions, containers: Containers, clock: Clock) {
    this.#options = options
    this.#containers = containers
    this.#clock = clock
    this.#ids = new EntityIds(options.bootId)
    this.#most = options.most ?? 200_000
  }

  get size(): number {
    return this.#entries.size
  }

  /** Who an event is of. */
  of(memory: RingMemory, at: number): Actor {
    const tgid = u32(memory, at + HEADER.processTgid)
    const entry = this.#entries.get(tgid)
    if (entry !== undefined) {
      if (isSame(entry.actor, memory, at)) {
        // What the kernel says now wins: a process may have entered its container's cgroup since.
        const cgroup = u64(memory, at + HEADER.cgroupId)
        if (cgroup !== entry.actor.cgroup.id) entry.actor.enter(this.#containers.of(cgroup, tgid))
        return entry.actor
      }
      if (entry.previous !== undefined && isSame(entry.previous, memory, at)) return entry.previous
    }
    return this.#put(this.#unknown(memory, at))
  }

  /** By a key in a record (`struct process_key`); undefined when it is not known. */
  find(memory: RingMemory, key: number): Actor | undefined {
    const entry = this.#entries.get(u32(memory, key + 16))
    if (entry === undefined) return undefined
    if (isKey(entry.actor, memory, key)) return entry.actor
    if (entry.previous !== undefined && isKey(entry.previous, memory, key)) return entry.previous
    return isBirth(entry.actor, memory, key) ? entry.actor : undefined
  }

  /** The id that the records of a process key have, whether it is known or not. */
  entityOf(memory: RingMemory, key: number): string {
    return this.#ids.of(u32(memory, key + 16), u32(memory, key), u32(memory, key + 4))
  }

  execOf(memory: RingMemory, key: number): string {
    return execId(this.#options.node, bigU64(memory, key + 8), u32(memory, key + 20))
  }

  #entityOfParent(parent: Actor | undefined, memory: RingMemory, key: number): string {
    return parent !== undefined && isBirth(parent, memory, key) ? parent.entityId : this.entityOf(memory, key)
  }

  #execOfParent(parent: Actor | undefined, memory: RingMemory, key: number): string {
    return parent !== undefined && hasImage(parent, memory, key) ? parent.execId : this.execOf(memory, key)
  }

  exec(memory: RingMemory, at: number, size: number): Actor {
    return this.#put(
      this.#make(
        memory,
        at,
        at + EXEC.parent,
        imageOf(memory, at, size, this.#options),
        text(memory, at, size, EXEC.cgroup),
      ),
    )
  }

  /** A child runs what its parent runs. */
  fork(memory: RingMemory, at: number, parentKey: number): Actor {
    const parent = this.find(memory, parentKey)
    return this.#put(this.#make(memory, at, parentKey, parent?.image ?? UNKNOWN_IMAGE, ''))
  }

  exit(memory: RingMemory, at: number): Actor {
    const actor = this.of(memory, at)
    const now = u64(memory, at + HEADER.ktime)
    actor.exitedAt = now
    this.#ended.push({ tgid: actor.tgid, at: now })
    return actor
  }

  /** A process that entered another cgroup belongs to that one from now on. */
  moved(tgid: number, cgroupId: number): void {
    const entry = this.#entries.get(tgid)
    if (entry !== undefined) entry.actor.enter(this.#containers.of(cgroupId, tgid))
  }

  /** Forgets who ended a while ago. */
  tick(now: number): void {
    let done = 0
    for (const { tgid, at } of this.#ended) {
      if (now - at < GRACE_NS) break
      done++
      const entry = this.#entries.get(tgid)
      if (entry !== undefined && entry.actor.exitedAt > 0 && entry.actor.exitedAt <= at) this.#entries.delete(tgid)
    }
    this.#ended.splice(0, done)
    this.#passed = Math.max(0, this.#passed - done)
  }

  #put(actor: Actor): Actor {
    const entry = this.#entries.get(actor.tgid)
    if (entry === undefined) {
      if (this.#entries.size >= this.#most) this.#evict()
      this.#entries.set(actor.tgid, { actor, previous: undefined })
      return actor
    }
    const order = orderOf(actor, entry.actor)
    // Rings are read one after the other: what is told late must not replace who is there now.
    if (order < 0) entry.previous = actor
    else {
      if (order > 0) entry.previous = entry.actor
      entry.actor = actor
    }
    return actor
  }

  /** Who has ended goes first; else whoever came first. */
  #evict(): void {
    this.evicted++
    while (this.#passed < this.#ended.length) {
      const { tgid } = this.#ended[this.#passed++] as Ended
      if ((this.#entries.get(tgid)?.actor.exitedAt ?? 0) === 0) continue
      this.#entries.delete(tgid)
      return
    }
    this.#entries.delete(this.#entries.keys().next().value as number)
  }

  #unknown(memory: RingMemory, at: number): Actor {
    const parent = this.#entries.get(u32(memory, at + HEADER.ppid))?.actor
    const own = name(memory, at + HEADER.comm, 16)
    return this.#make(memory, at, undefined, { ...UNKNOWN_IMAGE, name: own }, '', parent)
  }

  #make(
    memory: RingMemory,
    at: number,
    parentKey: number | undefined,
    image: Image,
    cgroupName: string,
    guess?: Actor,
  ): Actor {
    const key = at + HEADER.process
    const tgid = u32(memory, at + HEADER.processTgid)
    const cgroup: Cgroup = this.#containers.of(u64(memory, at + HEADER.cgroupId), tgid)
    const hasParent = parentKey !== undefined && u32(memory, parentKey + 16) !== 0
    const parent = hasParent ? this.find(memory, parentKey) : guess
    // Texts that are known already: an exec is of a process that was forked, a fork runs the image of its parent.
    const before = this.#entries.get(tgid)?.actor
    const own = before !== undefined && isBirth(before, memory, key) ? before : undefined
    return new Actor({
      tgid,
      startLow: u32(memory, key),
      startHigh: u32(memory, key + 4),
      execLow: u32(memory, key + 8),
      execHigh: u32(memory, key + 12),
      execTgid: u32(memory, key + 20),
      entityId: own === undefined ? this.entityOf(memory, key) : own.entityId,
      execId: parent !== undefined && hasImage(parent, memory, key) ? parent.execId : this.execOf(memory, key),
      parentEntityId: hasParent ? this.#entityOfParent(parent, memory, parentKey) : (guess?.entityId ?? ''),
      parentExecId: hasParent ? this.#execOfParent(parent, memory, parentKey) : (guess?.execId ?? ''),
      parent,
      image,
      flags: u32(memory, at + HEADER.processFlags),
      cgroup,
      cgroupName,
      born: this.#clock.at(memory, key),
    })
  }
}

/** Below 0 when the one is older than the other, 0 when both are the same process with the same image. */
function orderOf(one: Actor, other: Actor): number {
  return (
    one.startHigh - other.startHigh ||
    one.startLow - other.startLow ||
    one.execHigh - other.execHigh ||
    one.execLow - other.execLow
  )
}

function hasImage(actor: Actor, memory: RingMemory, key: number): boolean {
  return (
    u32(memory, key + 8) === actor.execLow &&
    u32(memory, key + 12) === actor.execHigh &&
    u32(memory, key + 20) === actor.execTgid
  )
}

function isSame(actor: Actor, memory: RingMemory, at: number): boolean {
  return isKey(actor, memory, at + HEADER.process)
}

function isKey(actor: Actor, memory: RingMemory, key: number): boolean {
  return isBirth(actor, memory, key) && hasImage(actor, memory, key)
}

function isBirth(actor: Actor, memory: RingMemory, key: number): boolean {
  return u32(memory, key) === actor.startLow && u32(memory, key + 4) === actor.startHigh
}
