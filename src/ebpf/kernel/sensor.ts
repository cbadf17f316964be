/**
 * The kernel side, loaded and attached: rings to drain, counters to read, maps to write. What records mean is not known
 * here.
 */
import { closeSync, openSync } from 'node:fs'
import { COUNTERS } from '../layout/offsets.ts'
import { TYPE } from '../layout/values.ts'
import type { TakeRecord } from '../memory.ts'
import type { Environment } from './environment.ts'
import { readIterator } from './iterate.ts'
import { libbpf } from './libbpf.ts'
import { loadObject, type SensorOptions } from './load.ts'
import { MappedRing } from './mapped-ring.ts'
import type { BpfObject } from './object.ts'
import type { HookState } from './plan.ts'
import { addressKey, inodeKey, pathKey, type RuleKind, ruleValue, u32, u64 } from './rules.ts'

export type { KernelConfig } from './config.ts'
export { SensorError } from './errors.ts'
export type { SensorOptions } from './load.ts'
export type { HookState } from './plan.ts'
export type { RuleKind } from './rules.ts'

/** Since the programs were loaded, summed over CPUs. `attempted` is `emitted` and everything that begins with `drop`. */
export type TypeCounters = { readonly [Name in Exclude<keyof typeof COUNTERS, 'bytes'>]: number }

const NAMES = Object.keys(COUNTERS).filter((name) => name !== 'bytes') as (keyof TypeCounters)[]
const SLICE = { records: 4096, ms: 2 }
/** Between two looks at the clock. */
const CHUNK = 256

export class Sensor {
  readonly environment: Environment
  readonly hooks: readonly HookState[]
  readonly #object: BpfObject
  readonly #cgroupRoot: string | undefined
  readonly #critical: MappedRing
  readonly #bulk: MappedRing
  readonly #epoll: number
  #isClosed = false

  private constructor(environment: Environment, object: BpfObject, hooks: readonly HookState[], cgroupRoot?: string) {
    this.environment = environment
    this.hooks = hooks
    this.#object = object
    this.#cgroupRoot = cgroupRoot
    this.#critical = new MappedRing(object.mapFd('critical'))
    this.#bulk = new MappedRing(object.mapFd('bulk'))
    this.#epoll = libbpf().createEpoll([object.mapFd('critical'), object.mapFd('bulk')])
  }

  /** Opens the object, chooses the hooks and loads their programs; nothing runs yet. Throws a `SensorError`. */
  static load(options: SensorOptions): Sensor {
    const { environment, object, hooks } = loadObject(options)
    return new Sensor(environment, object, hooks, environment.cgroup2)
  }

  /** What would be used here, without attaching anything. */
  static check(): readonly HookState[] {
    const sensor = Sensor.load({ config: {}, rings: { critical: 65536, bulk: 65536 } })
    sensor.close()
    return sensor.hooks
  }

