import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, VALID } from './kit.ts'

const parsed = (loaded: ReturnType<typeof load>, id = 'file_log'): Record<string, unknown> => {
  assert.deepEqual(loaded.said, [])
  return loaded.config?.receivers.get(id)?.config as Record<string, unknown>
}

test('maps of several files are joined, lists are replaced, the later file wins', () => {
  const loaded = load({
    files: { 'a.yaml': VALID, 'b.yaml': 'receivers: {file_log: {include: [b], start_at: beginning}}\n' },
  })
  const { include, start_at, poll_interval } = parsed(loaded)
  assert.deepEqual([include, start_at, poll_interval], [['b'], 'beginning', 200])
})

test('files that use different names of one type are about the same component', () => {
  const loaded = load({ files: { 'a.yaml': VALID, 'b.yaml': 'receivers: {filelog: {start_at: beginning}}\n' } })
  const { include, start_at } = parsed(loaded)
  assert.deepEqual([include, start_at], [['/var/log/*.log'], 'beginning'])
  assert.equal(loaded.warned.length, 1)
})

test('mistakes name the file that each value came from', () => {
  const { said } = load({
    files: {
      'a.yaml': VALID.replace('include', 'inclde'),
      'b.yaml': 'receivers:\n  file_log:\n    start_at: middle\n',
    },
  })
  assert.deepEqual(said, [
    'a.yaml:3:5: receivers::file_log::inclde: unknown key "inclde"; did you mean "include"?',
    'b.yaml:3:15: receivers::file_log::start_at: expected beginning or end, found "middle"',
  ])
})

test('errors come in the order in which the files were given', () => {
  const files = { 'z.yaml': 'zz: 1\n', 'a.yaml': 'aa: 1\n' }
  const places = load({ files, configs: ['z.yaml', 'a.yaml'] }).errors.map(({ position }) => position.source)
  assert.deepEqual([...new Set(places)], ['z.yaml', 'a.yaml'])
})

test('a section without a value removes what an earlier file configures, with a warning', () => {
  const { config, warned } = load({
    files: { 'a.yaml': `${VALID}processors: {filter: {}}\n`, 'b.yaml': 'processors:\n' },
  })
  assert.equal(config?.processors.size, 0)
  assert.deepEqual(warned, [
    'b.yaml:1:12: processors: is given without a value and so removes what a.yaml:11 configures; write {} to keep it',
  ])
})

test('an empty map removes nothing', () => {
  const loaded = load({ files: { 'a.yaml': VALID, 'b.yaml': 'receivers: {}\nprocessors: {}\n# only a comment\n' } })
  assert.equal(loaded.config?.receivers.size, 1)
  assert.deepEqual(loaded.warned, [])
})

test('--set wins over every file, takes YAML, and may write its path with dots or colons', () => {
  const files = { 'a.yaml': VALID }
  const sets = [
    'receivers.file_log.include=[x, y]',
    'receivers::file_log::resource::a.b=c',
    'service.telemetry.logs.level=debug',
  ]
  const loaded = load({ files, sets })
  const { include, resource } = parsed(loaded)
  assert.deepEqual(include, ['x', 'y'])
  assert.deepEqual({ ...(resource as object) }, { 'a.b': 'c' })
  assert.equal(loaded.config?.service.logs.level, 'debug')
})

test('--set makes components that no file has, and accepts old names', () => {
  const loaded = load({
    files: { 'a.yaml': VALID },
    sets: ['receivers.filelog/x.include=[q]', 'service.pipelines.logs.receivers=[filelog/x]'],
  })
  assert.deepEqual(
    loaded.config?.pipelines.get('logs')?.receivers.map(({ id }) => id),
    ['file_log/x'],
  )
  assert.deepEqual(loaded.config?.receivers.get('file_log/x')?.position, {
    source: '--set receivers.filelog/x.include',
    line: 0,
    column: 0,
  })
})

test('mistakes in --set name the flag', () => {
  const sets = [
    'receivers.file_log.include=x',
    'receivers.file_log.nope=1',
    'exporters.stdout.format=[',
    'novalue',
    'a..b=1',
    '=5',
  ]
  assert.deepEqual(load({ files: { 'a.yaml': VALID }, sets }).said, [
    '--set receivers.file_log.include: receivers::file_log::include: expected a list of globs, found "x"; write it as a list: [value]',
    '--set receivers.file_log.nope: receivers::file_log::nope: unknown key "nope"; valid are include, start_at, poll_interval, max_log_size, multiline, storage, resource',
    '--set exporters.stdout.format: exporters::stdout::format: YAML syntax: Flow sequence must end with a ]',
    '--set novalue: missing equal sign: write --set path.to.key=value',
    '--set a..b: a part of the key is empty: write --set path.to.key=value',
    '--set : a part of the key is empty: write --set path.to.key=value',
  ])
})

test('yaml: and env: are sources like files', () => {
  const loaded = load({
    configs: [
      'env:BASE',
      'yaml:{receivers: {file_log: {start_at: beginning}}}',
      'yaml:receivers::file_log::include: [z]',
    ],
    env: { BASE: VALID },
  })
  const { include, start_at } = parsed(loaded)
  assert.deepEqual([include, start_at], [['z'], 'beginning'])
  assert.equal(loaded.config?.receivers.get('file_log')?.position.source, 'env:BASE')
  assert.deepEqual(load({ configs: ['env:NONE'] }).said, [
    '--config env:NONE: the environment variable NONE is not set',
  ])
})

test('file: names a path like a path alone', () => {
  assert.deepEqual(load({ files: { 'a.yaml': VALID }, configs: ['file:a.yaml'] }).said, [])
})
