import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCutWarnings } from '../../src/files/cut-warnings.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { testContext } from '../kit/context.ts'

test('cut lines are warned of once for each file and minute, with all that was cut, and always counted', () => {
  const said: { msg: string }[] = []
  const log = createLogger({
    level: 'warn',
    encoding: 'json',
    repeatMs: 0,
    write: (line) => said.push(JSON.parse(line)),
  })
  const context = testContext({ log })
  let now = 0
  const cut = createCutWarnings(context, () => now)
  for (let i = 0; i < 100; i++) cut('/a.log', 10)
  cut('/b.log', 7)
  now = 59_999
  cut('/a.log', 10)
  now = 60_000
  cut('/a.log', 10)
  const told = said.map(({ msg }) => /^Lines of (\S+) are .*; (\d+) bytes/.exec(msg)?.slice(1).join(' '))
  assert.deepEqual(told, ['/a.log 10', '/b.log 7', '/a.log 1020'])
  assert.equal(context.counts['weir_file_truncated_bytes'], 1027)
})
