/** Files that are opened and changed, as records. */
import { boundedCache } from '../../records/bounded-cache.ts'
import type { EventName } from '../../records/event-names.ts'
import { oneLine } from '../../records/one-line.ts'
import type { Attributes, LogRecord } from '../../records/record.ts'
import { SEVERITY, type Severity } from '../../records/severity.ts'
import { i32, text, u16, u32, u64 } from '../decode/read.ts'
import { FS, HEADER, OPEN } from '../layout/offsets.ts'
import { FLAG, FS_OP } from '../layout/values.ts'
import type { RingMemory } from '../memory.ts'
import type { Actor } from '../process/actor.ts'
import { beginAttributes, type Desk, finish, finishPlain, from, who } from './draft.ts'
import { errorName, fileSystemName, modeText } from './words.ts'

/** O_* that are the same on x86-64 and arm64 in what is looked at; O_DIRECTORY is not. */
const O = { accmode: 3, creat: 0o100, trunc: 0o1000, append: 0o2000, path: 0o10000000 } as const
const DIRECTORY = 0o040000
const TYPE_OF_FILE = 0o170000

const accesses = new Map<number, string[]>()

/** Shared by value: not to be changed. */
function accessOf(flags: number, mode: number): string[] {
  const key =
    (flags & (O.accmode | O.creat | O.trunc | O.append | O.path)) | ((mode & TYPE_OF_FILE) === DIRECTORY ? 1 << 30 : 0)
  const known = accesses.get(key)
  if (known !== undefined) return known
  const made: string[] = []
  if ((flags & O.path) !== 0) made.push('path')
  else {
    if ((flags & O.accmode) !== 1) made.push('read')
    if ((flags & O.accmode) !== 0) made.push('write')
  }
  if ((flags & O.creat) !== 0) made.push('create')
  if ((flags & O.trunc) !== 0) made.push('truncate')
  if ((flags & O.append) !== 0) made.push('append')
  if ((key & (1 << 30)) !== 0) made.push('directory')
  accesses.set(key, made)
  return made
}

/** What a path is made of. The same files are used again and again. */
interface Path {
  readonly path: string
  readonly name: string
  readonly directory: string | undefined
  readonly extension: string | undefined
  /** As a line may show it. */
  readonly shown: string
}

const pathOf = boundedCache(
  8192,
  (path): Path => {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    const dot = name.lastIndexOf('.')
    return {
      path,
      name,
      directory: slash < 0 ? undefined : slash === 0 ? '/' : path.slice(0, slash),
      extension: dot > 0 && name.length - dot <= 16 ? name.slice(dot + 1) : undefined,
      shown: oneLine(path),
    }
  },
  256,
)

/** Returns the path as a line may show it. */
function addPath(attributes: Attributes, whole: string): string {
  const { path, name, directory, extension, shown } = pathOf(whole)
  attributes['file.path'] = path
  attributes['file.name'] = name
  if (directory !== undefined) attributes['file.directory'] = directory
  if (extension !== undefined) attributes['file.extension'] = extension
  return shown
}

/** `weir_file` at `file`. */
function addFile(attributes: Attributes, memory: RingMemory, file: number): void {
  const ino = u64(memory, file)
  if (ino === 0) return
  const device = u32(memory, file + 8)
  attributes['file.inode'] = String(ino)
  attributes['file.mode'] = modeText(u32(memory, file + 12))
  attributes['file.owner.id'] = String(u32(memory, file + 20))
  attributes['file.group.id'] = String(u32(memory, file + 24))
  attributes['weir.file.device'] = deviceText(device)
  const fileSystem = fileSystemName(u32(memory, file + 28))
  if (fileSystem !== undefined) attributes['weir.file.filesystem'] = fileSystem
  const layer = u32(memory, file + 32)
  if (layer !== 0) attributes['weir.file.layer'] = layer === 2 ? 'upper' : 'lower'
}

const devices = new Map<number, string>()

/** `8:1`: major and minor number. */
function deviceText(device: number): string {
  const known = devices.get(device)
  if (known !== undefined) return known
  if (devices.size > 1024) devices.clear()
  const made = `${device >>> 20}:${device & 0xfffff}`
  devices.set(device, made)
  return made
}

function watchOf(desk: Desk, memory: RingMemory, watch: number, path: string): string | undefined {
  const known = u32(memory, watch)
  return known === 0 ? desk.watchByPath(path) : (desk.watchClasses.get(known) ?? 'watched')
}

export function openRecord(desk: Desk, actor: Actor, memory: RingMemory, at: number, size: number): LogRecord {
  const attributes = beginAttributes(desk, actor, memory, at)
  const ret = i32(memory, at + OPEN.ret)
  const raw = text(memory, at, size, OPEN.raw)
  const path = ret < 0 ? raw : text(memory, at, size, OPEN.path)
  const created = u32(memory, at + OPEN.created) !== 0
  const shown = addPath(attributes, path)
  addFile(attributes, memory, at + OPEN.file)
  const writes = addAccess(attributes, memory, at, ret)
  if (raw !== path && isTelling(raw)) attributes['weir.file.raw_path'] = raw
  const watch = watchOf(desk, memory, at + OPEN.watch, path)
  if (watch !== undefined) attributes['weir.file.watch'] = watch
  const verb = verbOf(ret, created, writes)
  const body = `${who(actor)} ${verb} ${shown}${watch === undefined ? '' : ` [${watch}]`}${from(actor)}`
  const quiet = writes || created ? SEVERITY.info : SEVERITY.debug
  const severity = watch === undefined ? quiet : SEVERITY.warn
  return finishPlain(desk, actor, memory, at, created ? 'file.create' : 'file.open', severity, body, attributes)
}

