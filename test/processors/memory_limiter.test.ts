import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryLimiter } from '../../processors/memory_limiter/index.ts'
import { MemoryWatch, PROCESS } from '../../processors/memory_limiter/watch.ts'
import { testContext } from '../kit/context.ts'
import { processorContract } from '../kit/processor-contract.ts'
import { until } from '../kit/weir.ts'

processorContract(memoryLimiter)

const MIB = 2 ** 20
const limits = { softBytes: 80, hardBytes: 100, softGcMs: 1000, hardGcMs: 0, maxGcMs: 30_000 }

/** Memory that does what the test says: `kept` is resident and not in use. */
function probe(freed: number) {
  const state = { used: 0, kept: 0, now: 0, collections: 0 }
  return {
    state,
    resident: () => state.used + state.kept,
    accounted: () => state.used,
    now: () => state.now,
    collect: () => {
      state.collections += 1
      state.used -= freed
    },
  }
}

test('memory is short above the soft limit, and no longer a little below it', () => {
  const memory = probe(0)
  const watch = new MemoryWatch(limits, memory)
  const at = (used: number): boolean => {
    memory.state.used = used
    return watch.check()
  }
  assert.deepEqual([at(79), at(81), at(79), at(77), at(75), at(79)], [false, true, true, true, false, false])
})

test('what the allocator keeps counts against the hard limit alone, and not for ever', () => {
  const memory = probe(0)
  const watch = new MemoryWatch(limits, memory)
  memory.state.used = 50
  memory.state.kept = 45
  assert.equal(watch.check(), false)
  memory.state.kept = 60
  assert.equal(watch.check(), true)
  memory.state.now = 9_000
  assert.equal(watch.check(), true)
  memory.state.now = 11_000
  assert.equal(watch.check(), false, 'it stays, and is used again')
})

test('garbage is collected before the door is shut: memory that comes back so was not short', () => {
  const memory = probe(50)
  const watch = new MemoryWatch(limits, memory)
  memory.state.used = 90
  assert.equal(watch.check(), false)
  assert.equal(memory.state.collections, 1)
})

test('collections are not repeated at once, and less and less while they free nothing', () => {
  const memory = probe(0)
  const watch = new MemoryWatch(limits, memory)
  memory.state.used = 110
  const collectionsWithin = (ms: number): number => {
    const before = memory.state.collections
    for (const end = memory.state.now + ms; memory.state.now < end; memory.state.now += 100) watch.check()
    return memory.state.collections - before
  }
  const first = collectionsWithin(10_000)
  assert(first >= 2 && first <= 6, String(first))
  collectionsWithin(60_000)
  assert(collectionsWithin(60_000) <= 3)
})

test('what is measured is resident memory: buffers outside of the heap count, the pages of files do not', () => {
  const before = { resident: PROCESS.resident(), accounted: PROCESS.accounted() }
  const buffer = Buffer.alloc(64 * MIB, 1)
  assert(PROCESS.resident() - before.resident > 48 * MIB)
  assert(PROCESS.accounted() - before.accounted > 48 * MIB)
  assert(process.memoryUsage.rss() - PROCESS.resident() > 10 * MIB)
  assert.equal(buffer[5], 1)
})

test('the door is shut while the process holds too much, health says so, and opens when it is gone', async () => {
  PROCESS.collect()
  const context = testContext()
  const limit = Math.ceil(PROCESS.resident() / MIB) + 96
  const config = memoryLimiter.config.parse({
    check_interval: '10ms',
    limit_mib: limit,
    spike_limit_mib: 32,
    min_gc_interval_when_soft_limited: '50ms',
  })
  const limiter = memoryLimiter.create(config, context)
  await limiter.start?.(new AbortController().signal)
  assert.equal(limiter.gate?.isOpen, true)
  let held: Buffer[] = Array.from({ length: 10 }, () => Buffer.alloc(16 * MIB, 1))
  await until(() => limiter.gate?.isOpen === false, 'the door to be shut')
  assert.match(context.healthLog.at(-1)?.reason ?? '', /memory is short \(\d+ of \d+ MiB\)/)
  const opened = limiter.gate?.whenOpen(new AbortController().signal)
  assert.equal(held.length, 10)
  held = []
  await opened
  await sleep(30)
  assert.equal(context.healthLog.at(-1)?.status, 'ok')
  await limiter.stop?.(new AbortController().signal)
})

test('stopping opens the door: nobody else would', async () => {
  const config = memoryLimiter.config.parse({ check_interval: '10ms', limit_mib: 10 })
  const limiter = memoryLimiter.create(config, testContext())
  await limiter.start?.(new AbortController().signal)
  await until(() => limiter.gate?.isOpen === false, 'the door to be shut')
  await limiter.stop?.(new AbortController().signal)
  assert.equal(limiter.gate?.isOpen, true)
})

test('limits that make no sense are refused', () => {
  for (const wrong of [
    {},
    { limit_mib: 0 },
    { limit_mib: 100, spike_limit_mib: 100 },
    { limit_mib: 1, check_interval: '0' },
  ]) {
    assert(!memoryLimiter.config.safeParse(wrong).success, JSON.stringify(wrong))
  }
})
