import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createModel } from '../../../src/ebpf/model.ts'
import { EBPF_GROUPS } from '../../../src/ebpf/records/attribute-table.ts'
import { EVENT_NAMES } from '../../../src/records/event-names.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { split, together } from '../kit/build.ts'

const nowhere = mkdtempSync(join(tmpdir(), 'weir-attributes-'))
after(() => rmSync(nowhere, { recursive: true, force: true }))

const table = new Map(EBPF_GROUPS.flatMap(({ attributes }) => Object.entries(attributes)))

function specOf(name: string) {
  const known = table.get(name)
  if (known !== undefined) return known
  for (let at = name.lastIndexOf('.'); at > 0; at = name.lastIndexOf('.', at - 1)) {
    const wild = table.get(`${name.slice(0, at)}.*`)
    if (wild !== undefined) return wild
  }
  return undefined
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'string[]'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'double'
  return typeof value
}

function recorded(): LogRecord[] {
  const model = createModel({
    node: 'node-1',
    bootId: 'boot',
    environment: new Set(['PATH']),
    roots: { proc: nowhere, cgroup: nowhere, podLogs: nowhere, etc: nowhere },
  })
  model.setClock(1_700_000_000_000_000_000n)
  const out: LogRecord[] = []
  const { memory, places } = together(
    split(gunzipSync(readFileSync(join(import.meta.dirname, '../fixtures/actions-6.1.bin.gz')))),
  )
  for (const { at, size } of places) model.take(memory, at, size, out)
  model.tick(2 ** 52, out)
  return out
}

test('every attribute of recorded events is in the table, with its type', () => {
  const emitted = new Set<string>()
  for (const { eventName, attributes, resource } of recorded()) {
    for (const [name, value] of Object.entries({ ...resource.attributes, ...attributes })) {
      emitted.add(name)
      const spec = specOf(name)
      assert(spec !== undefined, `${eventName}: ${name} is not in the table`)
      assert.equal(typeOf(value), spec.type, `${eventName}: ${name} is ${JSON.stringify(value)}`)
    }
  }
  const seen = [...table.keys()].filter((name) => !name.includes('*')).filter((name) => emitted.has(name))
  assert(seen.length > 110, `only ${seen.length} of the ${table.size} attributes are seen in what was recorded`)
})

test('every attribute that the sources write is in the table, and the other way round', async () => {
  const { globSync } = await import('node:fs')
  const root = join(import.meta.dirname, '../../..')
  const sources = globSync(
    ['src/ebpf/records/!(attribute-*).ts', 'src/ebpf/process/actor.ts', 'src/ebpf/container/containers.ts'],
    { cwd: root },
  )
    .filter((file) => !file.includes('attribute-'))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  const written = new Set(
    [...sources.matchAll(/'((?:[a-z][a-z0-9_]*\.)+[a-z0-9_.]+)'(?=\s*[\]:])/g)].map(([, name]) => name as string),
  )
  const events: ReadonlySet<string> = new Set(EVENT_NAMES)
  assert.deepEqual(
    [...written].filter((name) => specOf(name) === undefined && !events.has(name)),
    [],
  )
  const elsewhere = new Set(['host.id'])
  assert.deepEqual(
    [...table.keys()].filter((name) => !name.includes('*') && !written.has(name) && !elsewhere.has(name)),
    [],
  )
})

test('every attribute says in a sentence what it means', () => {
  for (const [name, { meaning }] of table) assert.match(meaning, /[.…]$/, name)
})
