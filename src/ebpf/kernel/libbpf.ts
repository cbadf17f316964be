/**
 * The system's libbpf and the few calls of libc that rings need, called through koffi. Nothing here is called per
 * record. Pointers are numbers (bigint); a failed call is a `BpfError`.
 */
import { createRequire } from 'node:module'
import type * as Koffi from 'koffi'
import { BpfError, SensorError } from './errors.ts'

/** A pointer into native memory; 0n is NULL. */
export type Pointer = bigint

type Call = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void }

export interface Libbpf {
  readonly version: string
  readonly openFile: (path: string) => Pointer
  readonly close: (object: Pointer) => void
  readonly load: (object: Pointer) => number
  readonly nextProgram: (object: Pointer, program: Pointer) => Pointer
  readonly programName: (program: Pointer) => string
  readonly sectionName: (program: Pointer) => string
  readonly setAutoload: (program: Pointer, on: boolean) => void
  readonly setLog: (program: Pointer, buffer: Buffer) => void
  readonly programFd: (program: Pointer) => number
  readonly attach: (program: Pointer) => Pointer
  readonly attachCgroup: (program: Pointer, fd: number) => Pointer
  readonly attachIterator: (program: Pointer) => Pointer
  readonly createIterator: (linkFd: number) => number
  readonly linkFd: (link: Pointer) => number
  readonly destroyLink: (link: Pointer) => void
  /** The same on another thread: taking a link off waits until no program of the kind runs any more. */
  readonly destroyLinkAside: (link: Pointer) => Promise<void>
  readonly findMap: (object: Pointer, name: string) => Pointer
  readonly mapFd: (map: Pointer) => number
  readonly setMaxEntries: (map: Pointer, entries: number) => void
  readonly setInitialValue: (map: Pointer, value: Buffer) => void
  readonly update: (fd: number, key: Buffer, value: Buffer) => void
  readonly lookup: (fd: number, key: Buffer, value: Buffer) => boolean
  readonly remove: (fd: number, key: Buffer) => void
  readonly possibleCpus: number
  readonly info: (fd: number, size: number) => Buffer
  readonly run: (fd: number, context: Buffer) => void
  readonly map: (
    fd: number,
    length: number,
    offset: number,
    writable: boolean,
  ) => { pointer: Pointer; memory: ArrayBuffer }
  readonly unmap: (pointer: Pointer, length: number) => void
  readonly pageSize: number
  /** Nanoseconds of one of the clocks of clock_gettime. */
  readonly clock: (id: number) => bigint
  readonly createEpoll: (fds: readonly number[]) => number
  /** Resolves when one of the descriptors is readable, or after `ms`; runs on a thread of its own. */
  readonly waitEpoll: (fd: number, ms: number) => Promise<void>
}

const ENOENT = 2
const EINTR = 4
const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 1
const SC_PAGESIZE = 30
const EPOLL_CTL_ADD = 1
const EPOLLIN = 1

let loaded: Libbpf | undefined

/** Loads the library once; throws a `SensorError` that says what to install. */
export function libbpf(): Libbpf {
  loaded ??= load()
  return loaded
}

function loadKoffi(): typeof Koffi {
  try {
    return createRequire(import.meta.url)('koffi')
  } catch (reason) {
    throw new SensorError(
      `The module koffi, by which libbpf is called, cannot be loaded on this system (glibc on x86-64 or arm64 is needed): ${(reason as Error).message.split('\n')[0]}`,
    )
  }
}

function load(): Libbpf {
  const koffi = loadKoffi()
  let library: ReturnType<typeof koffi.load>
  try {
    library = koffi.load('libbpf.so.1')
  } catch {
    throw new SensorError(
      'libbpf.so.1 is not installed: install the package libbpf1 (Debian, Ubuntu) or libbpf (Fedora, Alpine has no fitting one).',
    )
  }
  const libc = koffi.load('libc.so.6')
  const call = (signature: string): Call => library.func(signature) as unknown as Call
  const system = (signature: string): Call => libc.func(signature) as unknown as Call
  return bind(koffi, call, system)
}

