import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { TypeCounters } from '../../../src/ebpf/kernel/sensor.ts'
import { TYPE } from '../../../src/ebpf/layout/values.ts'
import { Ledger } from '../../../src/ebpf/sensing/ledger.ts'

interface Said {
  readonly lost: Record<string, number>
  readonly counts: Record<string, number>
  readonly filtered: Record<string, number>
}

function open(): { ledger: Ledger; said: Said } {
  const said: Said = { lost: {}, counts: {}, filtered: {} }
  const add = (into: Record<string, number>, key: string, count: number): void => {
    into[key] = (into[key] ?? 0) + count
  }
  const ledger = new Ledger(
    {
      lost: (count, reason) => add(said.lost, reason, count),
      filtered: (count, reason) => add(said.filtered, reason, count),
      count: (metric, value, labels) => add(said.counts, `${metric} ${Object.values(labels ?? {}).join(' ')}`, value),
      gauge() {},
      health() {},
    },
    1000,
  )
  return { ledger, said }
}

const NONE: TypeCounters = {
  attempted: 0,
  emitted: 0,
  dropRing: 0,
  dropScratch: 0,
  dropToobig: 0,
  dropPressure: 0,
  dropSimulated: 0,
  dropUnread: 0,
  filtered: 0,
  deduped: 0,
  throttled: 0,
  readFault: 0,
  truncated: 0,
  noState: 0,
}
const counted = (by: Record<number, Partial<TypeCounters>>) => ({
  counters: () => new Map(Object.entries(by).map(([type, some]) => [Number(type), { ...NONE, ...some }])),
})

suite('the books of a session', () => {
  test('count what the kernel lost since the last look, by type and reason', () => {
    const { ledger, said } = open()
    ledger.post(counted({ [TYPE.open]: { attempted: 100, emitted: 90, dropRing: 7, dropPressure: 3 } }))
    ledger.post(counted({ [TYPE.open]: { attempted: 120, emitted: 105, dropRing: 12, dropPressure: 3 } }))
    assert.equal(said.counts['weir_ebpf_lost open ring_full kernel'], 12)
    assert.equal(said.counts['weir_ebpf_lost open pressure kernel'], 3)
    assert.equal(ledger.attempted, 120)
    assert.equal(ledger.lostInKernel, 15)
  })

  test('tell the host of each loss once, and the stream of each window', () => {
    const { ledger, said } = open()
    ledger.post(counted({ [TYPE.exec]: { attempted: 2, dropRing: 2 } }))
    ledger.lose('file.open', 'no_room', 'intake', 5)
    const window = ledger.close(6000)
    assert.deepEqual(window, {
      from: 1000,
      to: 6000,
      losses: [
        { type: 'file.open', reason: 'no_room', stage: 'intake', count: 5 },
        { type: 'exec', reason: 'ring_full', stage: 'kernel', count: 2 },
      ],
      culprits: [],
    })
    assert.deepEqual(said.lost, { ring_full: 2, no_room: 5 })
    assert.equal(ledger.close(11_000), undefined)
    ledger.lose('file.open', 'no_room', 'intake', 1)
    assert.equal(ledger.close(16_000)?.from, 11_000)
    assert.deepEqual(said.lost, { ring_full: 2, no_room: 6 })
  })

  test('name those whose records were shed most', () => {
    const { ledger } = open()
    ledger.lose('file.open', 'no_room', 'intake', 40)
    for (let i = 1; i < 9; i++) ledger.blame(`container-${i}`, i)
    ledger.blame('container-1', 10)
    assert.deepEqual(ledger.close(6000)?.culprits, [
      ['container-1', 11],
      ['container-8', 8],
      ['container-7', 7],
      ['container-6', 6],
      ['container-5', 5],
    ])
    ledger.lose('file.open', 'no_room', 'intake', 1)
    assert.deepEqual(ledger.close(11_000)?.culprits, [])
  })

  test('do not take for a loss what was filtered or folded on purpose', () => {
    const { ledger, said } = open()
    ledger.post(counted({ [TYPE.open]: { attempted: 10, emitted: 10, filtered: 3, deduped: 40, throttled: 6 } }))
    assert.equal(ledger.close(6000), undefined)
    assert.deepEqual(said.lost, {})
    assert.deepEqual(said.filtered, { throttled: 6 })
    assert.equal(said.counts['weir_ebpf_filtered open folded'], 40)
    assert.equal(said.counts['weir_ebpf_filtered open filtered'], 3)
  })

  test('count what arrived by type, once', () => {
    const { ledger, said } = open()
    for (let i = 0; i < 3; i++) ledger.received(TYPE.execFailed)
    ledger.post(counted({}))
    ledger.received(TYPE.execFailed)
    ledger.post(counted({}))
    assert.equal(said.counts['weir_ebpf_events exec_failed'], 4)
    assert.equal(ledger.arrived, 4)
  })

  test('see trouble when more than a hundredth was lost for half a minute, and its end', () => {
    const { ledger } = open()
    let attempted = 0
    let dropRing = 0
    const second = (lost: number): void => {
      attempted += 100
      dropRing += lost
      ledger.post(counted({ [TYPE.open]: { attempted, emitted: attempted - dropRing, dropRing } }))
    }
    for (let i = 0; i < 29; i++) second(50)
    assert.equal(ledger.lossShare, 0, 'half a minute is not over')
    second(50)
    assert(ledger.lossShare > 0.4)
    for (let i = 0; i < 30; i++) second(0)
    assert.equal(ledger.lossShare, 0)
  })
})
