/** The object file with its programs and maps, from open to close. */
import { readFileSync } from 'node:fs'
import { BpfError } from './errors.ts'
import { type Libbpf, libbpf, type Pointer } from './libbpf.ts'

/** Room for a verifier's log: its end is what matters. */
const LOG_BYTES = 1 << 18
const LOG_LINES = 8

export interface Program {
  readonly name: string
  readonly section: string
  readonly pointer: Pointer
}

/** A program that the kernel refused. */
export class LoadError extends BpfError {
  readonly program: string

  constructor(program: string, section: string, errno: number, log: string) {
    const end = log.trim().split('\n').slice(-LOG_LINES).join('\n')
    super(`The kernel refuses the program ${program} (${section})`, errno)
    this.program = program
    if (end !== '') this.message += `\n${end}`
  }
}

/** Where the compiled object lies: beside the sources, or beside the program in dist/. */
export function objectPath(architecture: string): string {
  const name = `weir-${architecture}.bpf.o`
  const candidates = [`../../../bpf/dist/${name}`, `./bpf/${name}`, `../bpf/dist/${name}`]
  for (const candidate of candidates) {
    const { pathname } = new URL(candidate, import.meta.url)
    try {
      readFileSync(pathname, { flag: 'r' })
      return decodeURIComponent(pathname)
    } catch {
      // The next place.
    }
  }
  throw new Error(`the sensor's programs (${name}) are missing from this installation`)
}

export class BpfObject {
  readonly programs: ReadonlyMap<string, Program>
  readonly #lib: Libbpf = libbpf()
  readonly #pointer: Pointer
  readonly #links = new Map<string, Pointer>()
  readonly #maps = new Map<string, number>()
  #logs = new Map<string, Buffer>()

  constructor(path: string) {
    this.#pointer = this.#lib.openFile(path)
    const programs = new Map<string, Program>()
    for (let at = this.#lib.nextProgram(this.#pointer, 0n); at !== 0n; at = this.#lib.nextProgram(this.#pointer, at)) {
      const name = this.#lib.programName(at)
      programs.set(name, { name, section: this.#lib.sectionName(at), pointer: at })
    }
    this.programs = programs
  }

  /**
   * Chooses what is loaded; before `load`. With logs a failure names its program; they take 256 KiB each, so that they
   * are asked for when a load has failed already.
   */
  select(names: ReadonlySet<string>, withLogs: boolean): void {
    for (const { name, pointer } of this.programs.values()) {
      const isWanted = names.has(name)
      this.#lib.setAutoload(pointer, isWanted)
      if (!isWanted || !withLogs) continue
      const log = Buffer.alloc(LOG_BYTES)
      this.#logs.set(name, log)
      this.#lib.setLog(pointer, log)
    }
  }

  resize(map: string, entries: number): void {
    this.#lib.setMaxEntries(this.#lib.findMap(this.#pointer, map), entries)
  }

  configure(map: string, value: Buffer): void {
    this.#lib.setInitialValue(this.#lib.findMap(this.#pointer, map), value)
  }

  /** Throws a `LoadError` that names the program, where it was one. */
  load(): void {
    const failed = this.#lib.load(this.#pointer)
    const logs = this.#logs
    this.#logs = new Map()
    if (failed === 0) return
    for (const [name, log] of logs) {
      if (log[0] === 0) continue
      const text = log.toString('latin1', 0, log.indexOf(0))
      // A program that was accepted leaves statistics only.
      if (/^processed \d+ insns/.test(text)) continue
      throw new LoadError(name, this.programs.get(name)?.section ?? '', -failed, text)
    }
    throw new BpfError('The kernel refuses the sensor’s programs', -failed)
  }

  attach(name: string, cgroupFd?: number): void {
    const { pointer, section } = this.#program(name)
    const isCgroup = section.startsWith('cgroup')
    try {
      this.#links.set(
        name,
        isCgroup && cgroupFd !== undefined ? this.#lib.attachCgroup(pointer, cgroupFd) : this.#lib.attach(pointer),
      )
    } catch (reason) {
      throw reason instanceof BpfError ? new BpfError(`attach ${name} (${section})`, reason.errno) : reason
    }
  }

  /** A descriptor that yields what the iterator writes. */
  iterate(name: string): { readonly fd: number; readonly end: () => void } {
    const link = this.#lib.attachIterator(this.#program(name).pointer)
    return { fd: this.#lib.createIterator(this.#lib.linkFd(link)), end: () => this.#lib.destroyLink(link) }
  }

  run(name: string, context: Buffer): void {
    this.#lib.run(this.#lib.programFd(this.#program(name).pointer), context)
  }

  mapFd(name: string): number {
    let fd = this.#maps.get(name)
    if (fd === undefined) {
      fd = this.#lib.mapFd(this.#lib.findMap(this.#pointer, name))
      this.#maps.set(name, fd)
    }
    return fd
  }

  /** Programs whose link was taken away from outside: a detached cgroup link has no cgroup any more. */
  lost(): string[] {
    return [...this.#links].filter(([name, link]) => this.#isLost(name, link)).map(([name]) => name)
  }

  /** Takes all links off at once, which one after the other would take seconds. */
  async detach(): Promise<void> {
    const links = [...this.#links.values()]
    this.#links.clear()
    await Promise.all(links.map((link) => this.#lib.destroyLinkAside(link)))
  }

  close(): void {
    for (const link of this.#links.values()) this.#lib.destroyLink(link)
    this.#links.clear()
    this.#lib.close(this.#pointer)
  }

  #isLost(name: string, link: Pointer): boolean {
    const fd = this.#lib.linkFd(link)
    try {
      // struct bpf_link_info: type, id, prog_id, then by type; of a cgroup its id (u64) at 16.
      const info = this.#lib.info(fd, 64)
      return this.#program(name).section.startsWith('cgroup') && info.readBigUInt64LE(16) === 0n
    } catch (reason) {
      // Old kinds of links (perf events before 5.15) have no information to give.
      return reason instanceof BpfError && reason.errno === 9
    }
  }

  #program(name: string): Program {
    const program = this.programs.get(name)
    if (program === undefined) throw new Error(`the object has no program ${name}`)
    return program
  }
}
