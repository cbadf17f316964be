/** A minute of load: nothing is lost, and memory stays where it was. Ten minutes with `WEIR_TEST_SOAK_SECONDS=600`. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Said } from './actions/types.ts'
import { programs } from './kit/programs.ts'
import { noSensor, startSensor } from './kit/sensor.ts'

const SECONDS = Number(process.env['WEIR_TEST_SOAK_SECONDS'] ?? 60)
const EXECS = 500
const OPENS = 2000
/**
 * What may be added to the resident memory from the first third of the time to the last. In the first minutes the heap
 * still grows towards what it needs under this load; half a KiB that each record left would show all the same.
 */
const SLACK_MIB = SECONDS < 180 ? 48 : 12

/** Without the rings: they are memory of the kernel that is only mapped. */
function ownMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
  return (kib('RssAnon') + kib('RssFile')) / 1024
}

test(`${EXECS} programs and ${OPENS} files a second for ${SECONDS} s: no loss, and no growth`, {
  skip: noSensor(),
  timeout: (SECONDS + 120) * 1000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-load-'))
  let total = 0
  // Budgets by container would hold it back, as they should; this is about what the sensor can take.
  const sensor = await startSensor({
    receiver: '{rate_limits: {enabled: false}}',
    keep: ({ eventName }) => {
      total += 1
      return eventName === 'process.exec' || eventName.startsWith('sensor.')
    },
  })
  try {
    const pid = sensor.child.pid as number
    const child = spawn(programs().deed, ['load', String(EXECS), String(OPENS), String(SECONDS)], {
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    const ended = new Promise((resolve) => child.on('close', resolve))
    const samples: number[] = []
    const sampler = setInterval(() => samples.push(ownMemory(pid)), 1000)
    await ended
    clearInterval(sampler)
    await sleep(3000)
    const said = output
      .split('\n')
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text) as Said)
    const done = said.find(({ role }) => role === 'done')
    const records = sensor.records()
    const isOfLoad = (parent: unknown): boolean => parent === child.pid
    const execs = records.filter(
      ({ eventName, attributes }) => eventName === 'process.exec' && isOfLoad(attributes['process.parent_pid']),
    ).length
    assert.equal(execs, done?.['execs'], 'every start of a program was recorded')
    assert.deepEqual(
      records.filter(({ eventName }) => eventName === 'sensor.loss').map(({ body }) => body),
      [],
    )
    const third = Math.floor(samples.length / 3)
    // The first samples hold what start-up and the optimising compiler take.
    const early = median(samples.slice(Math.floor(third / 2), third))
    const late = median(samples.slice(-third))
    console.log(
      `Of ${execs} programs and ${done?.['opens']} files: ${total} records; memory ${Math.round(early)} MiB, later ${Math.round(late)} MiB.`,
    )
    assert(late - early < SLACK_MIB, `memory grew from ${early} to ${late} MiB: ${samples.map(Math.round).join(' ')}`)
  } finally {
    await sensor.remove()
    rmSync(dir, { recursive: true, force: true })
  }
})

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
}
