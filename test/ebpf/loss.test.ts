/** Records can be lost where the kernel makes more than is read: every one that is, is counted, and by its kind. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Sensor } from '../../src/ebpf/kernel/sensor.ts'
import { HEADER } from '../../src/ebpf/layout/offsets.ts'
import { TYPE } from '../../src/ebpf/layout/values.ts'
import type { TakeRecord } from '../../src/ebpf/memory.ts'
import { programs } from './kit/programs.ts'
import { noSensor } from './kit/sensor.ts'

const RING = 65_536
const BULK = new Set<number>([TYPE.open, TYPE.fs, TYPE.sock, TYPE.l7, TYPE.cap, TYPE.iouring])
/** One goes through each ring, so that they count for both. */
const BOTH = TYPE.heartbeat
const skip = noSensor()

let dir = ''
let deed = ''
before(() => {
  if (skip === false) deed = programs().deed
  dir = mkdtempSync(join(tmpdir(), 'weir-loss-'))
})
after(() => rmSync(dir, { recursive: true, force: true }))

interface Tally {
  readonly take: TakeRecord
  readonly received: Map<number, number>
  /** Starts of `stormed`, by its last argument. */
  readonly execs: Set<string>
}

function tally(): Tally {
  const received = new Map<number, number>()
  const execs = new Set<string>()
  const take: TakeRecord = (memory, at, size) => {
    const type = memory.u16[at >> 1] as number
    received.set(type, (received.get(type) ?? 0) + 1)
    if (type !== TYPE.exec) return
    const number = /stormed\0silent\0(\d+)\0/.exec(memory.text.toString('latin1', at + HEADER.bytes, at + size))?.[1]
    if (number !== undefined) execs.add(number)
  }
  return { take, received, execs }
}

function open(simulateDrop = 0): Sensor {
  const sensor = Sensor.load({ config: { rate: [0, 0, 0, 0], simulateDrop }, rings: { critical: RING, bulk: RING } })
  sensor.setSelf(process.pid)
  sensor.attach()
  return sensor
}

const does = (...args: string[]): Promise<void> => runs(deed, ...args)

async function runs(command: string, ...args: string[]): Promise<void> {
  const child = spawn(command, args, { cwd: dir, stdio: 'ignore' })
  const [status] = await once(child, 'close')
  assert.equal(status, 0, `${command} ${args.join(' ')}`)
}

interface Balance {
  readonly attempted: number
  readonly emitted: number
  readonly dropped: number
  readonly byReason: Record<string, number>
}

/** Sums of the counters over types; checks each type on the way. */
function balance(sensor: Sensor, types: (type: number) => boolean): Balance {
  const byReason: Record<string, number> = {}
  let [attempted, emitted, dropped] = [0, 0, 0]
  for (const [type, counters] of sensor.counters()) {
    if (!types(type)) continue
    const drops = Object.entries(counters).filter(([name]) => name.startsWith('drop'))
    for (const [name, count] of drops) byReason[name] = (byReason[name] ?? 0) + count
    const lost = drops.reduce((sum, [, count]) => sum + count, 0)
    assert.equal(counters.attempted, counters.emitted + lost, `type ${type}: attempted = emitted + dropped`)
    attempted += counters.attempted
    emitted += counters.emitted
    dropped += lost
  }
  return { attempted, emitted, dropped, byReason }
}

/** Lets every sequence show its end, takes the programs off, as other programs of this machine never rest, and reads. */
async function settle(sensor: Sensor, { take }: Tally): Promise<void> {
  const reader = setInterval(() => sensor.drain(take), 2)
  // Sequences are by processor: a gap at the end of one shows with its next record.
  for (const cpu of cpus().keys()) await runs('taskset', '-c', String(cpu), deed, 'no_race')
  clearInterval(reader)
  await sensor.detach()
  while (sensor.drain(take, { records: 1e6, ms: 1000 }) > 0);
}

/** `unseen`: how many of the last records may be lost themselves, so that nothing came after them. */
function holdsEquation(sensor: Sensor, { received }: Tally, unseen = 0): Balance {
  for (const [type, { emitted }] of sensor.counters()) {
    assert.equal(received.get(type) ?? 0, emitted, `type ${type}: every record that was emitted arrived`)
  }
  const all = balance(sensor, () => true)
  const arrived = [...received.values()].reduce((sum, count) => sum + count, 0)
  assert.equal(all.attempted, arrived + all.dropped, 'what was emitted is what arrived and what is counted as lost')
  const bulk = balance(sensor, (type) => BULK.has(type))
  const critical = balance(sensor, (type) => !BULK.has(type) && type !== BOTH)
  const { gaps } = sensor
  const missing = gaps.bulk + gaps.critical
  assert(
    missing <= all.dropped && missing >= all.dropped - unseen,
    `the gaps in the sequence are what is counted as lost: ${missing}, ${all.dropped}`,
  )
  // Of the heartbeats none may say which ring it missed; the rings' own losses are the rest.
  const missed = balance(sensor, (type) => type === BOTH).dropped
  assert(Math.abs(gaps.bulk - bulk.dropped) <= missed + unseen, `${gaps.bulk} gaps, ${bulk.dropped} lost`)
  assert(
    Math.abs(gaps.critical - critical.dropped) <= missed + unseen,
    `${gaps.critical} gaps, ${critical.dropped} lost`,
  )
  return all
}

test('everything that overflows small rings is counted, and the sequence shows it', { skip }, async () => {
  const sensor = open()
  try {
    const one = tally()
    // Nobody reads meanwhile.
    await Promise.all([does('opens', '20000'), does('storm', '400', '400', '0')])
    await settle(sensor, one)
    const all = holdsEquation(sensor, one)
    assert((all.byReason['dropRing'] ?? 0) > 0, `a ring was full: ${JSON.stringify(all.byReason)}`)
    assert(all.dropped > 10_000, `only ${all.dropped} were lost`)
  } finally {
    sensor.close()
  }
})

test('no start of a program is lost while opened files overflow their ring', { skip }, async () => {
  const sensor = open()
  const one = tally()
  const reader = setInterval(() => sensor.drain(one.take), 5)
  try {
    await Promise.all([does('opens', '60000'), does('storm', '0', '300', '0')])
    clearInterval(reader)
    await settle(sensor, one)
    const all = holdsEquation(sensor, one)
    assert(all.dropped > 0, 'no file was lost: this was no flood')
    const execs = sensor.counters().get(TYPE.exec)
    assert.equal(execs?.attempted, execs?.emitted, 'starts of programs were lost')
    assert.equal(one.execs.size, 300)
  } finally {
    clearInterval(reader)
    sensor.close()
  }
})

test('records that are lost on purpose are counted as such', { skip }, async () => {
  const sensor = open(50)
  const one = tally()
  const reader = setInterval(() => sensor.drain(one.take), 5)
  try {
    await does('storm', '0', '50', '0')
    clearInterval(reader)
    await settle(sensor, one)
    const { byReason, attempted } = holdsEquation(sensor, one, 40)
    const simulated = byReason['dropSimulated'] ?? 0
    assert(simulated > attempted / 5 && simulated < attempted, `${simulated} of ${attempted}`)
  } finally {
    clearInterval(reader)
    sensor.close()
  }
})
