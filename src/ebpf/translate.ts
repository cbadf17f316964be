/** The model at work: each kernel record teaches something (who lives, whose a cgroup is), and most become log records. */
import { createHash } from 'node:crypto'
import type { LogRecord } from '../records/record.ts'
import { nowHrTime } from '../records/time.ts'
import { Containers } from './container/containers.ts'
import { Conversations } from './conversations.ts'
import { Clock } from './decode/clock.ts'
import { bigU64, text, u16, u32, u64 } from './decode/read.ts'
import {
  BPF,
  CAP,
  CGROUP,
  CRED,
  EXEC,
  EXEC_FAILED,
  EXIT,
  FD,
  FORK,
  FS,
  HEADER,
  IOURING,
  L7,
  MEMFD,
  MODULE,
  MOUNT,
  NS,
  OPEN,
  PTRACE,
  SIGNAL,
  SOCK,
  SYSCALL,
} from './layout/offsets.ts'
import { CGROUP_OP, FLAG, SOCK_OP, TYPE } from './layout/values.ts'
import type { RingMemory } from './memory.ts'
import type { Model, ModelOptions } from './model.ts'
import { ProcessTable } from './process/table.ts'
import { Users } from './process/users.ts'
import type { Desk } from './records/draft.ts'
import { changeRecord, openRecord } from './records/file.ts'
import {
  bpfRecord,
  ioUringRecord,
  memfdRecord,
  moduleRecord,
  mountRecord,
  ptraceRecord,
  redirectRecord,
  signalRecord,
  syscallRecord,
} from './records/kernel.ts'
import { socketRecord } from './records/network.ts'
import { capabilityRecord, credentialRecord, namespaceRecord } from './records/privilege.ts'
import { execFailedRecord, execRecord, exitRecord, forkRecord } from './records/process.ts'

/** Fixed parts of the records by type: a shorter one is none. */
const SIZES = new Map<number, number>([
  [TYPE.exec, EXEC.bytes],
  [TYPE.fork, FORK.bytes],
  [TYPE.exit, EXIT.bytes],
  [TYPE.open, OPEN.bytes],
  [TYPE.fs, FS.bytes],
  [TYPE.sock, SOCK.bytes],
  [TYPE.l7, L7.bytes],
  [TYPE.cred, CRED.bytes],
  [TYPE.cap, CAP.bytes],
  [TYPE.ns, NS.bytes],
  [TYPE.mount, MOUNT.bytes],
  [TYPE.module, MODULE.bytes],
  [TYPE.bpf, BPF.bytes],
  [TYPE.ptrace, PTRACE.bytes],
  [TYPE.memfd, MEMFD.bytes],
  [TYPE.iouring, IOURING.bytes],
  [TYPE.cgroup, CGROUP.bytes],
  [TYPE.heartbeat, HEADER.bytes],
  [TYPE.throttle, HEADER.bytes],
  [TYPE.fd, FD.bytes],
  [TYPE.signal, SIGNAL.bytes],
  [TYPE.syscall, SYSCALL.bytes],
  [TYPE.execFailed, EXEC_FAILED.bytes],
])
const SIZE_OF = Array.from({ length: TYPE.types }, (_, type) => SIZES.get(type) ?? 0)
/** How old the time of observation may be. */
const OBSERVED_NS = 10e6
const NOTHING: ReadonlySet<string> = new Set()

export function createTranslator(options: ModelOptions): Model {
  return new Translator(options)
}

function containersOf({ node, resource = {}, roots = {}, onContainer, names }: ModelOptions): Containers {
  return new Containers({
    node,
    resource,
    ...(onContainer !== undefined && { onContainer }),
    ...(roots.proc !== undefined && { proc: roots.proc }),
    ...(roots.cgroup !== undefined && { cgroup: roots.cgroup }),
    ...(roots.podLogs !== undefined && { podLogs: roots.podLogs }),
    ...(names !== undefined && { names }),
  })
}

class Translator implements Model {
  readonly #desk: Desk
  readonly #clock = new Clock()
  readonly #containers: Containers
  readonly #processes: ProcessTable
  readonly #users: Users
  readonly #conversations: Conversations
  readonly #lost: (what: string, count: number) => void
  #observedAt = 0
  #evicted = 0

