/** The walk over a ring, on memory that looks like one: busy, discarded and wrapping records. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Ring } from '../../../src/ebpf/kernel/ring.ts'
import { HEADER } from '../../../src/ebpf/layout/offsets.ts'
import type { RingMemory } from '../../../src/ebpf/memory.ts'

const SIZE = 4096
const BUSY = 0x80000000
const DISCARDED = 0x40000000

/** A ring whose two mappings of the data are kept alike by hand. */
function make() {
  const data = new ArrayBuffer(2 * SIZE)
  const bytes = new Uint8Array(data)
  const consumer = new BigInt64Array(1)
  const producer = new BigInt64Array(1)
  const view = new DataView(data)
  let position = 0
  const put32 = (at: number, value: number): void => {
    view.setUint32(at % SIZE, value >>> 0, true)
    view.setUint32((at % SIZE) + SIZE, value >>> 0, true)
  }
  const put = (length: number, { flags = 0, cpu = 0, seq = 0, mark = 0 } = {}): number => {
    const begin = position
    put32(position, (length | flags) >>> 0)
    for (let i = 0; i < length; i += 4) put32(position + 8 + i, mark)
    put32(position + 8 + HEADER.cpu, cpu)
    put32(position + 8 + HEADER.seq, seq)
    put32(position + 8 + HEADER.seq + 4, 0)
    position += (length + 8 + 7) & ~7
    producer[0] = BigInt(position)
    return begin
  }
  const ring = new Ring({ consumer, producer, data, offset: 0, size: SIZE })
  const drain = (most = 1000): number[] => {
    const marks: number[] = []
    ring.drain((memory: RingMemory, at, size) => {
      assert.equal(at % 8, 0)
      assert(at + size <= 2 * SIZE)
      marks.push(memory.u32[(at + size - 4) >> 2] as number)
    }, most)
    return marks
  }
  return { ring, put, put32, drain, consumer, bytes }
}

describe('a ring', () => {
  test('hands out what was written, once, and gives the room back', () => {
    const { ring, put, drain, consumer } = make()
    put(144, { mark: 1 })
    put(152, { mark: 2 })
    assert.deepEqual(drain(), [1, 2])
    assert.deepEqual(drain(), [])
    assert.equal(Number(consumer[0]), 144 + 8 + 152 + 8)
    assert.equal(ring.waiting, 0)
  })

  test('stops at a record that is still being written, and goes on when it is finished', () => {
    const { put, put32, drain, ring } = make()
    put(144, { mark: 1 })
    const busy = put(144, { mark: 2, flags: BUSY })
    put(144, { mark: 3 })
    assert.deepEqual(drain(), [1])
    assert.deepEqual(drain(), [], 'what comes later waits with it')
    assert(ring.waiting > 0)
    put32(busy, 144)
    assert.deepEqual(drain(), [2, 3])
  })

  test('passes over records that were given up, and counts them', () => {
    const { put, drain, ring } = make()
    put(144, { mark: 1, flags: DISCARDED })
    put(144, { mark: 2 })
    assert.deepEqual(drain(), [2])
    assert.equal(ring.discarded, 1)
  })

  test('counts records that are too short to be one', () => {
    const { put, drain, ring } = make()
    put(8)
    put(144, { mark: 2 })
    assert.deepEqual(drain(), [2])
    assert.equal(ring.malformed, 1)
  })

  test('reads across the end, a thousand times around', () => {
    const { put, drain } = make()
    for (let i = 1; i < 10_000; i++) {
      put(136 + (i % 5) * 8, { mark: i })
      assert.deepEqual(drain(), [i])
    }
  })

  test('hands out no more than asked for', () => {
    const { put, drain } = make()
    for (let i = 0; i < 10; i++) put(144, { mark: i })
    assert.deepEqual(drain(4), [0, 1, 2, 3])
    assert.deepEqual(drain(), [4, 5, 6, 7, 8, 9])
  })

  test('knows by sequence numbers what never came, also when two records changed places', () => {
    const { put, drain, ring } = make()
    put(144, { seq: 1 })
    put(144, { seq: 3 })
    put(144, { seq: 2 })
    put(144, { seq: 7, cpu: 0 })
    put(144, { seq: 2, cpu: 5 })
    drain()
    assert.equal(ring.missing, 3 + 1)
  })
})
