/**
 * What does it cost to make a log record of a kernel record?
 *
 *   node bench/micro/ebpf-decode.ts [--records 200000] [--rounds 9]
 *
 * A ring of the kernel's form in plain memory holds a mix of records: opens, connects, accepts, closes, and processes
 * that begin, run a program and end. Each round walks it twice: `walk` does nothing with what it finds, `decode` makes
 * finished log records, as the receiver does. Printed are the median, best and worst round in nanoseconds a record.
 */
import { parseArgs } from 'node:util'
import { Ring } from '../../src/ebpf/kernel/ring.ts'
import { createModel } from '../../src/ebpf/model.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { ipv4, record } from '../../test/ebpf/kit/build.ts'

const { values } = parseArgs({
  options: { records: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '9' } },
})
const WANTED = Number(values.records)
const SIZE = 256 << 20
const PAGES = 200
const BATCH = 512

interface Who {
  readonly tgid: number
  readonly start: bigint
  readonly exec: bigint
  readonly parent: { readonly tgid: number; readonly start: bigint; readonly exec: bigint }
}

let ktime = 1_000_000_000n
let seq = 0n
function header({ tgid, start, exec }: Who, comm: string): Record<string, number | bigint | string | Uint8Array> {
  ktime += 10_000n
  seq += 1n
  return {
    ktime,
    seq,
    processStart: start,
    processExecKtime: exec,
    processTgid: tgid,
    processExecTgid: tgid,
    cgroupId: 4242n,
    tid: tgid,
    ppid: 1,
    nsTgid: 7,
    auid: 0xffffffff,
    comm: Buffer.from(comm),
  }
}

const root: Who = { tgid: 1, start: 1n, exec: 2n, parent: { tgid: 0, start: 0n, exec: 0n } }
let lastTgid = 1000
function born(): Who {
  lastTgid += 1
  return { tgid: lastTgid, start: ktime, exec: ktime + 5n, parent: root }
}

function execOf(who: Who): Buffer {
  return record('exec', header(who, 'sh'), {
    parentStart: who.parent.start,
    parentExecKtime: who.parent.exec,
    parentTgid: who.parent.tgid,
    parentExecTgid: who.parent.tgid,
    credsEffective: 0xa80425fbn,
    credsPermitted: 0xa80425fbn,
    exeIno: 1234n,
    exeMode: 0o100755,
    argc: 3,
    argsTotal: 24,
    args: Buffer.from(`sh\0-c\0id ${who.tgid}; true\0`),
    exePath: Buffer.from('/usr/bin/dash'),
    filename: Buffer.from('/bin/sh'),
    cwd: Buffer.from('/var/www'),
    cgroup: Buffer.from('app.slice'),
    stdinPath: Buffer.from('/dev/null'),
  })
}

function openOf(who: Who, i: number): Buffer {
  return record('open', header(who, 'nginx'), {
    fileIno: BigInt(1000 + i),
    fileDev: 8 << 20,
    fileMode: 0o100644,
    fileMagic: 0xef53,
    openFlags: 0o100000,
    ret: 5,
    path: Buffer.from(`/var/www/site/assets/page-${i % PAGES}.html`),
  })
}

function socketOf(who: Who, i: number, op: number): Buffer {
  const isClose = op === 6
  return record('sock', header(who, 'nginx'), {
    op,
    epFamily: 2,
    epType: 1,
    epProtocol: 6,
    epCookie: BigInt(i),
    epLocalIp: ipv4('10.1.2.3'),
    epLocalPort: 30000 + (i % 20000),
    epRemoteIp: ipv4(`10.9.${i % 8}.${i % 250}`),
    epRemotePort: 443,
    ingress: op === 4 ? 1 : 0,
    established: isClose ? 1 : 0,
    bytesSent: isClose ? 1234n : 0n,
    bytesReceived: isClose ? 56789n : 0n,
    opened: isClose ? ktime - 1000n : 0n,
  })
}

function exitOf(who: Who): Buffer {
  return record('exit', header(who, 'sh'), { code: 0, utime: 1000n, stime: 2000n, maxRss: 4_000_000n })
}

