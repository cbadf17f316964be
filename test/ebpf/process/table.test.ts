import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createModel, type Model } from '../../../src/ebpf/model.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { type Fields, record, together } from '../kit/build.ts'

const nowhere = mkdtempSync(join(tmpdir(), 'weir-table-'))
after(() => rmSync(nowhere, { recursive: true, force: true }))

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const FLAG_SCAN = 32
const FORKED = 2

interface Image {
  readonly tgid: number
  readonly start: bigint
  readonly exec: bigint
  /** Who loaded it; the same process unless told otherwise. */
  readonly by?: number
}

class Bench {
  readonly out: LogRecord[] = []
  readonly lost = new Map<string, number>()
  readonly model: Model
  #ktime = 1_000_000n

  constructor(most?: number) {
    this.model = createModel({
      node: 'node-1',
      bootId: 'boot',
      roots: { proc: nowhere, cgroup: nowhere, podLogs: nowhere, etc: nowhere },
      lost: (what, count) => this.lost.set(what, (this.lost.get(what) ?? 0) + count),
      ...(most !== undefined && { mostProcesses: most }),
    })
    this.model.setClock(0n)
  }

  take(bytes: Buffer): LogRecord | undefined {
    const { memory, places } = together([bytes])
    const before = this.out.length
    for (const { at, size } of places) this.model.take(memory, at, size, this.out)
    return this.out[before]
  }

  header({ tgid, start, exec, by = tgid }: Image, more: Fields = {}): Fields {
    this.#ktime += 1000n
    return {
      ktime: this.#ktime,
      processStart: start,
      processExecKtime: exec,
      processTgid: tgid,
      processExecTgid: by,
      tid: tgid,
      auid: 0xffffffff,
      ...more,
    }
  }

  exec(image: Image, parent: Image, path: string, args = path, more: Fields = {}): LogRecord | undefined {
    return this.take(
      record('exec', this.header(image, more), {
        ...keyOf('parent', parent),
        exePath: Buffer.from(path),
        args: Buffer.from(`${args.replaceAll(' ', '\0')}\0`),
      }),
    )
  }

  fork(child: Image, parent: Image): LogRecord | undefined {
    return this.take(record('fork', this.header(child, { processFlags: FORKED }), keyOf('parent', parent)))
  }

  open(image: Image, more: Fields = {}): LogRecord {
    const fields = { ret: 3, path: Buffer.from('/etc/hostname') }
    return this.take(record('open', this.header(image, { comm: Buffer.from('cat'), ...more }), fields)) as LogRecord
  }

  exit(image: Image): LogRecord | undefined {
    return this.take(record('exit', this.header(image), {}))
  }

  at(seconds: number): void {
    this.#ktime = BigInt(seconds) * 1_000_000_000n
    this.model.tick(seconds * 1e9, this.out)
  }
}

function keyOf(name: string, { tgid, start, exec, by = tgid }: Image): Fields {
  return { [`${name}Start`]: start, [`${name}ExecKtime`]: exec, [`${name}Tgid`]: tgid, [`${name}ExecTgid`]: by }
}

const idOf = (ktime: bigint, tgid: number): string => Buffer.from(`node-1:${ktime}:${tgid}`).toString('base64')
const NOBODY: Image = { tgid: 0, start: 0n, exec: 0n }
const INIT: Image = { tgid: 1, start: 10n, exec: 20n }
const SHELL: Image = { tgid: 100, start: 1000n, exec: 1100n }

function shell(bench = new Bench()): Bench {
  bench.exec(INIT, NOBODY, '/sbin/init', '/sbin/init', { flags: FLAG_SCAN })
  bench.exec(SHELL, INIT, '/bin/sh', 'sh -i')
  return bench
}

test('a scanned process is known, and is no event', () => {
  const bench = new Bench()
  assert.equal(bench.exec(INIT, NOBODY, '/sbin/init', '/sbin/init', { flags: FLAG_SCAN }), undefined)
  assert.equal(bench.model.sizes.processes, 1)
  assert.equal(bench.open(INIT).attributes['process.executable.path'], '/sbin/init')
})

