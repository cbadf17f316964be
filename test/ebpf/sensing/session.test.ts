/** What a session does when the kernel side is in trouble, which a healthy kernel cannot be made to show. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { HEADER, HEARTBEAT, THROTTLE } from '../../../src/ebpf/layout/offsets.ts'
import { TYPE } from '../../../src/ebpf/layout/values.ts'
import { ringMemory, type TakeRecord } from '../../../src/ebpf/memory.ts'
import type { KernelSide } from '../../../src/ebpf/sensing/parts.ts'
import { Session } from '../../../src/ebpf/sensing/session.ts'
import type { WallClock } from '../../../src/ebpf/sensing/wall-clock.ts'
import { EMPTY_RESOURCE, internResource } from '../../../src/records/interning.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { SILENT } from '../../../src/telemetry/logger.ts'
import { testContext } from '../../kit/context.ts'

/** The number of this process outside of its pid namespace. */
const OUTER_PID = 4_000_000

type Bytes = (bytes: Buffer) => void

/** A record of a type, filled in by `fill`. */
function bytesOf(type: number, size: number, fill: Bytes = () => {}): Buffer {
  const bytes = Buffer.alloc(size)
  bytes.writeUInt16LE(type, HEADER.type)
  bytes.writeUInt32LE(size, HEADER.size)
  fill(bytes)
  return bytes
}

interface Trouble {
  /** Heartbeats are swallowed. */
  deaf?: boolean
  lost?: string[]
}

function kernelSide(trouble: Trouble) {
  const queue: Buffer[] = []
  const calls = { self: [] as number[], detached: 0, closed: 0 }
  const hand = (take: TakeRecord, bytes: Buffer): void => {
    const buffer = new ArrayBuffer(bytes.length)
    const memory = ringMemory(buffer)
    memory.text.set(bytes)
    take(memory, 0, bytes.length)
  }
  const sensor: KernelSide = {
    hooks: [],
    environment: { kernel: '6.9.9-test', architecture: 'x64' } as KernelSide['environment'],
    attach: () => [
      { feature: 'file.open', signal: 'file', hook: 'tracepoint/syscalls', blind: 'a thing', programs: [], config: [] },
      { feature: 'module.load', signal: 'module', hook: undefined, reason: 'no such thing', programs: [], config: [] },
    ],
    scan: () => {},
    drain(take) {
      const all = queue.splice(0)
      for (const bytes of all) hand(take, bytes)
      return all.length
    },
    waiting: () => 0,
    fill: () => ({ critical: 0, bulk: 0 }),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    counters: () => new Map(),
    gaps: { critical: 0, bulk: 0 },
    discarded: 0,
    malformed: 0,
    setSelf: (tgid) => void calls.self.push(tgid),
    beat(nonce) {
      if (trouble.deaf) return
      for (let ring = 0; ring < 2; ring++)
        queue.push(
          bytesOf(TYPE.heartbeat, HEARTBEAT.bytes, (bytes) => {
            bytes.writeBigUInt64LE(nonce, HEARTBEAT.nonce)
            bytes.writeUInt32LE(OUTER_PID, HEADER.processTgid)
          }),
        )
    },
    lostLinks: () => trouble.lost ?? [],
    async detach() {
      calls.detached += 1
    },
    close: () => void (calls.closed += 1),
  }
  return { sensor, queue, calls }
}

const CLOCK = {
  offsetNs: 0n,
  measure() {},
  bootNs: () => 0,
  hrTime: (low: number, high: number) => [low, high],
} as unknown as WallClock

function open(trouble: Trouble = {}) {
  const { sensor, queue, calls } = kernelSide(trouble)
  const context = testContext()
  const records: LogRecord[] = []
  const taken: number[] = []
  const session = new Session({
    sensor,
    model: { take: (memory, at) => void taken.push(memory.u16[at >> 1] as number), tick() {} },
    report: context,
    log: SILENT,
    resource: EMPTY_RESOURCE,
    resourceOf: (cgroup) => (cgroup === 77n ? internResource({ 'container.id': 'c77' }) : undefined),
    clock: CLOCK,
    libbpf: 'v1',
    deliver: (more) => void records.push(...more),
  })
  return { session, queue, calls, context, records, taken, trouble }
}

