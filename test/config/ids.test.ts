import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Registry } from '../../src/component.ts'
import { formatProblem } from '../../src/config/config.ts'
import { formatId, parseId } from '../../src/config/ids.ts'
import { loadConfig } from '../../src/config/load.ts'
import { loadText } from './kit.ts'
import { registry } from './registry.ts'

const good: readonly (readonly [text: string, canonical: string])[] = [
  ['file_log', 'file_log'],
  ['file_log/a', 'file_log/a'],
  ['a/b/c', 'a/b/c'],
  [' file_log / a ', 'file_log/a'],
  ['x/größe-1.2', 'x/größe-1.2'],
  [`${'a'.repeat(63)}/${'b'.repeat(1024)}`, `${'a'.repeat(63)}/${'b'.repeat(1024)}`],
]
for (const [text, canonical] of good) {
  test(`${JSON.stringify(text.slice(0, 30))} is an id`, () => {
    const id = parseId(text)
    assert.ok(typeof id !== 'string', String(id))
    assert.equal(formatId(id), canonical)
  })
}

const bad: readonly (readonly [text: string, said: RegExp])[] = [
  ['', /^id must not be empty$/],
  ['  ', /^id must not be empty$/],
  ['/a', /^in "\/a" id: the part before \/ should not be empty$/],
  ['a/', /^in "a\/" id: the part after \/ should not be empty$/],
  ['1a', /^invalid character\(s\) in type "1a"/],
  ['file-log', /^invalid character\(s\) in type "file-log"/],
  ['a'.repeat(64), /^invalid character\(s\) in type/],
  ['a/b c', /^invalid character\(s\) in name "b c"/],
  ['a/$x', /^invalid character\(s\) in name "\$x"/],
  [`a/${'b'.repeat(1025)}`, /^invalid character\(s\) in name/],
]
for (const [text, said] of bad) {
  test(`${JSON.stringify(text.slice(0, 30))} is no id`, () => assert.match(String(parseId(text)), said))
}

test('a bad id is an error at its key', () => {
  const { said } = loadText('receivers:\n  file-log: {}\n')
  assert.match(said[1] as string, /^a\.yaml:2:3: receivers::file-log: invalid character\(s\) in type "file-log"/)
})

test('old names work everywhere an id is used, mixed at will, and each is warned about once', () => {
  const { config, said, warned } = loadText(`receivers:
  filelog: {include: [a], storage: healthcheck/x}
  filelog/b: {include: [b]}
  file_log/c: {include: [c]}
exporters:
  otlphttp: {endpoint: https://x.example}
extensions:
  health_check/x:
service:
  extensions: [healthcheck/x]
  pipelines:
    logs: {receivers: [file_log, filelog/b], exporters: [otlp_http]}
    logs/b: {receivers: [filelog/c], exporters: [otlphttp]}
`)
  assert.deepEqual(said, [])
  assert.deepEqual([...(config?.receivers.keys() ?? [])], ['file_log', 'file_log/b', 'file_log/c'])
  assert.deepEqual(
    config?.pipelines.get('logs/b')?.receivers.map(({ id }) => id),
    ['file_log/c'],
  )
  assert.deepEqual(
    config?.service.extensions.map(({ id }) => id),
    ['health_check/x'],
  )
  assert.equal(
    (config?.receivers.get('file_log')?.config as { storage: string } | undefined)?.storage,
    'health_check/x',
  )
  assert.deepEqual(warned, [
    'a.yaml:2:3: receivers::filelog: "filelog" is a deprecated name of the receiver "file_log"; write "file_log"',
    'a.yaml:2:36: receivers::file_log::storage: "healthcheck" is a deprecated name of the extension "health_check"; write "health_check"',
    'a.yaml:6:3: exporters::otlphttp: "otlphttp" is a deprecated name of the exporter "otlp_http"; write "otlp_http"',
  ])
})

test('one component under both names in one file is configured twice', () => {
  const { said } = loadText('receivers:\n  file_log: {include: [a]}\n  filelog: {include: [b]}\n')
  assert.equal(
    said.find((line) => line.includes('same')),
    'a.yaml:3:3: receivers::filelog: "filelog" and "file_log" are the same receiver, which is already configured on line 2',
  )
})

test('an id that is a connector and an exporter at once is ambiguous', () => {
  const [connector] = registry.connectors
  assert.ok(connector)
  const both: Registry = { ...registry, connectors: [{ ...connector, type: 'stdout' }] }
  const text =
    'yaml:{receivers: {push: {protocols: {grpc: }}}, exporters: {stdout: }, connectors: {stdout: }, service: {pipelines: {logs: {receivers: [push], exporters: [stdout]}}}}'
  const { errors } = loadConfig({ configs: [text] }, both, {})
  assert.deepEqual(errors.map(formatProblem), [
    `--config yaml:1:80: connectors::stdout: ambiguous ID: Found both "stdout" exporter and "stdout" connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename "stdout" connector to "stdout/connector")`,
  ])
})

test('ids inside components must exist', () => {
  const text = (storage: string, extensions: string) =>
    `receivers: {file_log: {include: [a], storage: ${storage}}}\nexporters: {stdout: }\nextensions: {health_check: }\nservice: {extensions: ${extensions}, pipelines: {logs: {receivers: [file_log], exporters: [stdout]}}}\n`
  assert.deepEqual(loadText(text('health_check', '[health_check]')).said, [])
  assert.deepEqual(loadText(text('nope', '[health_check]')).said, [
    'a.yaml:1:47: receivers::file_log::storage: references extension "nope" which is not configured',
  ])
  assert.deepEqual(loadText(text('health_check', '[]')).said, [
    'a.yaml:1:47: receivers::file_log::storage: references extension "health_check" which is not listed in service::extensions',
  ])
})

test('pipelines that a connector names must exist and listen to it', () => {
  const { said } = loadText(`receivers: {push: {protocols: {grpc: }}}
exporters: {stdout: }
connectors:
  split:
    to: [logs/a, logs/b, logs/nope]
    rest: logs/none
service:
  pipelines:
    logs: {receivers: [push], exporters: [split]}
    logs/a: {receivers: [split], exporters: [stdout]}
    logs/b: {receivers: [push], exporters: [stdout]}
`)
  assert.deepEqual(said, [
    'a.yaml:5:18: connectors::split::to::1: references pipeline "logs/b" which does not list "split" among its receivers',
    'a.yaml:5:26: connectors::split::to::2: references pipeline "logs/nope" which is not configured',
    'a.yaml:6:11: connectors::split::rest: references pipeline "logs/none" which is not configured',
  ])
})
