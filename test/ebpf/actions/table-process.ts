/** Actions about programs: how they are started, and by whom. */
import { type Action, type Facts, has, present, type Seen } from './types.ts'

const args =
  (...wanted: string[]) =>
  (value: unknown) =>
    Array.isArray(value) && wanted.every((one, index) => value[index] === one)
const argument = (wanted: string) => (value: unknown) => Array.isArray(value) && value.includes(wanted)
const total = (records: readonly Seen[], event: string): number =>
  records.filter(({ eventName }) => eventName === event).length

export const STORM = { forks: 2000, execs: 200, threads: 1000 }

export const processActions: readonly Action[] = [
  {
    id: '1',
    title: 'commands typed at a terminal',
    run: ({ deed, bin }) => [deed, 'pty', `${bin}/sh`, '-c', `${bin}/id; ${bin}/whoami; ${bin}/uname -a; true`],
    expected: [
      { event: 'process.exec', as: 'sh', parent: 'main', where: { 'process.command_args': argument('-c') } },
      ...['id', 'whoami', 'uname'].map((name) => ({
        event: 'process.exec',
        parent: 'sh',
        where: {
          'process.interactive': true,
          'weir.exec.filename': new RegExp(`/${name}$`),
          'weir.process.comm': name,
        },
      })),
    ],
    atMost: 60,
    twin: {
      run: ({ deed, bin }) => [deed, 'plain', `${bin}/sh`, '-c', `${bin}/id; ${bin}/whoami; ${bin}/uname -a; true`],
    },
  },
  {
    id: '2',
    title: 'a web server starts a shell',
    inContainer: true,
    run: () => ['/bin/httpd'],
    expected: [
      { event: 'process.exec', as: 'httpd', by: 'httpd', where: { 'weir.process.comm': 'httpd' } },
      {
        event: 'process.exec',
        as: 'sh',
        parent: 'httpd',
        where: { 'weir.process.comm': 'sh', 'weir.process.lineage': /deed/, 'weir.process.ancestors': present },
      },
      { event: 'process.exec', parent: 'sh', where: { 'weir.process.comm': 'ls' } },
    ],
    atMost: 60,
    twin: {
      run: () => ['/bin/httpd', 'worker'],
      never: [{ event: 'process.exec', where: { 'weir.process.comm': /^(ba|da|a)?sh$/ } }],
    },
  },
  {
    id: '3',
    title: 'a program that has no file',
    run: ({ deed }) => [deed, 'memfd'],
    expected: [
      { event: 'memfd.create', by: 'main', where: { 'weir.memfd.name': 'payload' } },
      ...['by-descriptor', 'by-path'].map((role, index) => ({
        event: 'process.exec',
        by: role,
        parent: 'main',
        where: {
          'weir.exec.flags': has('memfd', 'unlinked'),
          'process.executable.path': /memfd:payload/,
          'process.command_args': args(`[kworker/0:${index + 1}]`, 'nothing', role),
        },
      })),
    ],
    atMost: 25,
    twin: { run: ({ deed }) => [deed, 'copied'] },
  },
  {
    id: '4',
    title: 'a program in memory-backed storage, and one whose name is gone',
    run: ({ deed }) => [deed, 'hidden'],
    expected: [
      {
        event: 'process.exec',
        by: 'shm',
        parent: 'main',
        where: { 'weir.exec.flags': has('tmpfs'), 'process.executable.path': /^\/dev\/shm\/weir-deed-/ },
      },
      { event: 'process.exec', by: 'unlinked', parent: 'main', where: { 'weir.exec.flags': has('unlinked') } },
      { event: 'file.delete', by: 'main', where: { 'file.path': /^\/dev\/shm\/weir-deed-/ } },
    ],
    atMost: 30,
    twin: { run: ({ deed }) => [deed, 'copied'] },
  },
  {
    id: '5',
    title: 'a program is written into a container and started',
    inContainer: true,
    run: () => ['/bin/deed', 'drop'],
    expected: [
      { event: 'file.create', where: { 'file.path': /\/dropped$/, 'weir.file.access': has('write') } },
      { event: 'file.chmod', where: { 'file.path': /\/dropped$/, 'file.mode': /755$/ } },
      {
        event: 'process.exec',
        by: 'dropped',
        where: { 'weir.exec.flags': has('upper_layer'), 'process.executable.path': /\/dropped$/ },
      },
    ],
    atMost: 60,
    twin: { run: () => ['/bin/deed', 'child'] },
  },
  {
    id: '6',
    title: 'odd ways to start a program',
    run: ({ deed, bin }) => [deed, 'execs', `${bin}/sh`],
    expected: [
      {
        event: 'process.exec',
        parent: 'main',
        where: {
          'weir.exec.filename': /script\.sh$/,
          'weir.exec.interpreter': /\/(sh|busybox)$/,
          'weir.exec.flags': has('script'),
        },
      },
      { event: 'process.exec', by: 'many', where: { 'process.args_count': 203 } },
      { event: 'process.exec', by: 'huge', where: { 'weir.exec.args_truncated': true } },
      { event: 'process.exec', by: 'odd', where: { 'process.command_args': argument('grüß') } },
      { event: 'process.exec', by: 'odd', where: { 'process.command_args': argument('') } },
      {
        event: 'process.exec',
        by: 'relative',
        where: {
          'weir.exec.filename': './relative',
          'process.working_directory': present,
          'process.executable.path': /^\//,
        },
      },
      { event: 'process.exec', by: 'by-thread', where: { 'weir.exec.flags': has('thread') } },
      { event: 'process.exec_failed', where: { 'weir.exec.filename': /absent$/, 'error.type': 'ENOENT' } },
      { event: 'process.exec_failed', where: { 'weir.exec.filename': /script\.sh$/, 'error.type': 'EACCES' } },
    ],
    atMost: 50,
    twin: { run: ({ deed }) => [deed, 'child'], never: [{ event: 'process.exec_failed' }] },
  },
  {
    id: '27',
    title: 'storms of processes, programs and threads',
    run: ({ deed }) => [deed, 'storm', String(STORM.forks), String(STORM.execs), String(STORM.threads)],
    expected: [{ event: 'process.exec', parent: 'main', where: { 'process.command_args': args('stormed', 'silent') } }],
    atMost: STORM.forks + 2 * STORM.execs + 10,
    check: (records) => {
      // The storm itself, and its programs; a process ends once, a thread never.
      const execs = total(records, 'process.exec')
      const exits = total(records, 'process.exit')
      if (execs !== STORM.execs + 1) return `${execs} starts of programs were recorded, not ${STORM.execs + 1}`
      const wanted = STORM.forks + STORM.execs + 1
      if (exits !== wanted) return `${exits} ends of processes were recorded, not ${wanted}`
      const forked = records.filter((one) => one.attributes['process.exit.code'] === 7)
      const unsaid = forked.filter((one) => one.attributes['weir.process.forked'] !== true).length
      return forked.length === STORM.forks && unsaid === 0
        ? undefined
        : `${forked.length} forked processes ended with their code, ${unsaid} without saying that they had only forked`
    },
    twin: { run: ({ deed }) => [deed, 'child'] },
  },
  {
    id: '28',
    title: 'a daemon leaves its parents behind',
    run: ({ deed }) => [deed, 'daemon'],
    expected: [
      {
        event: 'process.exec',
        by: 'image',
        parent: 'main',
        where: {
          'process.parent_pid': (value, facts) => value === facts.of('daemon')['parent'],
          'weir.process.comm': 'exe',
        },
      },
    ],
    atMost: 20,
    twin: { run: ({ deed }) => [deed, 'child'] },
  },
  {
    id: '29',
    title: 'a 32-bit program',
    run: ({ deed, bin }) => [deed, 'old_calls', `${bin}/deed32`],
    // 127: the kernel runs no such programs.
    expected: [
      { event: 'process.exec', parent: 'main', where: { 'weir.exec.filename': /deed32$/ }, unless: refuses32Bit },
      { event: 'file.create', where: { 'file.path': /compat-file$/ }, unless: refuses32Bit },
      { event: 'network.connect', where: { 'destination.port': 4445 }, unless: refuses32Bit },
      { event: 'process.exec', where: { 'process.command_args': argument('again') }, unless: refuses32Bit },
      {
        event: 'process.exec_failed',
        where: { 'weir.exec.filename': /deed32$/ },
        unless: (facts) => !refuses32Bit(facts),
      },
    ],
    atMost: 25,
    twin: { run: ({ deed }) => [deed, 'child'], never: [{ event: 'process.exec_failed' }] },
  },
]

function refuses32Bit(facts: Facts): boolean {
  return facts.of('old')['status'] === 127
}
