import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validate } from '../../src/cli/validate.ts'
import { VALID } from '../config/kit.ts'
import { run } from './kit.ts'

test('a valid configuration is one line on stdout and exit code 0', async () => {
  assert.deepEqual(await run(validate, ['--config', 'a.yaml'], { 'a.yaml': VALID }), {
    code: 0,
    stdout: 'a.yaml is valid: 1 pipeline, 2 components\n',
    stderr: '',
  })
})

test('several files are named together, and warnings do not make a configuration invalid', async () => {
  const files = { 'a.yaml': VALID, 'b.yaml': 'processors: {filter: }\n' }
  assert.deepEqual(
    await run(validate, ['--config=a.yaml', '-c', 'b.yaml', '--set', 'service.shutdown_timeout=1s'], files),
    {
      code: 0,
      stdout: 'a.yaml + b.yaml is valid: 1 pipeline, 3 components\n',
      stderr: 'warning: b.yaml:1:14: processors::filter: is configured but not used in any pipeline\n',
    },
  )
})

test('all errors are lines on stderr, without a stack trace, and the exit code is 1', async () => {
  const text = `receivers:
  file_log: {inclde: [a], start_at: middle}
exporters:
  stdout: {format: prety}
service:
  pipelines:
    logs: {receivers: [file_log], exporters: [stdoutt]}
    traces: {}
`
  assert.deepEqual(await run(validate, ['--config', 'a.yaml'], { 'a.yaml': text }), {
    code: 1,
    stdout: '',
    stderr: `a.yaml:2:14: receivers::file_log::inclde: unknown key "inclde"; did you mean "include"?
a.yaml:2:37: receivers::file_log::start_at: expected beginning or end, found "middle"
a.yaml:4:20: exporters::stdout::format: expected pretty or json, found "prety"; did you mean "pretty"?
a.yaml:7:47: service::pipelines::logs: references exporter "stdoutt" which is not configured; did you mean "stdout"?
a.yaml:8:5: service::pipelines::traces: pipelines of traces are not supported: pipelines here carry logs; write "logs" or "logs/name"
`,
  })
})

test('a flood of errors ends after a hundred', async () => {
  const text = VALID + Array.from({ length: 150 }, (_, index) => `k${index}: 1\n`).join('')
  const { stderr } = await run(validate, ['--config', 'a.yaml'], { 'a.yaml': text })
  const lines = stderr.trimEnd().split('\n')
  assert.equal(lines.length, 101)
  assert.equal(lines.at(-1), '… and 50 more')
})

const misuses: readonly { args: string[]; said: string }[] = [
  { args: [], said: 'weir validate: at least one config flag must be provided: --config FILE\n' },
  { args: ['--confg', 'a'], said: 'weir validate: unknown flag --confg; did you mean --config?\n' },
  { args: ['--zebra'], said: 'weir validate: unknown flag --zebra; known are --config, --set\n' },
  { args: ['a.yaml'], said: 'weir validate: unexpected argument "a.yaml"; a file is given as --config a.yaml\n' },
  { args: ['--config'], said: 'weir validate: --config needs a value\n' },
  { args: ['--config', '--set'], said: 'weir validate: --config needs a value\n' },
  { args: ['-x'], said: 'weir validate: unknown flag -x; known are --config, --set\n' },
]
for (const { args, said } of misuses) {
  test(`"weir validate ${args.join(' ')}" says what is wrong in one line`, async () => {
    assert.deepEqual(await run(validate, args), { code: 1, stdout: '', stderr: said })
  })
}
