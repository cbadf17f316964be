/**
 * The kernel side, loaded and attached: rings to drain, counters to read, maps to write. What records mean is not known
 * here.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { COUNTERS, TYPE } from '../layout.ts'
import { ringMemory, type TakeRecord } from '../memory.ts'
import { DEFAULTS, encodeConfig, type KernelConfig } from './config.ts'
import { type Environment, inspect } from './environment.ts'
import { SensorError } from './errors.ts'
import { libbpf } from './libbpf.ts'
import { MappedRing } from './mapped-ring.ts'
import { BpfObject, LoadError, objectPath } from './object.ts'
import { type HookState, plan, type Trials } from './plan.ts'
import { addressKey, inodeKey, pathKey, type RuleKind, ruleValue, u32, u64 } from './rules.ts'

export type { KernelConfig } from './config.ts'
export { SensorError } from './errors.ts'
export type { HookState } from './plan.ts'
export type { RuleKind } from './rules.ts'

export interface SensorOptions {
  readonly config: Partial<KernelConfig>
  /** Sizes in bytes: powers of two and multiples of the page size. */
  readonly rings: { readonly critical: number; readonly bulk: number }
  /** Where cgroup2 is mounted; found by itself. */
  readonly cgroupRoot?: string
  readonly rawSyscalls?: boolean
  /** Another object file than the one that is shipped. */
  readonly object?: string
}

/** Since the programs were loaded, summed over CPUs. `attempted` is `emitted` and everything that begins with `drop`. */
export type TypeCounters = { readonly [Name in Exclude<keyof typeof COUNTERS, 'bytes'>]: number }

const NAMES = Object.keys(COUNTERS).filter((name) => name !== 'bytes') as (keyof TypeCounters)[]
/** A program that shows whether functions of the kernel may be hooked by fentry at all. */
const TRIAL = 'fentry_module_request'
const SLICE = { records: 4096, ms: 2 }
/** Between two looks at the clock. */
const CHUNK = 256
const SCAN_BYTES = 1 << 20

export class Sensor {
  /** Without the types of the kernel, which take megabytes and are of use while loading only. */
  readonly environment: Omit<Environment, 'btf'>
  readonly hooks: readonly HookState[]
  readonly #object: BpfObject
  readonly #cgroupRoot: string | undefined
  readonly #critical: MappedRing
  readonly #bulk: MappedRing
  readonly #epoll: number
  #isClosed = false

  private constructor(environment: Environment, object: BpfObject, hooks: readonly HookState[], cgroupRoot?: string) {
    const { btf: _, ...rest } = environment
    this.environment = rest
    this.hooks = hooks
    this.#object = object
    this.#cgroupRoot = cgroupRoot
    this.#critical = new MappedRing(object.mapFd('critical'))
    this.#bulk = new MappedRing(object.mapFd('bulk'))
    this.#epoll = libbpf().createEpoll([object.mapFd('critical'), object.mapFd('bulk')])
  }

  /** Opens the object, chooses the hooks and loads their programs; nothing runs yet. Throws a `SensorError`. */
  static load({ config, rings, cgroupRoot, rawSyscalls = false, object }: SensorOptions): Sensor {
    const environment = withCgroupRoot(inspect(), cgroupRoot)
    const path = object ?? objectPath(environment.architecture)
    const trials = tryKinds(path, environment)
    const refused = new Map<string, string>()
    for (;;) {
      const opened = new BpfObject(path)
      const hooks = plan({
        environment,
        programs: opened.programs,
        trials,
        exists: existsSync,
        signals: config.signals ?? DEFAULTS.signals,
        rawSyscalls,
        refused,
      })
      demandCore(hooks)
      opened.select(new Set(hooks.flatMap(({ programs }) => programs)))
      for (const [name, bytes] of Object.entries(rings)) opened.resize(name, bytes)
      opened.configure('.rodata.config', encodeConfig(settled(config, environment, hooks)))
      try {
        opened.load()
        return new Sensor(environment, opened, hooks, environment.cgroup2)
      } catch (reason) {
        opened.close()
        if (!(reason instanceof LoadError) || refused.has(reason.program)) throw asSensorError(reason)
        refused.set(reason.program, reason.message.split('\n')[0] as string)
      }
    }
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
    this.#read('scan_tasks', take)
    if (this.#object.programs.has('scan_sockets')) this.#read('scan_sockets', () => {})
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

  #read(iterator: string, take: TakeRecord): void {
    const { fd, end } = this.#object.iterate(iterator)
    const buffer = new ArrayBuffer(SCAN_BYTES)
    const memory = ringMemory(buffer)
    let held = 0
    try {
      for (;;) {
        const got = readSync(fd, memory.u8, held, SCAN_BYTES - held, null)
        if (got === 0) return
        held = takeWhole(memory, held + got, take)
      }
    } finally {
      closeSync(fd)
      end()
    }
  }
}

/** Hands out the whole records of the first `length` bytes, and moves the rest to the front. */
function takeWhole(memory: ReturnType<typeof ringMemory>, length: number, take: TakeRecord): number {
  let at = 0
  while (at + 8 <= length) {
    const size = memory.u32[(at + 4) >> 2] as number
    if (size < 8 || at + size > length) break
    take(memory, at, size)
    at += size
  }
  memory.u8.copyWithin(0, at, length)
  return length - at
}

function withCgroupRoot(environment: Environment, cgroupRoot: string | undefined): Environment {
  return cgroupRoot === undefined ? environment : { ...environment, cgroup2: cgroupRoot }
}

function settled(config: Partial<KernelConfig>, environment: Environment, hooks: readonly HookState[]): KernelConfig {
  const flags = new Set(hooks.flatMap((hook) => hook.config))
  return {
    ...DEFAULTS,
    cgroupSubsys: environment.cgroupSubsys,
    ...config,
    hasFileLsm: flags.has('has_file_lsm') ? 1 : 0,
    hasPathLsm: flags.has('has_path_lsm') ? 1 : 0,
  }
}

function demandCore(hooks: readonly HookState[]): void {
  const missing = hooks.find(
    ({ feature, hook }) => ['process.lifetime', 'scan', 'heartbeat'].includes(feature) && hook === undefined,
  )
  if (missing !== undefined)
    throw new SensorError(
      `The sensor cannot follow processes on this kernel, without which no event has an owner: ${missing.reason}.`,
    )
}

/** Loads one small program of a kind that some hosts refuse as a matter of policy. */
function tryKinds(path: string, { types }: Environment): Trials {
  if (!types.hasFunction('security_kernel_module_request')) return { trampoline: undefined }
  const object = new BpfObject(path)
  try {
    object.select(new Set([TRIAL]))
    for (const ring of ['critical', 'bulk']) object.resize(ring, 65536)
    object.load()
    object.attach(TRIAL)
    return { trampoline: undefined }
  } catch (reason) {
    return { trampoline: `this host refuses fentry programs (${(reason as Error).message.split('\n')[0]})` }
  } finally {
    object.close()
  }
}

function asSensorError(reason: unknown): Error {
  return reason instanceof Error ? new SensorError(reason.message, { cause: reason }) : new SensorError(String(reason))
}