function verbOf(ret: number, created: boolean, writes: boolean): string {
  if (ret < 0) return 'may not open'
  if (created) return 'makes'
  return writes ? 'writes' : 'reads'
}

/** Returns whether it is opened for writing. */
function addAccess(attributes: Attributes, memory: RingMemory, at: number, ret: number): boolean {
  if (ret < 0) {
    attributes['error.type'] = errorName(ret)
    return false
  }
  const access = accessOf(u32(memory, at + OPEN.openFlags), u32(memory, at + OPEN.fileMode))
  attributes['weir.file.access'] = access
  return access.includes('write')
}

/** What the program wrote says something that the resolved path hides. */
function isTelling(raw: string): boolean {
  return raw.includes('..') || raw.startsWith('/proc/') || raw.startsWith('/dev/fd')
}

const NAMES: Readonly<Record<number, readonly [EventName, string]>> = {
  [FS_OP.unlink]: ['file.delete', 'deletes'],
  [FS_OP.rmdir]: ['file.delete', 'removes the directory'],
  [FS_OP.rename]: ['file.rename', 'renames'],
  [FS_OP.link]: ['file.link', 'links'],
  [FS_OP.symlink]: ['file.symlink', 'links'],
  [FS_OP.mkdir]: ['file.mkdir', 'makes the directory'],
  [FS_OP.mknod]: ['file.create', 'makes'],
  [FS_OP.chmod]: ['file.chmod', 'changes the mode of'],
  [FS_OP.chown]: ['file.chown', 'changes the owner of'],
  [FS_OP.truncate]: ['file.truncate', 'truncates'],
  [FS_OP.setxattr]: ['file.setattr', 'sets an attribute of'],
  [FS_OP.utimes]: ['file.setattr', 'sets the times of'],
}
const UNCHANGED = 0xffffffff
const SET_ID = 0o6000

export function changeRecord(
  desk: Desk,
  actor: Actor,
  memory: RingMemory,
  at: number,
  size: number,
): LogRecord | undefined {
  const [eventName, verb] = NAMES[u32(memory, at + FS.op)] ?? []
  if (eventName === undefined) return undefined
  const attributes = beginAttributes(desk, actor, memory, at)
  const path = resolve(text(memory, at, size, FS.base), text(memory, at, size, FS.path))
  addPath(attributes, path)
  addFile(attributes, memory, at + FS.file)
  const ret = i32(memory, at + FS.ret)
  if (ret < 0) attributes['error.type'] = errorName(ret)
  const target = addTarget(attributes, memory, at, size)
  const detail = addDetail(attributes, memory, at)
  const watch = watchOf(desk, memory, at + FS.watch, path)
  if (watch !== undefined) attributes['weir.file.watch'] = watch
  const hasChanged = (u16(memory, at + HEADER.flags) & FLAG.argChanged) !== 0
  if (hasChanged) attributes['weir.file.raw_path_changed'] = true
  const isGrave = hasChanged || watch !== undefined || setsId(memory, at)
  const body = `${who(actor)} ${verb} ${path}${target}${detail}${ret < 0 ? `: ${errorName(ret)}` : ''}${from(actor)}`
  const severity: Severity = isGrave ? SEVERITY.warn : SEVERITY.info
  return finish(desk, actor, memory, at, eventName, severity, body, attributes)
}

/** The other path of renames and links. */
function addTarget(attributes: Attributes, memory: RingMemory, at: number, size: number): string {
  const target = text(memory, at, size, FS.target)
  if (target === '') return ''
  if (u32(memory, at + FS.op) === FS_OP.symlink) {
    attributes['file.symbolic_link.target_path'] = target
    return ` to ${target}`
  }
  const resolved = resolve(text(memory, at, size, FS.targetBase), target)
  attributes['weir.file.target_path'] = resolved
  return ` to ${resolved}`
}

/** The new mode or owner. */
function addDetail(attributes: Attributes, memory: RingMemory, at: number): string {
  const op = u32(memory, at + FS.op)
  if (op === FS_OP.chown) return addOwner(attributes, memory, at)
  if (op !== FS_OP.chmod && op !== FS_OP.mkdir && op !== FS_OP.mknod) return ''
  const mode = modeText(u32(memory, at + FS.mode))
  attributes['file.mode'] = mode
  return op === FS_OP.chmod ? ` to ${mode}` : ''
}

function setsId(memory: RingMemory, at: number): boolean {
  return u32(memory, at + FS.op) === FS_OP.chmod && (u32(memory, at + FS.mode) & SET_ID) !== 0
}

function addOwner(attributes: Attributes, memory: RingMemory, at: number): string {
  const uid = u32(memory, at + FS.uid)
  const gid = u32(memory, at + FS.gid)
  if (uid !== UNCHANGED) attributes['file.owner.id'] = String(uid)
  if (gid !== UNCHANGED) attributes['file.group.id'] = String(gid)
  return ` to ${uid === UNCHANGED ? '' : uid}:${gid === UNCHANGED ? '' : gid}`
}

/** A path as the kernel would have read it, as far as names tell: `..` and `.` taken out, without following links. */
export function resolve(base: string, path: string): string {
  const whole = path.startsWith('/') || base === '' ? path : `${base}/${path}`
  if (!whole.includes('/.') && !whole.includes('//')) return whole
  const found: string[] = []
  for (const part of whole.split('/')) {
    if (part === '..') found.pop()
    else if (part !== '' && part !== '.') found.push(part)
  }
  return `${whole.startsWith('/') ? '/' : ''}${found.join('/')}`
}
