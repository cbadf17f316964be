/**
 * What the model makes of recorded bytes: real records of kernel 6.1, from most of the actions. Nothing of this needs a
 * kernel. A change of a record shows as a change of the golden file, renewed with `WEIR_TEST_RENEW=1`.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { ringMemory } from '../../src/ebpf/memory.ts'
import { createModel } from '../../src/ebpf/model.ts'
import { recordToJson } from '../../src/records/json.ts'
import type { LogRecord } from '../../src/records/record.ts'

const FIXTURE = join(import.meta.dirname, 'fixtures/actions-6.1.bin.gz')
const GOLDEN = join(import.meta.dirname, '../golden/ebpf-6.1.txt')
/** Nothing of this machine: whatever the model looks up is empty. */
const nowhere = mkdtempSync(join(tmpdir(), 'weir-golden-'))
after(() => rmSync(nowhere, { recursive: true, force: true }))

function recorded(): { memory: ReturnType<typeof ringMemory>; length: number } {
  const bytes = gunzipSync(readFileSync(FIXTURE))
  const buffer = new ArrayBuffer(bytes.length)
  new Uint8Array(buffer).set(bytes)
  return { memory: ringMemory(buffer), length: bytes.length }
}

function decoded(losses: string[]): LogRecord[] {
  const model = createModel({
    node: 'node-1',
    bootId: '11111111-2222-3333-4444-555555555555',
    roots: { proc: nowhere, cgroup: nowhere, podLogs: nowhere, etc: nowhere },
    lost: (what, count) => losses.push(`${what} ${count}`),
  })
  model.setClock(1_700_000_000_000_000_000n)
  const { memory, length } = recorded()
  const out: LogRecord[] = []
  for (let at = 0; at < length; ) {
    const size = memory.u32[(at + 4) >> 2] as number
    model.take(memory, at, size, out)
    at += size
  }
  model.tick(1e15, out)
  return out
}

/** Every record in a line, and the first of each kind in full. */
function rendered(records: readonly LogRecord[]): string {
  const kinds = new Set<string>()
  const lines = records.map((record) => {
    const { eventName = '' } = record
    const line = `${record.severityText} ${eventName} ${String(record.body)}`
    if (kinds.has(eventName)) return line
    kinds.add(eventName)
    const full = JSON.parse(recordToJson(record).replaceAll(nowhere, '/nowhere'))
    return `${line}\n${JSON.stringify({ ...full, observedTime: undefined, scope: undefined }, null, 2)}`
  })
  return `${lines.join('\n')}\n`
}

test('recorded bytes of the kernel become the same records as ever', () => {
  const losses: string[] = []
  const text = rendered(decoded(losses))
  if (process.env['WEIR_TEST_RENEW'] !== undefined) writeFileSync(GOLDEN, text)
  assert.deepEqual(losses, [], 'every record was understood')
  assert.equal(text, readFileSync(GOLDEN, 'utf8'))
})

test('every record of the recorded bytes has an id of its own', () => {
  const records = decoded([])
  assert(records.length > 300, `only ${records.length} records`)
  const ids = new Set(records.map(({ attributes }) => attributes['log.record.uid']))
  assert.equal(ids.size, records.length, 'every record has an id of its own')
})
