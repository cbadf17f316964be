/**
 * Who does something: a process with the image that it runs. Everything that its events have in common is made once and
 * shared by all of them.
 */
import { oneLine } from '../../records/one-line.ts'
import type { Attributes, HrTime, Resource } from '../../records/record.ts'
import { hrTimeToRfc3339 } from '../../records/time.ts'
import type { Cgroup, Container, Containers } from '../container/containers.ts'
import { u32 } from '../decode/read.ts'
import { HEADER } from '../layout/offsets.ts'
import { PROCESS_FLAG } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Users } from './users.ts'

/** How far back ancestors are named. */
const MOST_ANCESTORS = 16
const NONE: readonly string[] = []
/** A login user that was never set. */
const UNSET = 0xffffffff

export interface Image {
  readonly path: string
  readonly name: string
  readonly args: readonly string[]
  readonly commandLine: string
  readonly workingDirectory: string
  readonly interactive: boolean
}

export const UNKNOWN_IMAGE: Image = {
  path: '',
  name: '',
  args: [],
  commandLine: '',
  workingDirectory: '',
  interactive: false,
}

export interface ActorParts {
  readonly tgid: number
  readonly startLow: number
  readonly startHigh: number
  readonly execLow: number
  readonly execHigh: number
  readonly execTgid: number
  readonly entityId: string
  readonly execId: string
  readonly parentExecId: string
  readonly parentEntityId: string
  readonly parent: Actor | undefined
  readonly image: Image
  readonly flags: number
  readonly cgroup: Cgroup
  readonly cgroupName: string
  /** When it was born. */
  readonly born: HrTime
}

export class Actor {
  readonly tgid: number
  readonly startLow: number
  readonly startHigh: number
  readonly execLow: number
  readonly execHigh: number
  readonly execTgid: number
  readonly entityId: string
  readonly execId: string
  readonly image: Image
  readonly ancestors: readonly string[]
  /** `nginx ← containerd-shim ← systemd`; without the process itself. */
  readonly lineage: string
  readonly parentEntityId: string
  readonly parentExecId: string
  exitedAt = 0
  /** Not the parent: who holds on to all ancestors never forgets anybody. */
  readonly #parentImage: Image | undefined
  readonly #flags: number
  readonly #born: HrTime
  #cgroupName: string
  #cgroup: Cgroup
  #template: Attributes | undefined
  #title: string | undefined
  #titleOf: Container | undefined
  #tail: string | undefined
  #childAncestors: readonly string[] | undefined
  #childLineage: string | undefined
  #ppid = 0
  #uid = 0
  #euid = 0
  #gid = 0

  constructor(parts: ActorParts) {
    this.tgid = parts.tgid
    this.startLow = parts.startLow
    this.startHigh = parts.startHigh
    this.execLow = parts.execLow
    this.execHigh = parts.execHigh
    this.execTgid = parts.execTgid
    this.entityId = parts.entityId
    this.execId = parts.execId
    this.image = parts.image
    this.parentEntityId = parts.parentEntityId
    this.parentExecId = parts.parentExecId
    this.#flags = parts.flags
    this.#born = parts.born
    this.#cgroupName = parts.cgroupName
    this.#cgroup = parts.cgroup
    const { parent } = parts
    this.#parentImage = parent?.image
    // A process that was forked and runs its parent's image has its parent's ancestors.
    const isFork = parent !== undefined && parent.execId === parts.execId
    if (parent === undefined) {
      this.ancestors = parts.parentExecId === '' ? NONE : [parts.parentExecId]
      this.lineage = ''
    } else {
      this.ancestors = isFork ? parent.ancestors : parent.#ancestorsBelow()
      this.lineage = isFork ? parent.lineage : parent.#lineageBelow()
    }
  }