/** Lets the session run for so many of its seconds. */
async function runFor(session: Session, mock: { tick(ms: number): void }, seconds: number): Promise<void> {
  const stop = new AbortController()
  const running = session.run(stop.signal)
  for (let ms = 0; ms < seconds * 1000; ms += 50) {
    mock.tick(50)
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  stop.abort()
  mock.tick(200)
  await new Promise((resolve) => setImmediate(resolve))
  mock.tick(200)
  await running
}

suite('a session', () => {
  test('says at its start what it sees by which hook, and what it does not', async () => {
    const { session, records, calls, context } = open()
    await session.start()
    const [status] = records
    assert.equal(status?.eventName, 'sensor.status')
    assert.deepEqual(status?.attributes['weir.sensor.hooks'], ['file.open=tracepoint/syscalls', 'module.load=none'])
    assert.deepEqual(status?.attributes['weir.sensor.missing'], ['module.load: no such thing'])
    assert.deepEqual(status?.attributes['weir.sensor.blind'], ['file.open: a thing'])
    assert.equal(status?.attributes['weir.sensor.kernel'], '6.9.9-test')
    assert(calls.self.includes(process.pid) && calls.self.includes(OUTER_PID), 'it leaves itself out, in any namespace')
    assert.equal(context.counts['weir_ebpf_hook'], 0, 'the last one that was set')
    await session.end()
    assert.deepEqual([calls.detached, calls.closed], [1, 1])
  })

  test('hands to the model what is not about itself', async () => {
    const { session, queue, taken, records } = open()
    await session.start()
    queue.push(bytesOf(TYPE.exec, 640), bytesOf(TYPE.heartbeat, HEARTBEAT.bytes))
    queue.push(
      bytesOf(TYPE.throttle, THROTTLE.bytes, (bytes) => {
        bytes.writeBigUInt64LE(77n, HEADER.cgroupId)
        bytes.writeUInt32LE(1, THROTTLE.class)
        bytes.writeUInt32LE(1, THROTTLE.ended)
        bytes.writeBigUInt64LE(1234n, THROTTLE.suppressed)
      }),
    )
    await session.end()
    assert.deepEqual(taken, [TYPE.exec])
    const throttle = records.find(({ eventName }) => eventName === 'sensor.throttle')
    assert.equal(throttle?.resource.attributes['container.id'], 'c77')
    assert.equal(throttle?.attributes['weir.sensor.throttle.class'], 'file')
    assert.equal(throttle?.attributes['weir.sensor.throttle.suppressed'], 1234)
    assert.match(String(throttle?.body), /pass again; 1234 were held back/)
    assert.equal(session.ledger.arrived, 2 + 3, 'two heartbeats of the start, and these')
  })

  test('a record about itself that is too short is a loss like any other', async () => {
    const { session, queue, context, records } = open()
    await session.start()
    queue.push(bytesOf(TYPE.throttle, HEADER.bytes))
    await session.end()
    assert.deepEqual(context.lostBy, { malformed: 1 })
    assert.match(String(records.at(-1)?.body), /1 records were lost: throttle 1 \(malformed\)/)
  })

  test('is well while heartbeats come back, and not when three in a row did not', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const clock = mockPerformance(t)
    const { session, context, trouble } = open()
    await session.start()
    await runFor(session, clock, 12)
    assert.equal(context.healthLog.at(-1)?.status, 'ok')
    trouble.deaf = true
    await runFor(session, clock, 25)
    assert.equal(context.healthLog.at(-1)?.status, 'recoverable')
    assert.match(context.healthLog.at(-1)?.reason ?? '', /heartbeats/)
    trouble.deaf = false
    await runFor(session, clock, 17)
    assert.equal(context.healthLog.at(-1)?.status, 'ok')
  })

  test('reports programs that somebody detached, once', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const clock = mockPerformance(t)
    const { session, context, records, trouble } = open()
    await session.start()
    trouble.lost = ['connect_v4']
    await runFor(session, clock, 20)
    const tampers = records.filter(({ eventName }) => eventName === 'sensor.tamper')
    assert.equal(tampers.length, 1)
    assert.deepEqual(tampers[0]?.attributes['weir.sensor.detached'], ['connect_v4'])
    assert.match(context.healthLog.at(-1)?.reason ?? '', /detached by somebody else/)
  })
})

/** Time of the session's clock that only moves when it is told to, together with its timers. */
function mockPerformance(t: {
  mock: {
    timers: { tick(ms: number): void }
    method(object: object, name: string, replacement: () => number): unknown
  }
}): { tick(ms: number): void } {
  let now = performance.now()
  t.mock.method(performance, 'now', () => now)
  return {
    tick(ms) {
      now += ms
      t.mock.timers.tick(ms)
    },
  }
}