  constructor(options: ModelOptions) {
    const { node, bootId, roots = {} } = options
    this.#lost = options.lost ?? (() => {})
    this.#containers = containersOf(options)
    this.#users = new Users(roots.etc)
    this.#users.refresh(0)
    this.#processes = new ProcessTable(
      {
        node,
        bootId,
        ...(options.redactArguments !== undefined && { redactArguments: options.redactArguments }),
        ...(options.mostProcesses !== undefined && { most: options.mostProcesses }),
      },
      this.#containers,
      this.#clock,
    )
    this.#desk = {
      processes: this.#processes,
      containers: this.#containers,
      clock: this.#clock,
      users: this.#users,
      uidPrefix: `${createHash('sha256').update(`${node}\n${bootId}`).digest('base64url').slice(0, 10)}.`,
      suppress: options.suppress ?? NOTHING,
      watchClasses: options.watchClasses ?? new Map(),
      watchByPath: options.watchByPath ?? (() => undefined),
      environment: options.environment ?? NOTHING,
      observed: nowHrTime(),
    }
    this.#conversations = new Conversations(this.#desk)
  }

  get sizes(): Model['sizes'] {
    return {
      processes: this.#processes.size,
      containers: this.#containers.size,
      streams: this.#conversations.size,
    }
  }

  setClock(offsetNs: bigint): void {
    this.#clock.set(offsetNs)
  }

  scanCgroups(): void {
    this.#containers.scan()
  }

  take(memory: RingMemory, at: number, size: number, out: LogRecord[]): void {
    const type = u16(memory, at + HEADER.type)
    const least = SIZE_OF[type] ?? 0
    // A type that is not known comes from a newer object; a record that is too short is none.
    if (size < HEADER.bytes || least === 0 || size < least) {
      this.#lost('decode', 1)
      return
    }
    try {
      this.#observe(u64(memory, at + HEADER.ktime))
      const record = this.#translate(type, memory, at, size, out)
      if (record !== undefined && !this.#desk.suppress.has(record.eventName)) out.push(record)
    } catch {
      // A span that points outside of its record: whatever else is wrong, too, belongs to this record alone.
      this.#lost('decode', 1)
    }
  }

  tick(bootNs: number, out: LogRecord[]): void {
    this.#processes.tick(bootNs)
    this.#containers.tick(bootNs)
    this.#users.refresh(bootNs)
    this.#conversations.tick(bootNs, out)
    const evicted = this.#processes.evicted + this.#containers.evicted
    if (evicted > this.#evicted) this.#lost('processes_evicted', evicted - this.#evicted)
    this.#evicted = evicted
    const streams = this.#conversations.takeGivenUp()
    if (streams > 0) this.#lost('streams_evicted', streams)
  }

  #observe(ktime: number): void {
    if (ktime - this.#observedAt < OBSERVED_NS && ktime >= this.#observedAt) return
    this.#observedAt = ktime
    this.#desk.observed = nowHrTime()
  }

  #translate(type: number, memory: RingMemory, at: number, size: number, out: LogRecord[]): LogRecord | undefined {
    const desk = this.#desk
    switch (type) {
      case TYPE.open:
        return openRecord(desk, this.#processes.of(memory, at), memory, at, size)
      case TYPE.sock:
        return this.#socket(memory, at, size, out)
      case TYPE.exec:
        return this.#exec(memory, at, size)
      case TYPE.fork: {
        const child = this.#processes.fork(memory, at, at + FORK.parent)
        return desk.suppress.has('process.fork') ? undefined : forkRecord(desk, child, memory, at)
      }
      case TYPE.exit:
        return exitRecord(desk, this.#processes.exit(memory, at), memory, at)
      case TYPE.fs:
        return changeRecord(desk, this.#processes.of(memory, at), memory, at, size)
      case TYPE.l7:
        this.#conversations.packet(this.#processes.of(memory, at), memory, at, size, out)
        return undefined
      case TYPE.cgroup:
        this.#cgroup(memory, at, size)
        return undefined
      case TYPE.heartbeat:
      case TYPE.throttle:
        return undefined
      default:
        return this.#rest(type, memory, at, size)
    }
  }

  /** What is rare. */
  #rest(type: number, memory: RingMemory, at: number, size: number): LogRecord | undefined {
    const desk = this.#desk
    const actor = this.#processes.of(memory, at)
    switch (type) {
      case TYPE.cap:
        return capabilityRecord(desk, actor, memory, at)
      case TYPE.cred:
        return credentialRecord(desk, actor, memory, at)
      case TYPE.ns:
        return namespaceRecord(desk, actor, memory, at)
      case TYPE.mount:
        return mountRecord(desk, actor, memory, at, size)
      case TYPE.module:
        return moduleRecord(desk, actor, memory, at, size)
      case TYPE.bpf:
        return bpfRecord(desk, actor, memory, at, size)
      case TYPE.ptrace:
        return ptraceRecord(desk, actor, memory, at)
      case TYPE.memfd:
        return memfdRecord(desk, actor, memory, at, size)
      case TYPE.iouring:
        return ioUringRecord(desk, actor, memory, at)
      case TYPE.fd:
        return redirectRecord(desk, actor, memory, at, this.#conversations.nameOf)
      case TYPE.signal:
        return signalRecord(desk, actor, memory, at)
      case TYPE.syscall:
        return syscallRecord(desk, actor, memory, at)
      case TYPE.execFailed:
        return execFailedRecord(desk, actor, memory, at, size)
      default:
        return undefined
    }
  }

  #exec(memory: RingMemory, at: number, size: number): LogRecord | undefined {
    const actor = this.#processes.exec(memory, at, size)
    const isScan = (u16(memory, at + HEADER.flags) & FLAG.scan) !== 0
    return isScan ? undefined : execRecord(this.#desk, actor, memory, at, size)
  }

  #socket(memory: RingMemory, at: number, size: number, out: LogRecord[]): LogRecord | undefined {
    const op = u16(memory, at + SOCK.op)
    let actor = this.#processes.of(memory, at)
    if (op === SOCK_OP.accept) this.#conversations.accepted(u64(memory, at + SOCK.epCookie), actor, out)
    else if (op === SOCK_OP.close) actor = this.#conversations.closed(u64(memory, at + SOCK.epCookie)) ?? actor
    return socketRecord(this.#desk, actor, memory, at, size, this.#conversations.nameOf)
  }

  #cgroup(memory: RingMemory, at: number, size: number): void {
    const id = Number(bigU64(memory, at + CGROUP.id))
    const op = u32(memory, at + CGROUP.op)
    if (op === CGROUP_OP.mkdir) this.#containers.made(id, text(memory, at, size, CGROUP.path), 0)
    else if (op === CGROUP_OP.rmdir) this.#containers.removed(id)
    else this.#processes.moved(u32(memory, at + CGROUP.movedTgid), id)
  }
}
