import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, loadExporter, loadText, VALID } from './kit.ts'

test('a valid configuration becomes typed components, pipelines and a service with defaults', () => {
  const { config, errors, warnings } = loadText(VALID)
  assert.deepEqual([errors, warnings], [[], []])
  assert.ok(config)
  const receiver = config.receivers.get('file_log')
  assert.ok(receiver)
  assert.equal(receiver.kind, 'receiver')
  assert.equal(receiver.type, 'file_log')
  assert.equal(receiver.name, undefined)
  assert.deepEqual(receiver.position, { source: 'a.yaml', line: 2, column: 3 })
  assert.deepEqual(JSON.parse(JSON.stringify(receiver.raw)), { include: ['/var/log/*.log'] })
  assert.deepEqual(receiver.config, {
    include: ['/var/log/*.log'],
    start_at: 'end',
    poll_interval: 200,
    max_log_size: 1048576,
    resource: {},
  })
  assert.deepEqual(config.exporters.get('stdout')?.config, { format: 'pretty' })
  const pipeline = config.pipelines.get('logs')
  assert.deepEqual(pipeline?.receivers, [
    { kind: 'receiver', id: 'file_log', position: { source: 'a.yaml', line: 9, column: 19 } },
  ])
  assert.deepEqual(pipeline?.processors, [])
  const { shutdownTimeoutMs, logs, metrics, memoryBudget, resource } = config.service
  assert.equal(shutdownTimeoutMs, 30_000)
  assert.deepEqual(logs, { level: 'info', encoding: 'console', destinations: [] })
  assert.deepEqual(metrics, { level: 'normal', readers: [{ host: 'localhost', port: 8888 }] })
  assert.equal(memoryBudget, undefined)
  assert.deepEqual(resource, {})
})

test('five different mistakes in one file are five errors, in the order of the file', () => {
  const { said, config } = loadText(`receivers:
  file_log:
    inclde: [/var/log/*.log]
  k8s_adit:
exporters:
  otlp_http:
    endpoint: https://example.com
    timeout: 5
processors:
  filter:
    mode: keeep
service:
  pipelines:
    logs:
      receivers: [file_log]
      processors: [filtre]
      exporters: [otlp_http]
`)
  assert.equal(config, undefined)
  assert.deepEqual(said, [
    'a.yaml:3:5: receivers::file_log::inclde: unknown key "inclde"; did you mean "include"?',
    'a.yaml:4:3: receivers::k8s_adit: unknown type: "k8s_adit" for id: "k8s_adit" (valid values: [file_log, push])',
    'a.yaml:8:14: exporters::otlp_http::timeout: expected a duration such as 500ms, 5s or 1m30s, found 5',
    'a.yaml:11:11: processors::filter::mode: expected keep or drop, found "keeep"; did you mean "keep"?',
    'a.yaml:16:20: service::pipelines::logs: references processor "filtre" which is not configured; did you mean "filter"?',
  ])
})

const mistakes: readonly { name: string; exporter: string; said: readonly string[] }[] = [
  {
    name: 'a number where text is wanted',
    exporter: 'endpoint: https://x.example\ntls: {ca_file: 5}',
    said: ['a.yaml:4:20: exporters::otlp_http::tls::ca_file: expected a string, found 5; put it in quotes'],
  },
  {
    name: 'text where a boolean is wanted',
    exporter: 'endpoint: https://x.example\ntls: {insecure: "true"}',
    said: [
      'a.yaml:4:21: exporters::otlp_http::tls::insecure: expected true or false, found "true"; write it without quotes',
    ],
  },
  {
    name: 'a list where a map is wanted',
    exporter: 'endpoint: https://x.example\ntls: [a]',
    said: ['a.yaml:4:10: exporters::otlp_http::tls: expected a map, found a list'],
  },
  {
    name: 'text that is no URL',
    exporter: 'endpoint: example',
    said: ['a.yaml:3:15: exporters::otlp_http::endpoint: expected a URL, found "example"'],
  },
  {
    name: 'a rule of the whole component',
    exporter: 'compression: none',
    said: ['a.yaml:2:3: exporters::otlp_http: one of endpoint and logs_endpoint is required'],
  },
  {
    name: 'a union of which no branch fits',
    exporter: 'endpoint: https://x.example\nauth: basic',
    said: ['a.yaml:4:11: exporters::otlp_http::auth: expected a map, found "basic"'],
  },
  {
    name: 'a union of which one branch nearly fits',
    exporter: 'endpoint: https://x.example\nauth: {user: me}',
    said: ['a.yaml:4:5: exporters::otlp_http::auth::password: is required: expected a string'],
  },
  {
    name: 'a size that is none',
    exporter: 'endpoint: https://x.example\nsending_queue: {queue_size: many}',
    said: [
      'a.yaml:4:33: exporters::otlp_http::sending_queue::queue_size: expected a size in bytes, such as 65536, 64KiB or 1MB, found "many"',
    ],
  },
  {
    name: 'a key that is nothing like any other',
    exporter: 'endpoint: https://x.example\ntls: {zebra: 1}',
    said: ['a.yaml:4:11: exporters::otlp_http::tls::zebra: unknown key "zebra"; valid are insecure, ca_file'],
  },
]
for (const { name, exporter, said } of mistakes) {
  test(`${name} is told with its place, what was expected and what was found`, () => {
    assert.deepEqual(loadExporter(exporter).said, said)
  })
}