test('a process that forks and runs a program has its parent, ancestors and command line', () => {
  const bench = shell()
  bench.fork({ tgid: 200, start: 2000n, exec: 1100n, by: 100 }, SHELL)
  const child = { tgid: 200, start: 2000n, exec: 2100n }
  const { attributes, body } = bench.exec(child, SHELL, '/usr/bin/id', 'id -u') as LogRecord
  assert.equal(attributes['process.exec_id'], idOf(2100n, 200))
  assert.equal(attributes['process.parent.exec_id'], idOf(1100n, 100))
  assert.equal(attributes['process.parent.executable.path'], '/bin/sh')
  assert.equal(attributes['process.parent.command_line'], 'sh -i')
  assert.deepEqual(attributes['weir.process.ancestors'], [idOf(1100n, 100), idOf(20n, 1)])
  assert.equal(attributes['weir.process.lineage'], 'sh ← init')
  assert.equal(attributes['weir.process.forked'], false)
  assert.equal(body, 'host id -u  ← sh ← init')
  assert.equal(attributes['process.creation.time'], '1970-01-01T00:00:00.000002000Z')
})

test('a process that has only forked is told apart from its parent, and joins with the program it runs', () => {
  const bench = shell()
  const child = { tgid: 200, start: 2000n, exec: 1100n, by: 100 }
  bench.fork(child, SHELL)
  const { attributes } = bench.open(child, { processFlags: FORKED })
  const own = bench.open(SHELL).attributes
  assert.equal(attributes['process.exec_id'], own['process.exec_id'])
  assert.equal(attributes['process.parent.exec_id'], own['process.exec_id'])
  assert.notEqual(attributes['process.entity_id'], own['process.entity_id'])
  assert.equal(attributes['process.parent.entity_id'], own['process.entity_id'])
  assert.equal(attributes['process.executable.path'], '/bin/sh')
  assert.equal(attributes['weir.process.forked'], true)
  assert.deepEqual(attributes['weir.process.ancestors'], own['weir.process.ancestors'])
})

test('the parent is who gave birth, whoever adopts the child later', () => {
  const bench = shell()
  const child = { tgid: 200, start: 2000n, exec: 2100n }
  bench.fork({ ...child, exec: 1100n, by: 100 }, SHELL)
  bench.exit(SHELL)
  bench.at(60)
  const { attributes } = bench.exec(child, SHELL, '/usr/bin/id', 'id', { ppid: 1 }) as LogRecord
  assert.equal(attributes['process.parent_pid'], 1)
  assert.equal(attributes['process.parent.exec_id'], idOf(1100n, 100))
})

test('a pid that is used again is another process', () => {
  const bench = shell()
  const first = bench.open(SHELL).attributes
  bench.exit(SHELL)
  const second = bench.exec({ tgid: 100, start: 9000n, exec: 9100n }, INIT, '/usr/bin/id')?.attributes
  assert.notEqual(second?.['process.entity_id'], first['process.entity_id'])
  assert.equal(second?.['process.executable.name'], 'id')
})

test('what is told late of the pid’s last owner is of that one, and takes nothing from the new one', () => {
  const bench = shell()
  const before = bench.open(SHELL).attributes['process.entity_id']
  bench.exit(SHELL)
  const next = { tgid: 100, start: 9000n, exec: 9100n }
  bench.exec(next, INIT, '/usr/bin/id')
  const late = bench.open(SHELL).attributes
  assert.equal(late['process.entity_id'], before)
  assert.equal(late['process.executable.path'], '/bin/sh')
  assert.equal(bench.open(next).attributes['process.executable.path'], '/usr/bin/id')
  // Nobody knows these any more; the owner is still known after them.
  for (const start of [5n, 6n, 7n]) bench.open({ tgid: 100, start, exec: 1n })
  assert.equal(bench.open(next).attributes['process.executable.path'], '/usr/bin/id')
})

test('a program that replaces another one in its process is told, and late events of the first stay its own', () => {
  const bench = shell()
  const next = { ...SHELL, exec: 5000n }
  const bytes = record('exec', bench.header(next), {
    ...keyOf('parent', INIT),
    ...keyOf('previous', SHELL),
    exePath: Buffer.from('/usr/bin/python3'),
    args: Buffer.from('python3\0'),
  })
  const { attributes } = bench.take(bytes) as LogRecord
  assert.equal(attributes['weir.process.previous.exec_id'], idOf(1100n, 100))
  assert.equal(attributes['process.parent.exec_id'], idOf(20n, 1))
  assert.equal(bench.open(SHELL).attributes['process.executable.path'], '/bin/sh')
  assert.equal(bench.open(next).attributes['process.executable.path'], '/usr/bin/python3')
})

