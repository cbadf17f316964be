/** Whatever bytes stand in a ring, the model goes on: nothing is thrown, nothing is made up, and what is lost is counted. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { HEADER } from '../../../src/ebpf/layout/offsets.ts'
import { ringMemory } from '../../../src/ebpf/memory.ts'
import { createModel } from '../../../src/ebpf/model.ts'
import { EVENT_NAMES } from '../../../src/records/event-names.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { split, together } from '../kit/build.ts'

const nowhere = mkdtempSync(join(tmpdir(), 'weir-garbled-'))
after(() => rmSync(nowhere, { recursive: true, force: true }))

const RECORDED = split(gunzipSync(readFileSync(join(import.meta.dirname, '../fixtures/actions-6.1.bin.gz'))))
const NAMES: ReadonlySet<string> = new Set(EVENT_NAMES)
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

function model(losses: Map<string, number>) {
  const made = createModel({
    node: 'node-1',
    bootId: '11111111-2222-3333-4444-555555555555',
    environment: new Set(['LD_PRELOAD']),
    watchClasses: new Map([[1, 'credentials']]),
    roots: { proc: nowhere, cgroup: nowhere, podLogs: nowhere, etc: nowhere },
    lost: (what, count) => losses.set(what, (losses.get(what) ?? 0) + count),
  })
  made.setClock(1_700_000_000_000_000_000n)
  return made
}

function decoded(records: readonly Uint8Array[], sizes?: readonly number[]): { out: LogRecord[]; lost: number } {
  const losses = new Map<string, number>()
  const made = model(losses)
  const { memory, places } = together(records)
  const out: LogRecord[] = []
  for (const [i, { at, size }] of places.entries()) made.take(memory, at, sizes?.[i] ?? size, out)
  made.tick(2 ** 52, out)
  return { out, lost: losses.get('decode') ?? 0 }
}

function isFine(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'string') return value.isWellFormed()
  if (Array.isArray(value)) return value.every(isFine)
  return typeof value === 'boolean'
}

function check(records: readonly LogRecord[]): void {
  for (const record of records) {
    assert(NAMES.has(record.eventName), record.eventName)
    assert(record.severityNumber >= 1 && record.severityNumber <= 24)
    assert(
      record.hrTime.every((part) => Number.isFinite(part) && part >= 0),
      `${record.hrTime}`,
    )
    assert(typeof record.body === 'string' && !UNPRINTABLE.test(record.body), JSON.stringify(record.body))
    for (const [name, value] of Object.entries(record.attributes)) {
      assert(isFine(value), `${record.eventName}: ${name} is ${JSON.stringify(value)}`)
    }
  }
}

test('what a kernel wrote is read without a loss', () => {
  const { out, lost } = decoded(RECORDED)
  assert.equal(lost, 0)
  assert(out.length > RECORDED.length / 2, `${out.length} of ${RECORDED.length}`)
  check(out)
  const ids = new Set(out.map(({ attributes }) => attributes['log.record.uid']))
  assert.equal(ids.size, out.length, 'every record has an id of its own')
})

test('a record that is cut anywhere is lost or read, and counted', () => {
  const seen = new Set<number>()
  for (const one of RECORDED) {
    const type = one[0] as number
    if (seen.has(type)) continue
    seen.add(type)
    for (let size = 0; size < one.length; size += 4) {
      const { out, lost } = decoded([one], [size])
      check(out)
      assert(lost === 0 || out.length === 0)
      if (size < HEADER.bytes) assert.equal(lost, 1, `${size} bytes of type ${type}`)
    }
  }
  assert(seen.size > 15, `${seen.size} types were recorded`)
})

test('a span that reaches out of its record is counted, not read', () => {
  const seen = new Map<number, number>()
  for (const one of RECORDED) {
    const type = one[0] as number
    seen.set(type, (seen.get(type) ?? 0) + 1)
    if ((seen.get(type) as number) > 6) continue
    const bytes = Buffer.from(one)
    for (let at = HEADER.bytes; at + 4 <= bytes.length; at += 4) {
      const garbled = Buffer.from(bytes)
      garbled.writeUInt32LE(0xffff_0001, at)
      check(decoded([garbled]).out)
    }
  }
})

test('garbled records neither throw nor make records that are none', () => {
  const flip = fc.tuple(fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(RECORDED.length - 1), fc.array(flip, { maxLength: 24 })), {
        minLength: 1,
        maxLength: 40,
      }),
      (chosen) => {
        const records = chosen.map(([which, flips]) => {
          const bytes = Buffer.from(RECORDED[which] as Uint8Array)
          for (const [place, value] of flips) bytes[place % bytes.length] = value
          return bytes
        })
        check(decoded(records).out)
      },
    ),
    { numRuns: 400 },
  )
})

test('random bytes of every type neither throw nor make records that are none', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ minLength: 0, maxLength: 900 }), (type, random) => {
      const bytes = Buffer.from(random)
      if (bytes.length > 1) bytes.writeUInt16LE(type, 0)
      check(decoded([bytes]).out)
    }),
    { numRuns: 1500 },
  )
})

test('the model keeps nothing of the memory that it was lent', () => {
  const losses = new Map<string, number>()
  const made = model(losses)
  const longest = Math.max(...RECORDED.map(({ length }) => length))
  const memory = ringMemory(new ArrayBuffer((longest + 7) & ~7))
  const out: LogRecord[] = []
  for (const one of RECORDED) {
    memory.u8.fill(0xaa)
    memory.u8.set(one)
    made.take(memory, 0, one.length, out)
    memory.u8.fill(0xaa)
  }
  made.tick(2 ** 52, out)
  const { out: other } = decoded(RECORDED)
  assert.deepEqual(
    out.map(({ eventName, body, attributes }) => ({ eventName, body, attributes })),
    other.map(({ eventName, body, attributes }) => ({ eventName, body, attributes })),
  )
})