  /** What the children have that run programs of their own; made for the first of them, and shared. */
  #ancestorsBelow(): readonly string[] {
    this.#childAncestors ??= [this.execId, ...this.ancestors].slice(0, MOST_ANCESTORS)
    return this.#childAncestors
  }

  #lineageBelow(): string {
    this.#childLineage ??= joined(this.image.name, this.lineage)
    return this.#childLineage
  }

  /** Where it is now: processes enter the cgroup of their container after they were born. */
  get cgroup(): Cgroup {
    return this.#cgroup
  }

  enter(cgroup: Cgroup): void {
    this.#cgroup = cgroup
    this.#cgroupName = ''
    this.#template = undefined
  }

  resource(containers: Containers): Resource {
    return this.#cgroup.container?.resource ?? containers.host
  }

  /** What a line begins with. */
  get place(): string {
    return this.#cgroup.container?.label ?? 'host'
  }

  /** Where, and who: what most lines begin with. Printable. */
  get title(): string {
    const { container } = this.#cgroup
    if (this.#title === undefined || this.#titleOf !== container) {
      this.#titleOf = container
      this.#title = oneLine(`${this.place} ${this.image.name === '' ? `pid ${this.tgid}` : this.image.name}`)
    }
    return this.#title
  }

  /** What lines end with: the ancestors. Printable. */
  get tail(): string {
    this.#tail ??= this.lineage === '' ? '' : oneLine(`  ← ${this.lineage}`)
    return this.#tail
  }

  get isInContainer(): boolean {
    return this.#cgroup.container !== undefined
  }

  /**
   * Attributes that all events of this process share: to be copied, `log.record.uid` and `weir.process.comm` to be filled
   * in. Made again when the user or the parent has changed since the last event.
   */
  attributes(memory: RingMemory, at: number, users: Users): Attributes {
    const ppid = u32(memory, at + HEADER.ppid)
    const uid = u32(memory, at + HEADER.uid)
    const euid = u32(memory, at + HEADER.euid)
    const gid = u32(memory, at + HEADER.egid)
    const known = this.#template
    if (known !== undefined && ppid === this.#ppid && uid === this.#uid && euid === this.#euid && gid === this.#gid)
      return known
    this.#ppid = ppid
    this.#uid = uid
    this.#euid = euid
    this.#gid = gid
    this.#template = this.#make(
      u32(memory, at + HEADER.nsTgid),
      u32(memory, at + HEADER.auid),
      this.isInContainer ? undefined : users.name(euid),
    )
    return this.#template
  }

  /** The names that are always there come first, so that most processes share one shape. */
  #make(vpid: number, auid: number, userName: string | undefined): Attributes {
    const { image, parentEntityId, parentExecId } = this
    const flags = this.#flags
    const parentImage = this.#parentImage
    const cgroupName = this.#cgroupName === '' ? leafOf(this.#cgroup.path) : this.#cgroupName
    const attributes: Attributes = {
      'log.record.uid': '',
      'process.pid': this.tgid,
      'process.vpid': vpid,
      'process.parent_pid': this.#ppid,
      'process.entity_id': this.entityId,
      'process.exec_id': this.execId,
      'process.user.id': String(this.#euid),
      'process.real_user.id': String(this.#uid),
      'process.group.id': String(this.#gid),
      'process.creation.time': hrTimeToRfc3339(this.#born),
      'process.interactive': image.interactive,
      'weir.process.comm': '',
      'weir.process.ancestors': this.ancestors as string[],
      'weir.process.forked': (flags & PROCESS_FLAG.forked) !== 0,
      'weir.process.in_init_tree': (flags & PROCESS_FLAG.initTree) !== 0,
    }
    if (image.path !== '') {
      attributes['process.executable.path'] = image.path
      attributes['process.executable.name'] = image.name
    }
    if (image.commandLine !== '') attributes['process.command_line'] = image.commandLine
    if (image.workingDirectory !== '') attributes['process.working_directory'] = image.workingDirectory
    if (parentExecId !== '') {
      attributes['process.parent.entity_id'] = parentEntityId
      attributes['process.parent.exec_id'] = parentExecId
    }
    if (parentImage !== undefined && parentImage.path !== '') {
      attributes['process.parent.executable.path'] = parentImage.path
      attributes['process.parent.executable.name'] = parentImage.name
      attributes['process.parent.command_line'] = parentImage.commandLine
    }
    if (this.lineage !== '') attributes['weir.process.lineage'] = this.lineage
    if (cgroupName !== '') attributes['process.linux.cgroup'] = cgroupName
    if (userName !== undefined) attributes['process.user.name'] = userName
    if (auid !== UNSET) attributes['weir.process.login_user.id'] = String(auid)
    return attributes
  }
}

function leafOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function joined(name: string, lineage: string): string {
  const own = name === '' ? '?' : name
  if (lineage === '') return own
  return `${own} ← ${lineage
    .split(' ← ')
    .slice(0, MOST_ANCESTORS - 1)
    .join(' ← ')}`
}