test('a component that is no map is refused as a whole', () => {
  assert.deepEqual(loadText(VALID.replace('stdout:\n', 'stdout: 5\n')).said, [
    'a.yaml:5:3: exporters::stdout: expected a map, found 5',
  ])
})

test('keys of the Collector that cannot be honoured say what to do instead, however deep', () => {
  const { said } = loadText(
    VALID.replace(
      'exporters:\n  stdout',
      '    operators: [{type: json_parser}]\n    retry_on_failure: {max_elapsed_time: 1s}\nexporters:\n  stdout',
    ),
  )
  assert.deepEqual(said, [
    'a.yaml:4:5: receivers::file_log::operators: operators are not run here; use the processors instead',
    'a.yaml:5:24: receivers::file_log::retry_on_failure::max_elapsed_time: reading is repeated for ever; remove this',
  ])
})

test('YAML syntax errors of all files are reported together with the mistakes that can be believed', () => {
  const { said } = load({
    files: {
      'a.yaml': 'receivers:\n  file_log: {inclde: [x]}\n\tbad: 1\n',
      'b.yaml': 'exporters: {stdout: {format: [}\n',
      'c.yaml': 'exporters:\n  stdout: {format: prety}\n',
    },
  })
  assert.deepEqual(said, [
    'a.yaml:2:14: receivers::file_log::inclde: unknown key "inclde"; did you mean "include"?',
    'a.yaml:3:1: YAML syntax: a tab is used for indentation; YAML allows spaces only',
    'b.yaml:1:31: YAML syntax: Flow sequence in block collection must be sufficiently indented and end with a ]',
    'c.yaml:2:20: exporters::stdout::format: expected pretty or json, found "prety"; did you mean "pretty"?',
  ])
})

test('an unknown section names the one that was meant', () => {
  assert.deepEqual(loadText(`${VALID}exporter: {}\n`).said, [
    'a.yaml:11:1: exporter: unknown key "exporter"; did you mean "exporters"?',
  ])
})

test('a file that is no map, an empty file and a missing file are errors of one line', () => {
  assert.deepEqual(loadText('- a\n').said, [
    'a.yaml:1:1: expected a map with receivers, exporters and service, found a list',
  ])
  assert.deepEqual(loadText('# nothing\n').said, [
    'a.yaml:1:1: service::pipelines: service must have at least one pipeline',
  ])
  assert.deepEqual(load({ configs: ['none.yaml'] }).said, [
    '--config none.yaml: cannot read none.yaml: there is no such file',
  ])
  assert.deepEqual(load({}).said, ['weir: at least one config flag must be provided: --config FILE'])
})

test('configuration over http and unknown schemes are refused with a sentence', () => {
  const { said } = load({ configs: ['https://example.com/a.yaml', 'ftp:x'] })
  assert.match(
    said[0] as string,
    /^--config https:\/\/example.com\/a.yaml: configuration over http is refused, .* give its path$/,
  )
  assert.equal(said[1], '--config ftp:x: scheme "ftp" is not supported for uri "ftp:x"; use env:, file: or yaml:')
})

test('a component without a value has its defaults, and so has a section inside one', () => {
  const { config } = loadText(`receivers:
  push:
    protocols:
      grpc:
      http: {port: }
exporters: {stdout: }
service: {pipelines: {logs: {receivers: [push], exporters: [stdout]}}}
`)
  assert.deepEqual(config?.receivers.get('push')?.config, {
    protocols: { grpc: { endpoint: 'localhost:4317' }, http: { endpoint: 'localhost:4318' } },
  })
})

test('the same files make the same result, and a fingerprint follows the value only', () => {
  const first = loadText(VALID)
  const again = loadText(VALID)
  assert.deepEqual({ ...again, files: [] }, { ...first, files: [] })
  const spaced = loadText(`# a comment\n${VALID}`)
  const print = (loaded: typeof first): (string | undefined)[] => [
    loaded.config?.receivers.get('file_log')?.fingerprint,
    loaded.config?.pipelines.get('logs')?.fingerprint,
    loaded.config?.service.fingerprint,
  ]
  assert.deepEqual(print(spaced), print(first))
  const changed = loadText(VALID.replace('*.log', '*.txt'))
  assert.notEqual(print(changed)[0], print(first)[0])
  assert.deepEqual(print(changed).slice(1), print(first).slice(1))
  const more = loadText(VALID.replace('[stdout]', '[stdout]\n    logs/b: {receivers: [file_log], exporters: [stdout]}'))
  assert.deepEqual(print(more), print(first))
})

test('the result cannot be changed', () => {
  const { config } = loadText(VALID)
  const parsed = config?.receivers.get('file_log')?.config as { include: string[] }
  assert.throws(() => parsed.include.push('x'), TypeError)
  assert.throws(() => Object.assign(config?.service as object, { shutdownTimeoutMs: 1 }), TypeError)
})

test('every file that was asked for is listed, so that it can be watched', () => {
  const { files } = load({
    files: { 'a.yaml': VALID.replace('[/var/log/*.log]', '${file:inc.yaml}'), 'inc.yaml': '[x.log]' },
    configs: ['a.yaml', 'gone.yaml'],
  })
  assert.deepEqual(
    files.map((file) => file.split('/').at(-1)),
    ['a.yaml', 'gone.yaml', 'inc.yaml'],
  )
  assert.ok(files.every((file) => file.startsWith('/')))
})

test('control characters in keys and values do not reach the terminal', () => {
  const { said } = loadText('"a\\e[31m\\nb": 1\n')
  assert.equal(said.length, 2)
  for (const line of said) assert.doesNotMatch(line, /\p{Cc}/u)
})
