/** Action 30: what happens to the sensor itself. It is killed under load, started again, and its hooks are taken away. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Seen } from './actions/types.ts'
import { programs } from './kit/programs.ts'
import { noSensor, startSensor } from './kit/sensor.ts'

const skip = noSensor()
const BPFTOOL = ['/usr/sbin/bpftool', '/usr/local/sbin/bpftool'].find((path) => existsSync(path))
const dir = mkdtempSync(join(tmpdir(), 'weir-restart-'))
const started: ChildProcess[] = []
after(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function does(...args: string[]): ChildProcess {
  const child = spawn(programs().deed, args, { cwd: dir, stdio: 'ignore' })
  started.push(child)
  return child
}

/** Of a descriptor, which may be closed by now. */
function infoOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const isExecOf =
  (name: string) =>
  ({ eventName, attributes }: Seen) =>
    eventName === 'process.exec' && String(attributes['process.command_line']).includes(name)
const statuses = (records: readonly Seen[]) => records.filter(({ eventName }) => eventName === 'sensor.status').length

test('killed under load it starts again, and knows the processes that were there', { skip }, async () => {
  const sensor = await startSensor()
  try {
    // It lives through all of it: known by its start first, by the scan later.
    const witness = does('load', '20', '100', '60')
    const before = await sensor.until(
      (one) => isExecOf('deed load')(one) && one.attributes['process.pid'] === witness.pid,
      'the start of the load',
    )
    await sensor.restart('SIGKILL')
    await sensor.until(
      (one) => statuses([one]) > 0 && statuses(sensor.records()) >= 2,
      'the second sensor.status',
      40_000,
    )
    const known = sensor.records().length
    const later = await sensor.until(
      (one) =>
        sensor.records().indexOf(one) >= known &&
        one.eventName === 'process.exec' &&
        one.attributes['process.parent_pid'] === witness.pid,
      'a program of the load after the restart',
    )
    assert.equal(later.attributes['process.parent.entity_id'], before.attributes['process.entity_id'])
    // When a process of before loaded its image nobody knows any more: its exec id is that of its start.
    const [, , pid] = Buffer.from(String(later.attributes['process.parent.exec_id']), 'base64').toString().split(':')
    assert.equal(Number(pid), witness.pid)
    assert.match(String(later.attributes['weir.process.lineage']), /deed/)
  } finally {
    await sensor.remove()
  }
})

test('a hook that somebody takes away is reported', {
  skip: skip || (BPFTOOL === undefined && 'bpftool is missing'),
}, async () => {
  const sensor = await startSensor()
  try {
    const pid = sensor.child.pid as number
    // Only links of cgroups can be detached from outside. What a descriptor is, procfs says.
    const infos = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => infoOf(`/proc/${pid}/fdinfo/${fd}`))
    const own = infos.find((info) => /^link_type:\s+cgroup$/m.test(info))
    const id = /^link_id:\s+(\d+)$/m.exec(own ?? '')?.[1]
    assert(id !== undefined, 'no link of a cgroup is of the sensor')
    const detached = spawnSync(BPFTOOL as string, ['link', 'detach', 'id', id], { encoding: 'utf8' })
    assert.equal(detached.status, 0, detached.stderr)
    const tamper = await sensor.until(({ eventName }) => eventName === 'sensor.tamper', 'sensor.tamper', 60_000)
    assert(tamper.severityNumber >= 17, `severity ${tamper.severity}`)
  } finally {
    await sensor.remove()
  }
})

test('stopped with SIGTERM it ends in good time, and everything that it saw is written', { skip }, async () => {
  const sensor = await startSensor()
  try {
    const child = does('storm', '0', '50', '0')
    await new Promise((resolve) => child.on('close', resolve))
    const began = performance.now()
    assert.equal(await sensor.end('SIGTERM'), 0, sensor.said)
    const took = performance.now() - began
    assert(took < 15_000, `it took ${Math.round(took)} ms`)
    await sleep(50)
    assert.equal(sensor.records().filter(isExecOf('stormed silent')).length, 50)
  } finally {
    await sensor.remove()
  }
})