/** Of a hundred records: 62 opens, 24 of sockets, 14 of processes (fork, exec, exit). */
function* mix(): Generator<Buffer> {
  const servers = Array.from({ length: 40 }, born)
  yield record('cgroup', header(root, 'systemd'), { id: 4242n, op: 1, path: Buffer.from('/system.slice/app.service') })
  for (const server of servers) yield execOf(server)
  for (let i = 0; ; i++) {
    const server = servers[i % servers.length] as Who
    const place = i % 100
    if (place < 62) yield openOf(server, i)
    else if (place < 86) yield socketOf(server, i, [3, 6, 4][i % 3] as number)
    else if ((place - 86) % 3 === 0 && place < 98) {
      const child = { ...born(), parent: server }
      const { start: parentStart, exec: parentExecKtime, tgid: parentTgid } = server
      const copied = { ...header(child, 'nginx'), processExecKtime: server.exec, processExecTgid: server.tgid }
      yield record('fork', copied, { parentStart, parentExecKtime, parentTgid, parentExecTgid: parentTgid })
      yield execOf(child)
      yield exitOf(child)
    }
  }
}

const data = new ArrayBuffer(SIZE * 2)
const bytes = new Uint8Array(data)
const words = new DataView(data)
let end = 0
let count = 0
const kinds = new Map<number, number>()
for (const one of mix()) {
  if (count === WANTED || end + one.length + 8 > SIZE) break
  words.setUint32(end, one.length, true)
  bytes.set(one, end + 8)
  end += (one.length + 8 + 7) & ~7
  count++
  const type = one.readUInt16LE(0)
  kinds.set(type, (kinds.get(type) ?? 0) + 1)
}

function ring(): Ring {
  const producer = new BigInt64Array(1)
  producer[0] = BigInt(end)
  return new Ring({ consumer: new BigInt64Array(1), producer, data, offset: 0, size: SIZE })
}

function walk(): number {
  const source = ring()
  let seen = 0
  for (let more = 1; more > 0; ) {
    more = source.drain(() => {
      seen++
    }, BATCH)
  }
  return seen
}

function decode(onBatch: (records: LogRecord[]) => void): number {
  const source = ring()
  const model = createModel({
    node: 'node-1',
    bootId: '0b5c9c4e-1111-2222-3333-444455556666',
    suppress: new Set(['process.fork']),
    roots: { proc: '/nowhere' },
  })
  model.setClock(1_700_000_000_000_000_000n)
  let made = 0
  for (let more = 1; more > 0; ) {
    const out: LogRecord[] = []
    more = source.drain((memory, at, size) => model.take(memory, at, size, out), BATCH)
    made += out.length
    onBatch(out)
  }
  model.tick(Number(ktime), [])
  return made
}

const variants: Readonly<Record<string, () => number>> = {
  walk,
  'walk + decode': () => decode(() => {}),
  'walk + decode + OTLP attributes read': () =>
    decode((records) => {
      for (const { attributes } of records)
        for (const name in attributes) if (attributes[name] === undefined) throw new Error(name)
    }),
}
const times = new Map(Object.keys(variants).map((name) => [name, [] as number[]]))
let made = 0
for (let round = 0; round < Number(values.rounds) + 2; round++) {
  for (const [name, run] of Object.entries(variants)) {
    const before = process.cpuUsage()
    made = run()
    const { user, system } = process.cpuUsage(before)
    if (round >= 2) times.get(name)?.push(((user + system) * 1000) / count)
  }
}
console.log(
  `${count} kernel records (${(end / count).toFixed(0)} bytes each) made ${made} log records; CPU time of all threads`,
)
console.log('ns a record'.padEnd(40), 'median', '  best', ' worst')
for (const [name, list] of times) {
  const sorted = list.toSorted((one, other) => one - other)
  const cells = [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)]
  console.log(name.padEnd(40), ...cells.map((cell) => (cell ?? 0).toFixed(0).padStart(6)))
}
