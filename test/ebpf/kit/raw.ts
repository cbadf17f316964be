/**
 * Does actions with the bare sensor, and shows the records of the kernel before anybody made sense of them: to tell a
 * fault of the kernel side from one of the model.
 *
 *   node test/ebpf/kit/raw.ts [--save FILE] 7 12a
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Sensor } from '../../../src/ebpf/kernel/sensor.ts'
import * as layout from '../../../src/ebpf/layout/offsets.ts'
import { TYPE } from '../../../src/ebpf/layout/values.ts'
import type { TakeRecord } from '../../../src/ebpf/memory.ts'
import { ACTIONS } from '../actions/table.ts'
import { type Container, startContainer } from './container.ts'
import { programs } from './programs.ts'

const { HEADER } = layout
type Fields = Readonly<Record<string, number>>

const NAMES = new Map(Object.entries(TYPE).map(([name, type]) => [type as number, name]))

function layoutOf(name: string): Fields | undefined {
  const upper = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
  return (layout as unknown as Record<string, Fields>)[upper]
}

/** Every field by its name: spans as text, everything else as the 32-bit number that stands there. */
function fieldsOf(memory: Parameters<TakeRecord>[0], at: number, name: string): string {
  const fields = layoutOf(name)
  if (fields === undefined) return ''
  const parts: string[] = []
  for (const [field, offset] of Object.entries(fields)) {
    if (field === 'bytes' || /Off$|Len$/.test(field)) continue
    const span = [fields[`${field}Off`], fields[`${field}Len`]] as const
    if (span[0] !== undefined && span[1] !== undefined) {
      const from = at + (memory.u16[(at + span[0]) >> 1] as number)
      const length = memory.u16[(at + span[1]) >> 1] as number
      if (length > 0)
        parts.push(`${field}=${JSON.stringify(memory.text.toString('utf8', from, from + Math.min(length, 120)))}`)
      continue
    }
    const value = offset % 4 === 0 ? memory.i32[(at + offset) >> 2] : memory.u16[(at + offset) >> 1]
    if (value !== 0) parts.push(`${field}=${value}`)
  }
  return parts.join(' ')
}

function show(memory: Parameters<TakeRecord>[0], at: number): string {
  const name = NAMES.get(memory.u16[at >> 1] as number) ?? '?'
  const u32 = (offset: number): number => memory.u32[(at + offset) >> 2] as number
  const comm = memory.text.toString('latin1', at + HEADER.comm, at + HEADER.comm + 16).replace(/\0.*/s, '')
  const flags = memory.u16[(at + HEADER.flags) >> 1] ?? 0
  return `${name.padEnd(10)} ${u32(HEADER.processTgid)} exec=${u32(HEADER.processExecTgid)} ppid=${u32(HEADER.ppid)} ns=${u32(HEADER.nsTgid)} ${comm} flags=${flags.toString(16)} p=${u32(HEADER.processFlags).toString(16)} count=${u32(HEADER.count)} | ${fieldsOf(memory, at, name)}`
}

const { values, positionals: wanted } = parseArgs({ options: { save: { type: 'string' } }, allowPositionals: true })
/** Records as they came, one after the other: their headers say how long each is. */
const saved: Buffer[] = []
const tools = programs()
const work = mkdtempSync(join(tmpdir(), 'weir-raw-'))
const sensor = Sensor.load({
  config: {},
  rings: { critical: 1 << 22, bulk: 1 << 22 },
  rawSyscalls: process.arch === 'x64',
})
let container: Container | undefined
const actions = ACTIONS.filter(({ id }) => wanted.length === 0 || wanted.includes(id))
try {
  // Before the programs are attached: its start is not of the action.
  if (actions.some(({ inContainer }) => inContainer === true)) container = startContainer(tools)
  for (const { feature, hook, reason } of sensor.attach()) console.log(`${feature}: ${hook ?? `none (${reason})`}`)
  sensor.setSelf(process.pid)
  const family = new Set([process.pid])
  const take: TakeRecord = (memory, at, size) => {
    const type = memory.u16[at >> 1]
    const tgid = memory.u32[(at + HEADER.processTgid) >> 2] as number
    if (type === TYPE.fork && family.has(memory.u32[(at + layout.FORK.parentTgid) >> 2] as number)) family.add(tgid)
    if (!family.has(tgid) || tgid === process.pid) return
    if (values.save !== undefined) saved.push(Buffer.from(memory.u8.slice(at, at + size)))
    if (type === TYPE.fork) return
    console.log(`  ${show(memory, at)}`)
  }
  const drain = (): void => {
    while (sensor.drain(take, { records: 1e6, ms: 1000 }) > 0);
  }
  for (const action of actions) {
    const dir = join(work, action.id)
    const place = { ...tools, bin: tools.dir, dir }
    mkdirSync(dir)
    const prefix = action.inContainer === true ? (container?.prefix ?? []) : []
    console.log(`\n== ${action.id} ${action.title}`)
    const [program = '', ...args] = [...prefix, ...action.run(place)]
    const child = spawn(program, args, {
      cwd: dir,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: dir },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const timer = setInterval(drain, 5)
    await once(child, 'close')
    await sleep(200)
    clearInterval(timer)
    drain()
  }
  if (values.save !== undefined) writeFileSync(values.save, gzipSync(Buffer.concat(saved), { level: 9 }))
} finally {
  container?.remove()
  sensor.close()
  rmSync(work, { recursive: true, force: true })
}
