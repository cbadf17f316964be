import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText, VALID } from './kit.ts'

const withService = (text: string) => loadText(`${VALID}${text.replaceAll(/^/gm, '  ')}\n`)

test('everything in the service section is read', () => {
  const { config, said } = withService(`shutdown_timeout: 1m30s
memory: {budget: 64MiB}
telemetry:
  logs:
    level: debug
    encoding: json
    processors:
      - batch: {exporter: {otlp: {endpoint: 'http://localhost:4318/v1/logs', headers: {Authorization: key}}}}
  metrics:
    level: detailed
    readers:
      - pull: {exporter: {prometheus: {host: 0.0.0.0, port: 9999, without_units: true}}}
      - pull: {exporter: {prometheus: }}
  resource: {service.name: weir, service.instance.id: null, n: 1}`)
  assert.deepEqual(said, [])
  const { raw: _, fingerprint: __, resource, ...service } = config?.service ?? ({} as never)
  assert.deepEqual(service, {
    extensions: [],
    shutdownTimeoutMs: 90_000,
    logs: {
      level: 'debug',
      encoding: 'json',
      destinations: [
        { protocol: 'http/json', endpoint: 'http://localhost:4318/v1/logs', headers: { Authorization: 'key' } },
      ],
    },
    metrics: {
      level: 'detailed',
      readers: [
        { host: '0.0.0.0', port: 9999 },
        { host: 'localhost', port: 8888 },
      ],
    },
    memoryBudget: 67108864,
  })
  assert.deepEqual({ ...resource }, { 'service.name': 'weir', 'service.instance.id': null, n: 1 })
})

test('without metrics nothing listens', () => {
  assert.deepEqual(withService('telemetry: {metrics: {level: none}}').config?.service.metrics, {
    level: 'none',
    readers: [],
  })
})

const refused: readonly (readonly [text: string, said: string])[] = [
  [
    'telemetry: {metrics: {address: "localhost:8888"}}',
    'a.yaml:11:25: service::telemetry::metrics::address: the Collector ignores this since v0.123; write readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]',
  ],
  [
    'telemetry: {traces: {level: none}}',
    'a.yaml:11:15: service::telemetry::traces: Weir traces nothing about itself; remove this',
  ],
  [
    'telemetry: {metrics: {readers: []}}',
    'a.yaml:11:34: service::telemetry::metrics::readers: expected at least one reader; write level: none to have no metrics',
  ],
  [
    'telemetry: {metrics: {readers: [{periodic: {interval: 5}}]}}',
    'a.yaml:11:36: service::telemetry::metrics::readers::0::periodic: metrics are not pushed; let a scraper pull them: pull: {exporter: {prometheus: {host, port}}}',
  ],
  [
    'telemetry: {logs: {level: loud}}',
    'a.yaml:11:29: service::telemetry::logs::level: expected debug, info, warn or error, found "loud"',
  ],
  [
    'shutdown_timeout: 30',
    'a.yaml:11:21: service::shutdown_timeout: expected a duration such as 500ms, 5s or 1m30s, found 30',
  ],
  ['memory: {budget: -1}', 'a.yaml:11:20: service::memory::budget: expected a number of at least 0, found -1'],
  ['extension: []', 'a.yaml:11:3: service::extension: unknown key "extension"; did you mean "extensions"?'],
  ['extensions: [nope]', 'a.yaml:11:16: service::extensions: references extension "nope" which is not configured'],
]
for (const [text, said] of refused) {
  test(`${text} is refused with its place`, () =>
    assert.ok(withService(text).said.includes(said), withService(text).said.join('\n')))
}
