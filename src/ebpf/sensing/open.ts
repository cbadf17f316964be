/** Puts a session together: kernel side, model, rules and watch list, by plain settings. */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { internResource } from '../../records/interning.ts'
import type { LogRecord, Resource } from '../../records/record.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { ContainerSeen } from '../container/containers.ts'
import { CRI_SOCKETS, Cri } from '../container/cri.ts'
import { libbpf } from '../kernel/libbpf.ts'
import type { HookKind } from '../kernel/plan.ts'
import { type KernelConfig, Sensor } from '../kernel/sensor.ts'
import { CGROUP, HEADER } from '../layout/offsets.ts'
import { CGROUP_OP, TYPE } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import { createModel, type Model } from '../model.ts'
import { FileWatch } from './file-watch.ts'
import type { Report } from './parts.ts'
import { applyRules, containerDecision, decidesContainers, needsLabels, type Rules, ruleConfig } from './rules.ts'
import { Session } from './session.ts'
import { WallClock } from './wall-clock.ts'
import { type WatchEntry, watchList } from './watch-list.ts'

export interface SensingSettings {
  readonly config: Partial<KernelConfig>
  readonly rings: { readonly critical: number; readonly bulk: number }
  readonly rules: Rules
  readonly watch: readonly WatchEntry[]
  readonly rawSyscalls?: boolean
  readonly avoid?: readonly HookKind[]
  readonly cgroupRoot?: string
  readonly nodeName?: string
  /** Socket of the container runtime; asked where labels of pods are needed, or when it is given. */
  readonly criSocket?: string
  /** Further attributes of the resource of every record. */
  readonly resource?: Readonly<Record<string, string>>
  readonly suppress?: ReadonlySet<string>
  readonly redactArguments?: boolean
  readonly environment?: ReadonlySet<string>
}

export interface Surroundings {
  readonly report: Report
  readonly log: Logger
  readonly deliver: (records: LogRecord[], bytes: number) => void
}

/** Loads the programs; nothing runs yet. Throws a `SensorError` where they cannot run here. */
export function openSession(settings: SensingSettings, { report, log, deliver }: Surroundings): Session {
  const { rules, rings, config } = settings
  const node = settings.nodeName ?? hostname()
  const resource = hostResource(node, settings.resource)
  const sensor = Sensor.load({
    config: { ...config, ...ruleConfig(rules) },
    rings,
    ...(settings.cgroupRoot !== undefined && { cgroupRoot: settings.cgroupRoot }),
    ...(settings.rawSyscalls !== undefined && { rawSyscalls: settings.rawSyscalls }),
    ...(settings.avoid !== undefined && { avoid: settings.avoid }),
  })
  applyRules(sensor, rules)
  const list = watchList(settings.watch)
  const { containerCgroups } = sensor.environment
  const files = new FileWatch({ sensor, list })
  const clock = new WallClock()
  const owners = new Owners(sensor, rules, files, config.signals ?? 0xffffffff, log)
  const runtime = runtimeOf(settings, log)
  const model = createModel({
    node,
    bootId: bootId(),
    resource: resource.attributes as Record<string, string>,
    watchClasses: new Map(list.classes.map((name, index) => [index + 1, name])),
    watchByPath: list.classOf,
    roots: { ...(containerCgroups !== undefined && { cgroup: containerCgroups }) },
    ...(settings.suppress !== undefined && { suppress: settings.suppress }),
    ...(settings.redactArguments !== undefined && { redactArguments: settings.redactArguments }),
    ...(settings.environment !== undefined && { environment: settings.environment }),
    ...(runtime !== undefined && { names: runtime }),
    onContainer: (seen) => owners.seen(seen),
    lost: (what, count) => {
      if (what === 'decode') session.ledger.lose('unknown', 'malformed', 'decode', count)
      else report.count('weir_ebpf_given_up', count, { what })
    },
  })
  model.setClock(clock.offsetNs)
  clock.onChange = (offset) => model.setClock(offset)
  const session: Session = new Session({
    sensor,
    model: observed(model, owners),
    report,
    log,
    resource,
    resourceOf: (cgroup) => owners.resourceOf(cgroup),
    clock,
    libbpf: libbpf().version,
    deliver,
    prepare: async () => {
      model.scanCgroups()
      await files.start()
    },
    everySecond: () => {
      void files.tick().catch((error) => log.warn('Files of the watch list cannot be looked up.', { error }))
      report.gauge('weir_ebpf_watched_files', files.size)
    },
  })
  return session
}

