/**
 * A running sensor: starts the kernel side, drains its rings, has records made of what it says, and keeps the books.
 *
 * When nothing happens it sleeps in epoll, with a slow timer for records that wake nobody; once records come it looks
 * every few milliseconds, which costs less than being woken for each. A slice of work is two milliseconds long, so that
 * sends and timers of the rest of the program have their turn.
 */
import { setImmediate as soon } from 'node:timers/promises'
import type { LogRecord, Resource } from '../../records/record.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { HookState } from '../kernel/sensor.ts'
import { HEADER } from '../layout/offsets.ts'
import { TYPE } from '../layout/values.ts'
import type { RingMemory, TakeRecord } from '../memory.ts'
import { Heartbeat } from './heartbeat.ts'
import { Ledger } from './ledger.ts'
import type { KernelSide, RecordMaker, Report } from './parts.ts'
import {
  lossRecord,
  readThrottle,
  type SensorFacts,
  statusRecord,
  tamperRecord,
  throttleRecord,
} from './sensor-records.ts'
import type { WallClock } from './wall-clock.ts'

const SLICE = { records: 4096, ms: 2 }
/** A drain that found this much comes again soon. */
const BUSY = 1024
const BUSY_PAUSE_MS = 1
const PAUSE_MS = 5
/** Longest that a record which wakes nobody lies in its ring. */
const BACKSTOP_MS = 100
const CHECK_SECONDS = 5
const CLOCK_SECONDS = 60
/** Longest that a stop goes on reading what waits. */
const LAST_DRAIN_MS = 2000
const TOO_MANY_LOST = 0.01
const TOO_MANY_MISSED = 3

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export interface SessionOptions {
  readonly sensor: KernelSide
  readonly model: RecordMaker
  readonly report: Report
  readonly log: Logger
  /** Of records in which the sensor speaks of itself. */
  readonly resource: Resource
  /** Of the container that a cgroup belongs to. */
  readonly resourceOf?: (cgroup: bigint) => Resource | undefined
  readonly clock: WallClock
  readonly libbpf: string
  /** Takes the records, and how many bytes they were in the kernel. The array is not used again. */
  readonly deliver: (records: LogRecord[], bytes: number) => void
  /** What is done between attaching and looking at what runs already. */
  readonly prepare?: () => Promise<void>
  /** What else is done once a second. */
  readonly everySecond?: () => void
}

export class Session {
  readonly ledger: Ledger
  readonly #options: SessionOptions
  readonly #heartbeat = new Heartbeat()
  readonly #facts: SensorFacts
  readonly #detached = new Set<string>()
  #out: LogRecord[] = []
  #bytes = 0
  #malformed = 0
  #second = 0
  #nextSecond = 0
  readonly #take: TakeRecord

  constructor(options: SessionOptions) {
    this.#options = options
    const { sensor, libbpf, report } = options
    this.ledger = new Ledger(report, Date.now())
    this.#facts = { kernel: sensor.environment.kernel, architecture: sensor.environment.architecture, libbpf }
    this.#take = (memory, at, size) => this.#record(memory, at, size)
  }

