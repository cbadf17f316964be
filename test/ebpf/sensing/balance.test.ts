/** With small rings and a storm, everything that the kernel tried to send arrived or is counted as lost. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSession } from '../../../src/ebpf/sensing/open.ts'
import { NO_RULES } from '../../../src/ebpf/sensing/rules.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { SILENT } from '../../../src/telemetry/logger.ts'
import { testContext } from '../../kit/context.ts'
import { programs } from '../kit/programs.ts'
import { noSensor } from '../kit/sensor.ts'

const STORMED = 300

test('the books are balanced to the last record, and no program is missing while files flood', {
  skip: noSensor(),
}, async () => {
  const { deed } = programs()
  const dir = mkdtempSync(join(tmpdir(), 'weir-balance-'))
  const context = testContext()
  const told: LogRecord[] = []
  const execs = new Set<string>()
  const session = openSession(
    {
      config: { rate: [0, 0, 0, 0], dedupSeconds: 0 },
      rings: { critical: 1 << 20, bulk: 1 << 16 },
      rules: { include: NO_RULES, exclude: NO_RULES },
      watch: [],
    },
    {
      report: context,
      log: SILENT,
      deliver(records) {
        for (const record of records) {
          if (record.eventName.startsWith('sensor.')) told.push(record)
          const number = /stormed silent (\d+)/.exec(String(record.attributes['process.command_line']))?.[1]
          if (record.eventName === 'process.exec' && number !== undefined) execs.add(number)
        }
      },
    },
  )
  await session.start()
  const stop = new AbortController()
  const running = session.run(stop.signal)
  try {
    await Promise.all([does(deed, dir, 'opens', '60000'), does(deed, dir, 'storm', '0', String(STORMED), '0')])
  } finally {
    stop.abort()
    await running
    await session.end()
    rmSync(dir, { recursive: true, force: true })
  }
  const { attempted, arrived, lostInKernel } = session.ledger
  console.log(`${attempted} were tried, ${arrived} arrived, ${lostInKernel} were lost and counted.`)
  assert(lostInKernel > 0, 'nothing was lost: this was no flood')
  assert.equal(attempted, arrived + lostInKernel)
  assert.equal(execs.size, STORMED, 'starts of programs were lost')
  const inStream = told
    .filter(({ eventName }) => eventName === 'sensor.loss')
    .reduce((sum, { attributes }) => sum + (attributes['weir.sensor.loss.count'] as number), 0)
  assert.equal(inStream, lostInKernel, 'the stream tells of every loss')
  assert.equal(
    Object.values(context.lostBy).reduce((sum, count) => sum + count, 0),
    lostInKernel,
    'and so does the host',
  )
})

async function does(command: string, cwd: string, ...args: string[]): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: 'ignore' })
  const status = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(status, 0, `${command} ${args.join(' ')}`)
}