/** Whom to ask for names and labels, where that is wanted. */
function runtimeOf({ criSocket, rules }: SensingSettings, log: Logger): Cri | undefined {
  if (criSocket === undefined && !needsLabels(rules)) return undefined
  const socket = criSocket ?? CRI_SOCKETS.find((path) => existsSync(path))
  if (socket === undefined) {
    log.warn(
      'No container runtime listens where one is expected, so that labels of pods are unknown: set cri_endpoint.',
      {
        tried: CRI_SOCKETS,
      },
    )
    return undefined
  }
  let hasWarned = false
  return new Cri(socket, (error) => {
    if (!hasWarned) log.warn('The container runtime cannot be asked for names and labels of pods.', { socket, error })
    hasWarned = true
  })
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function hostResource(node: string, more: Readonly<Record<string, string>> = {}): Resource {
  return internResource({ 'host.name': node, 'k8s.node.name': node, 'os.type': 'linux', ...more })
}

/** Looks at the few records that say something about containers, on their way to the model. */
function observed(model: Model, owners: Owners): Pick<Model, 'take' | 'tick'> {
  return {
    take(memory, at, size, out) {
      const type = memory.u16[at >> 1]
      if (type === TYPE.exec && owners.wantsProcesses) owners.exec(memory, at)
      else if (type === TYPE.cgroup && size >= CGROUP.bytes) owners.cgroup(memory, at)
      model.take(memory, at, size, out)
    },
    tick: (bootNs, out) => model.tick(bootNs, out),
  }
}

const MOST_OWNERS = 50_000

/** What follows from whose a cgroup is: whether it is reported, and where its files lie. */
class Owners {
  readonly #sensor: Sensor
  readonly #files: FileWatch
  readonly #isReported: ReturnType<typeof containerDecision> | undefined
  readonly #signals: number
  readonly #log: Logger
  readonly #resources = new Map<bigint, Resource>()
  #hasWarned = false

  constructor(sensor: Sensor, rules: Rules, files: FileWatch, signals: number, log: Logger) {
    this.#sensor = sensor
    this.#files = files
    this.#isReported = decidesContainers(rules) ? containerDecision(rules) : undefined
    this.#signals = signals
    this.#log = log
  }

  get wantsProcesses(): boolean {
    return this.#files.hasWishes
  }

  resourceOf(cgroup: bigint): Resource | undefined {
    return this.#resources.get(cgroup)
  }

  seen({ cgroup, container, pid }: ContainerSeen): void {
    if (this.#resources.size < MOST_OWNERS) this.#resources.set(cgroup, container.resource)
    this.#files.seen(cgroup, pid)
    if (this.#isReported === undefined) return
    try {
      this.#sensor.setScope(cgroup, this.#isReported(container) ? this.#signals : 0)
    } catch (error) {
      if (!this.#hasWarned)
        this.#log.warn('Too many containers to tell apart in the kernel; all others are reported.', { error })
      this.#hasWarned = true
    }
  }

  exec(memory: RingMemory, at: number): void {
    const cgroup = number64(memory, at + HEADER.cgroupId)
    if (this.#files.wants(cgroup)) this.#files.seen(cgroup, memory.u32[(at + HEADER.processTgid) >> 2] as number)
  }

  cgroup(memory: RingMemory, at: number): void {
    if (memory.u32[(at + CGROUP.op) >> 2] !== CGROUP_OP.rmdir) return
    const id = number64(memory, at + CGROUP.id)
    if (!this.#resources.delete(id)) return
    this.#files.gone(id)
    if (this.#isReported !== undefined) this.#sensor.deleteScope(id)
  }
}

function number64({ u32 }: RingMemory, at: number): bigint {
  return (BigInt(u32[(at + 4) >> 2] as number) << 32n) | BigInt(u32[at >> 2] as number)
}