test('a process that nobody told of is made up from its first event, and completed later', () => {
  const bench = new Bench()
  const first = bench.open(SHELL, { ppid: 1 }).attributes
  assert.equal(first['process.exec_id'], idOf(1100n, 100))
  assert.equal(first['weir.process.comm'], 'cat')
  assert.equal(first['process.executable.path'], undefined)
  bench.exec(SHELL, INIT, '/bin/sh', 'sh', { flags: FLAG_SCAN })
  const second = bench.open(SHELL).attributes
  assert.equal(second['process.entity_id'], first['process.entity_id'])
  assert.equal(second['process.executable.path'], '/bin/sh')
})

test('ancestors are named up to the sixteenth', () => {
  const bench = new Bench()
  let parent = NOBODY
  for (let i = 1; i <= 40; i++) {
    const image = { tgid: i, start: BigInt(i * 10), exec: BigInt(i * 10 + 5) }
    bench.exec(image, parent, `/bin/p${i}`)
    parent = image
  }
  const { attributes } = bench.open(parent)
  const ancestors = attributes['weir.process.ancestors'] as string[]
  assert.equal(ancestors.length, 16)
  assert.equal(ancestors[0], idOf(395n, 39))
  assert.equal(String(attributes['weir.process.lineage']).split(' ← ').length, 16)
  assert.match(String(attributes['weir.process.lineage']), /^p39 ← p38/)
})

test('events of one user after another, and of an adopted process, say so', () => {
  const bench = shell()
  assert.equal(bench.open(SHELL, { uid: 0, euid: 0, ppid: 1 }).attributes['process.user.id'], '0')
  const { attributes } = bench.open(SHELL, { uid: 33, euid: 34, egid: 35, ppid: 7 })
  assert.equal(attributes['process.user.id'], '34')
  assert.equal(attributes['process.real_user.id'], '33')
  assert.equal(attributes['process.group.id'], '35')
  assert.equal(attributes['process.parent_pid'], 7)
})

test('records of one process share what they have in common, and nothing that may be changed', () => {
  const bench = shell()
  const first = bench.open(SHELL).attributes
  const second = bench.open(SHELL).attributes
  assert.notEqual(first, second)
  first['process.executable.path'] = 'changed'
  assert.equal(second['process.executable.path'], '/bin/sh')
  assert.equal(bench.open(SHELL).attributes['process.executable.path'], '/bin/sh')
})

test('who has ended is known ten seconds longer, then forgotten', () => {
  const bench = shell()
  bench.at(5)
  const { attributes } = bench.exit(SHELL) as LogRecord
  assert.equal(attributes['process.exit.code'], 0)
  bench.at(10)
  assert.equal(bench.open(SHELL).attributes['process.executable.path'], '/bin/sh')
  bench.at(20)
  assert.equal(bench.model.sizes.processes, 1)
})

test('a chain of processes that each fork and end holds nobody in memory', () => {
  const bench = new Bench()
  const chain = 20_000
  let parent = { tgid: 1, start: 1n, exec: 1n }
  bench.exec(parent, NOBODY, '/bin/worm', `worm ${'x'.repeat(1000)}`)
  const weigh = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = weigh()
  for (let i = 2; i <= chain; i++) {
    const child = { tgid: i, start: BigInt(i * 1000), exec: BigInt(i * 1000 + 5) }
    bench.exec(child, parent, '/bin/worm', `worm ${i} ${'x'.repeat(1000)}`)
    bench.exit(parent)
    parent = child
    bench.out.length = 0
    if (i % 1000 === 0) bench.at(i)
  }
  assert(bench.model.sizes.processes < 2100, `${bench.model.sizes.processes}`)
  const more = weigh() - before
  assert(more < 16 << 20, `${more >> 20} MiB`)
})

test('more processes than there is room for push out those that have ended first, and are counted', () => {
  const bench = new Bench(1000)
  const image = (tgid: number): Image => ({ tgid, start: BigInt(tgid), exec: BigInt(tgid) })
  for (let tgid = 1; tgid <= 1000; tgid++) bench.exec(image(tgid), NOBODY, `/bin/p${tgid}`)
  for (let tgid = 501; tgid <= 600; tgid++) bench.exit(image(tgid))
  for (let tgid = 2001; tgid <= 2100; tgid++) bench.exec(image(tgid), NOBODY, `/bin/p${tgid}`)
  assert.equal(bench.open(image(1)).attributes['process.executable.path'], '/bin/p1')
  for (let tgid = 3001; tgid <= 3010; tgid++) bench.exec(image(tgid), NOBODY, `/bin/p${tgid}`)
  bench.at(1)
  assert.equal(bench.model.sizes.processes, 1000)
  assert.equal(bench.lost.get('processes_evicted'), 110)
})