  /** From here on records come. What fails to attach is missing from the hooks that are returned. */
  attach(): readonly HookState[] {
    const fd = this.#cgroupRoot === undefined ? undefined : openSync(this.#cgroupRoot, 'r')
    try {
      const attached = new Set(['scan_tasks', 'scan_sockets', 'heartbeat'])
      return this.hooks.map((state) => this.#attachHook(state, attached, fd))
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  /** Processes that exist (EXEC records that say so), and then the owners of sockets. */
  scan(take: TakeRecord): void {
    readIterator(this.#object, 'scan_tasks', take)
    if (this.#object.programs.has('scan_sockets')) readIterator(this.#object, 'scan_sockets', () => {})
  }

  /** One slice, the critical ring first; returns how many records were handed out. */
  drain(take: TakeRecord, { records: most, ms } = SLICE): number {
    const end = performance.now() + ms
    let records = 0
    for (const ring of [this.#critical, this.#bulk]) {
      for (let last = CHUNK; last === CHUNK && records < most && performance.now() < end; ) {
        last = ring.drain(take, CHUNK)
        records += last
      }
    }
    return records
  }

  /** Bytes that wait in both rings. */
  waiting(): number {
    return this.#critical.waiting + this.#bulk.waiting
  }

  /** How full the rings are, 0 to 1. */
  fill(): { readonly critical: number; readonly bulk: number } {
    return { critical: this.#critical.waiting / this.#critical.size, bulk: this.#bulk.waiting / this.#bulk.size }
  }

  /** Resolves when records wait or `ms` have passed. */
  async wait(ms: number): Promise<void> {
    if (!this.#isClosed) await libbpf().waitEpoll(this.#epoll, ms)
  }

  /** By type of record (`TYPE`). */
  counters(): ReadonlyMap<number, TypeCounters> {
    const lib = libbpf()
    const value = Buffer.alloc(COUNTERS.bytes * lib.possibleCpus)
    const fd = this.#object.mapFd('counters')
    return new Map(
      Object.values(TYPE).map((type) => {
        const sums = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<keyof TypeCounters, number>
        if (lib.lookup(fd, u32(type), value)) {
          for (let at = 0; at < value.length; at += COUNTERS.bytes)
            for (const name of NAMES) sums[name] += Number(value.readBigUInt64LE(at + COUNTERS[name]))
        }
        return [type, sums]
      }),
    )
  }

  /** Records that sequence numbers say are missing, by ring. */
  get gaps(): { readonly critical: number; readonly bulk: number } {
    return { critical: this.#critical.missing, bulk: this.#bulk.missing }
  }

  get discarded(): number {
    return this.#critical.discarded + this.#bulk.discarded
  }

  /** Records that were too short to be one. */
  get malformed(): number {
    return this.#critical.malformed + this.#bulk.malformed
  }

  setScope(cgroup: bigint, mask: number): void {
    libbpf().update(this.#object.mapFd('scopes'), u64(cgroup), u32(mask))
  }

  deleteScope(cgroup: bigint): void {
    libbpf().remove(this.#object.mapFd('scopes'), u64(cgroup))
  }

  /** What this process does is not reported. */
  setSelf(tgid: number): void {
    libbpf().update(this.#object.mapFd('self'), u32(tgid), u32(1))
  }

  /** `dev` as the kernel has it: major << 20 | minor. */
  watch(dev: number, ino: bigint, watchClass: number): void {
    libbpf().update(this.#object.mapFd('watched'), inodeKey(dev, ino), u32(watchClass))
  }

  unwatch(dev: number, ino: bigint): void {
    libbpf().remove(this.#object.mapFd('watched'), inodeKey(dev, ino))
  }

  pathRule(kind: 'path' | 'binary', prefix: string, rule: RuleKind): void {
    libbpf().update(this.#object.mapFd(`${kind}_rules`), pathKey(prefix), ruleValue(rule))
  }

  addressRule(cidr: string, rule: RuleKind): void {
    libbpf().update(this.#object.mapFd('address_rules'), addressKey(cidr), ruleValue(rule))
  }

  portRule(port: number, rule: RuleKind): void {
    libbpf().update(this.#object.mapFd('port_rules'), u32(port), ruleValue(rule))
  }

  /** Sends a HEARTBEAT with the number through each ring. */
  beat(nonce: bigint): void {
    this.#object.run('heartbeat', u64(nonce))
  }

  /** Programs of ours that somebody detached. */
  lostLinks(): string[] {
    return this.#object.lost()
  }

  /** From here on no more records come; what waits in the rings can still be drained. */
  async detach(): Promise<void> {
    if (!this.#isClosed) await this.#object.detach()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#epoll)
    this.#critical.close()
    this.#bulk.close()
    this.#object.close()
  }

  #attachHook(state: HookState, attached: Set<string>, cgroupFd: number | undefined): HookState {
    for (const name of state.programs) {
      if (attached.has(name)) continue
      try {
        this.#object.attach(name, cgroupFd)
        attached.add(name)
      } catch (reason) {
        return { ...state, hook: undefined, reason: (reason as Error).message }
      }
    }
    return state
  }
}