// One line a function: what libbpf and libc export, in words of ours.
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of bindings, not an algorithm.
function bind(koffi: typeof Koffi, call: (signature: string) => Call, system: (signature: string) => Call): Libbpf {
  const errno = (): number => koffi.errno()
  /** Of calls that return a pointer: NULL and errno. */
  const pointer = (what: string, value: unknown): Pointer => {
    if (value === null || value === 0n || value === undefined) throw new BpfError(what, errno())
    return value as Pointer
  }
  /** Of calls that return a negative errno, or -1 and errno. */
  const number = (what: string, value: unknown): number => {
    if ((value as number) < 0) throw new BpfError(what, value === -1 ? errno() || 1 : -(value as number))
    return value as number
  }
  call('void *libbpf_set_print(void *fn)')(null)
  const opts = koffi.struct({
    sz: 'size_t',
    data_in: 'void *',
    data_out: 'void *',
    data_size_in: 'uint32_t',
    data_size_out: 'uint32_t',
    ctx_in: 'const uint8_t *',
    ctx_out: 'void *',
    ctx_size_in: 'uint32_t',
    ctx_size_out: 'uint32_t',
    retval: 'uint32_t',
    repeat: 'int',
    duration: 'uint32_t',
    flags: 'uint32_t',
    cpu: 'uint32_t',
    batch_size: 'uint32_t',
  })
  koffi.alias('test_run_opts', opts)
  const f = {
    version: call('const char *libbpf_version_string()'),
    open: call('void *bpf_object__open_file(const char *path, void *opts)'),
    close: call('void bpf_object__close(void *object)'),
    load: call('int bpf_object__load(void *object)'),
    nextProgram: call('void *bpf_object__next_program(void *object, void *program)'),
    programName: call('const char *bpf_program__name(void *program)'),
    sectionName: call('const char *bpf_program__section_name(void *program)'),
    setAutoload: call('int bpf_program__set_autoload(void *program, bool on)'),
    setLog: call('int bpf_program__set_log_buf(void *program, void *buffer, size_t size)'),
    programFd: call('int bpf_program__fd(void *program)'),
    attach: call('void *bpf_program__attach(void *program)'),
    attachCgroup: call('void *bpf_program__attach_cgroup(void *program, int fd)'),
    attachIterator: call('void *bpf_program__attach_iter(void *program, void *opts)'),
    createIterator: call('int bpf_iter_create(int fd)'),
    linkFd: call('int bpf_link__fd(void *link)'),
    destroyLink: call('int bpf_link__destroy(void *link)'),
    findMap: call('void *bpf_object__find_map_by_name(void *object, const char *name)'),
    mapFd: call('int bpf_map__fd(void *map)'),
    setMaxEntries: call('int bpf_map__set_max_entries(void *map, uint32_t entries)'),
    setInitialValue: call('int bpf_map__set_initial_value(void *map, const uint8_t *value, size_t size)'),
    update: call('int bpf_map_update_elem(int fd, const uint8_t *key, const uint8_t *value, uint64_t flags)'),
    lookup: call('int bpf_map_lookup_elem(int fd, const uint8_t *key, _Out_ uint8_t *value)'),
    remove: call('int bpf_map_delete_elem(int fd, const uint8_t *key)'),
    cpus: call('int libbpf_num_possible_cpus()'),
    info: call('int bpf_obj_get_info_by_fd(int fd, _Out_ uint8_t *info, _Inout_ uint32_t *size)'),
    run: call('int bpf_prog_test_run_opts(int fd, _Inout_ test_run_opts *opts)'),
    mmap: system('void *mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)'),
    munmap: system('int munmap(void *at, size_t length)'),
    sysconf: system('long sysconf(int name)'),
    clock: system('int clock_gettime(int clock, _Out_ uint8_t *time)'),
    epollCreate: system('int epoll_create1(int flags)'),
    epollControl: system('int epoll_ctl(int epoll, int operation, int fd, const uint8_t *event)'),
    epollWait: system('int epoll_wait(int epoll, void *events, int most, int ms)'),
  }
  const events = Buffer.alloc(16 * 4)
  const time = Buffer.alloc(16)
  return {
    version: String(f.version()),
    openFile: (path) => pointer(`open ${path}`, f.open(path, null)),
    close: (object) => void f.close(object),
    load: (object) => f.load(object) as number,
    nextProgram: (object, program) => (f.nextProgram(object, program) as Pointer | null) ?? 0n,
    programName: (program) => String(f.programName(program)),
    sectionName: (program) => String(f.sectionName(program)),
    setAutoload: (program, on) => void number('set autoload', f.setAutoload(program, on)),
    setLog: (program, buffer) => void number('set the log buffer', f.setLog(program, buffer, buffer.length)),
    programFd: (program) => number('get the descriptor of a program', f.programFd(program)),
    attach: (program) => pointer('attach', f.attach(program)),
    attachCgroup: (program, fd) => pointer('attach to the cgroup', f.attachCgroup(program, fd)),
    attachIterator: (program) => pointer('attach the iterator', f.attachIterator(program, null)),
    createIterator: (fd) => number('create the iterator', f.createIterator(fd)),
    linkFd: (link) => number('get the descriptor of a link', f.linkFd(link)),
    destroyLink: (link) => void f.destroyLink(link),
    destroyLinkAside: (link) => new Promise((resolve) => f.destroyLink.async(link, () => resolve())),
    findMap: (object, name) => pointer(`find the map ${name}`, f.findMap(object, name)),
    mapFd: (map) => number('get the descriptor of a map', f.mapFd(map)),
    setMaxEntries: (map, entries) => void number('set the size of a map', f.setMaxEntries(map, entries)),
    setInitialValue: (map, value) => void number('configure', f.setInitialValue(map, value, value.length)),
    update: (fd, key, value) => void number('write a map', f.update(fd, key, value, 0)),
    lookup: (fd, key, value) => (f.lookup(fd, key, value) as number) === 0,
    remove: (fd, key) => {
      const failed = f.remove(fd, key) as number
      if (failed < 0 && failed !== -ENOENT && errno() !== ENOENT) number('delete from a map', failed)
    },
    possibleCpus: number('count the CPUs', f.cpus()),
    info: (fd, size) => {
      const bytes = Buffer.alloc(size)
      number('get information about a link', f.info(fd, bytes, [size]))
      return bytes
    },
    run: (fd, context) =>
      void number(
        'run the heartbeat',
        f.run(fd, { sz: koffi.sizeof(opts), ctx_in: context, ctx_size_in: context.length }),
      ),
    map: (fd, length, offset, writable) => {
      const at = f.mmap(
        null,
        length,
        writable ? PROT_READ | PROT_WRITE : PROT_READ,
        MAP_SHARED,
        fd,
        offset,
      ) as Pointer | null
      if (at === null || at === 0xffffffffffffffffn || at === -1n) throw new BpfError('map a ring buffer', errno())
      return { pointer: at, memory: koffi.view(at, length) as unknown as ArrayBuffer }
    },
    unmap: (at, length) => void f.munmap(at, length),
    pageSize: Number(f.sysconf(SC_PAGESIZE)),
    clock: (id) => {
      number('read a clock', f.clock(id, time))
      return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8)
    },
    createEpoll: (fds) => {
      const epoll = number('create an epoll descriptor', f.epollCreate(0x80000))
      for (const fd of fds) {
        // struct epoll_event is packed on x86-64 and padded elsewhere; its first word is all that is used.
        const event = Buffer.alloc(16)
        event.writeUInt32LE(EPOLLIN)
        number('watch a ring buffer', f.epollControl(epoll, EPOLL_CTL_ADD, fd, event))
      }
      return epoll
    },
    waitEpoll: (fd, ms) =>
      new Promise((resolve, reject) => {
        f.epollWait.async(fd, events, 4, ms, (failure: Error | null, ready: number) => {
          if (failure !== null) reject(failure)
          else if (ready < 0 && errno() !== EINTR && errno() !== 0) reject(new BpfError('wait for the kernel', errno()))
          else resolve()
        })
      }),
  }
}