  /** Attaches, looks at what runs already, and says what is seen. */
  async start(): Promise<readonly HookState[]> {
    const { sensor, report, log, resource, prepare } = this.#options
    this.#excludeSelf()
    const hooks = sensor.attach()
    await prepare?.()
    // These were not sent through a ring, so that they are in no books.
    sensor.scan((memory, at, size) => this.#options.model.take(memory, at, size, this.#out))
    for (const { signal, feature, hook, reason } of hooks) {
      report.gauge('weir_ebpf_hook', hook === undefined ? 0 : 1, { signal, feature, hook: hook ?? 'none' })
      if (hook === undefined) log.warn('The sensor cannot see this on this kernel.', { feature, reason })
    }
    this.#out.push(statusRecord(hooks, this.#facts, resource))
    this.#flush()
    this.#nextSecond = performance.now() + 1000
    return hooks
  }

  /**
   * Whatever this program does itself is of no interest; an exporter that is watched would feed itself. In a pid
   * namespace it does not know its own number: a heartbeat, sent before anything else can come, brings it.
   */
  #excludeSelf(): void {
    const { sensor } = this.#options
    sensor.setSelf(process.pid)
    sensor.beat(0n)
    sensor.drain((memory, at) => {
      const type = memory.u16[at >> 1] as number
      this.ledger.received(type)
      const tgid = memory.u32[(at + HEADER.processTgid) >> 2] as number
      if (type === TYPE.heartbeat && tgid !== 0 && tgid !== process.pid) sensor.setSelf(tgid)
    })
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { sensor } = this.#options
    while (!signal.aborted) {
      const records = sensor.drain(this.#take, SLICE)
      this.#secondWhenDue()
      this.#flush()
      if (records === 0) await sensor.wait(Math.max(1, Math.min(BACKSTOP_MS, this.#nextSecond - performance.now())))
      else if (records >= BUSY && sensor.waiting() > 0) await soon()
      else await sleep(records >= BUSY ? BUSY_PAUSE_MS : PAUSE_MS)
    }
  }

  /** Takes the programs off, reads what still waits, and closes the books. */
  async end(): Promise<void> {
    const { sensor, model, clock, resource } = this.#options
    let isDetached = false
    const detached = sensor.detach().then(() => {
      isDetached = true
    })
    while (!isDetached) {
      sensor.drain(this.#take, SLICE)
      this.#flush()
      await sleep(PAUSE_MS)
    }
    await detached
    const until = performance.now() + LAST_DRAIN_MS
    while (sensor.drain(this.#take, SLICE) > 0 && performance.now() < until) {
      this.#flush()
      await soon()
    }
    model.tick(clock.bootNs(), this.#out)
    this.#post()
    const window = this.ledger.close(Date.now())
    if (window !== undefined) this.#out.push(lossRecord(window, resource))
    this.#flush()
    sensor.close()
  }

  #record(memory: RingMemory, at: number, size: number): void {
    const type = memory.u16[at >> 1] as number
    this.ledger.received(type)
    this.#bytes += size
    if (type === TYPE.heartbeat) this.#heartbeat.take(memory, at, size)
    else if (type === TYPE.throttle) this.#throttle(memory, at, size)
    else this.#options.model.take(memory, at, size, this.#out)
  }

  #throttle(memory: RingMemory, at: number, size: number): void {
    const { clock, resource, resourceOf } = this.#options
    const throttle = readThrottle(memory, at, size, HEADER.cgroupId)
    if (throttle === undefined) {
      this.ledger.lose('throttle', 'malformed', 'decode', 1)
      return
    }
    const low = memory.u32[(at + HEADER.ktime) >> 2] as number
    const high = memory.u32[(at + HEADER.ktime + 4) >> 2] as number
    this.#out.push(throttleRecord(throttle, clock.hrTime(low, high), resourceOf?.(throttle.cgroup) ?? resource))
  }

  #secondWhenDue(): void {
    const now = performance.now()
    if (now < this.#nextSecond) return
    // A loop that was held up does not make up for it.
    this.#nextSecond = Math.max(this.#nextSecond + 1000, now + 500)
    this.#second += 1
    const { model, clock, everySecond } = this.#options
    if (this.#second % CLOCK_SECONDS === 0) clock.measure()
    model.tick(clock.bootNs(), this.#out)
    this.#post()
    if (this.#second % CHECK_SECONDS === 1) this.#check()
    everySecond?.()
  }

  #post(): void {
    const { sensor, report } = this.#options
    this.ledger.post(sensor)
    const malformed = sensor.malformed - this.#malformed
    this.ledger.lose('unknown', 'malformed', 'decode', malformed)
    this.#malformed += malformed
    const fill = sensor.fill()
    const gaps = sensor.gaps
    for (const ring of ['critical', 'bulk'] as const) {
      report.gauge('weir_ebpf_ring_fill_ratio', fill[ring], { ring })
      report.gauge('weir_ebpf_sequence_gaps', gaps[ring], { ring })
    }
  }

  /** Heartbeat, hooks and losses: every few seconds. */
  #check(): void {
    const { sensor, report, log, resource } = this.#options
    this.#heartbeat.next((nonce) => sensor.beat(nonce))
    report.gauge('weir_ebpf_heartbeats_missed', this.#heartbeat.missed)
    const window = this.ledger.close(Date.now())
    if (window !== undefined) this.#out.push(lossRecord(window, resource))
    const fresh = sensor.lostLinks().filter((program) => !this.#detached.has(program))
    if (fresh.length > 0) {
      for (const program of fresh) this.#detached.add(program)
      log.error('Somebody detached programs of the sensor: what they watched is not seen any more.', {
        programs: fresh,
      })
      this.#out.push(tamperRecord(fresh, resource))
    }
    const trouble = this.#trouble()
    if (trouble === undefined) report.health('ok')
    else report.health('recoverable', trouble)
  }

  #trouble(): string | undefined {
    if (this.#detached.size > 0)
      return 'programs of the sensor were detached by somebody else: restart Weir to attach them again, and find out who did it'
    if (this.#heartbeat.missed >= TOO_MANY_MISSED)
      return 'heartbeats through the kernel do not come back: the rings are full, or the programs do not run'
    if (this.ledger.lossShare > TOO_MANY_LOST)
      return 'more than 1 % of the records of the last 30 seconds were lost: enlarge rings, exclude what is of no interest, or give Weir more CPU'
    return undefined
  }

  #flush(): void {
    if (this.#out.length === 0) return
    const records = this.#out
    const bytes = this.#bytes
    this.#out = []
    this.#bytes = 0
    this.#options.deliver(records, bytes)
  }
}
