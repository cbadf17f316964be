import assert from 'node:assert/strict'
import { test } from 'node:test'
import { components } from '../../src/cli/components.ts'
import { run } from './kit.ts'

test('the table has a line for each component, by kind and name', async () => {
  const { code, stdout, stderr } = await run(components, [])
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual(stdout.split('\n'), [
    'NAME          KIND       ALIASES      STABILITY  DELIVERY  SUMMARY',
    'file_log      receiver   filelog      alpha      replay    Follows files.',
    'push          receiver                alpha      respond   Takes what it is sent.',
    'filter        processor               alpha                Drops records.',
    'otlp_http     exporter   otlphttp     alpha                Sends records.',
    'stdout        exporter                alpha                Prints records.',
    'forward       connector               alpha                Joins pipelines.',
    'split         connector               alpha                Chooses pipelines.',
    'health_check  extension  healthcheck  alpha                Says whether all is well.',
    '',
  ])
})

test('--json says the same to programs', async () => {
  const { code, stdout } = await run(components, ['--json'])
  assert.equal(code, 0)
  const rows = JSON.parse(stdout)
  assert.deepEqual(rows[0], {
    name: 'file_log',
    kind: 'receiver',
    aliases: ['filelog'],
    stability: 'alpha',
    delivery: 'replay',
    summary: 'Follows files.',
  })
  assert.equal(rows.length, 8)
})

test('a value for --json and a surplus argument are refused', async () => {
  assert.equal((await run(components, ['--json=yes'])).stderr, 'weir components: --json takes no value\n')
  assert.deepEqual(await run(components, ['receivers']), {
    code: 1,
    stdout: '',
    stderr: 'weir components: unexpected argument "receivers"\n',
  })
})
