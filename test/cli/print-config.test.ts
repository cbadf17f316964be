import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { printConfig } from '../../src/cli/print-config.ts'
import { validate } from '../../src/cli/validate.ts'
import { run } from './kit.ts'

const TEXT = `receivers:
  filelog:
    include: [/a/*.log]
    poll_interval: 1000ms
exporters:
  otlphttp:
    endpoint: https://me:swordfish@example.com/?api_key=swordfish
    headers: {authorization: "Bearer \${env:TOKEN}", x-number: "\${env:NUMBER}"}
    auth: {user: me, password: "\${env:TOKEN}"}
service:
  pipelines:
    logs: {receivers: [file_log], exporters: [otlp_http]}
`
const FILES = { 'a.yaml': TEXT }
const ENV = { TOKEN: 'swordfish', NUMBER: '0123' }

test('the resolved configuration is printed as YAML with defaults, without secrets', async () => {
  const { code, stdout } = await run(printConfig, ['--config', 'a.yaml'], FILES, ENV)
  assert.equal(code, 0)
  assert.equal(
    stdout,
    `receivers:
  file_log:
    include:
      - /a/*.log
    start_at: end
    poll_interval: 1000ms
    max_log_size: 1MiB
    resource: {}
exporters:
  otlp_http:
    endpoint: https://[REDACTED]@example.com/?api_key=[REDACTED]
    headers:
      authorization: "[REDACTED]"
      x-number: "[REDACTED]"
    compression: gzip
    timeout: 10s
    auth:
      user: me
      password: "[REDACTED]"
    tls:
      insecure: false
    sending_queue:
      enabled: true
      queue_size: 64MiB
service:
  extensions: []
  pipelines:
    logs:
      receivers:
        - file_log
      processors: []
      exporters:
        - otlp_http
  shutdown_timeout: 30s
  telemetry:
    logs:
      level: info
      encoding: console
      processors: []
    metrics:
      level: normal
      readers:
        - pull:
            exporter:
              prometheus:
                host: localhost
                port: 8888
    resource: {}
  memory: {}
`,
  )
})

test('--mode unredacted prints the values, and the result is a configuration again', async () => {
  const { stdout } = await run(printConfig, ['--config', 'a.yaml', '--mode', 'unredacted'], FILES, ENV)
  const { headers, endpoint } = parse(stdout).exporters.otlp_http
  assert.deepEqual(headers, { authorization: 'Bearer swordfish', 'x-number': '0123' })
  assert.equal(endpoint, 'https://me:swordfish@example.com/?api_key=swordfish')
  const again = await run(validate, ['--config', 'b.yaml'], { 'b.yaml': stdout })
  assert.deepEqual(again, { code: 0, stdout: 'b.yaml is valid: 1 pipeline, 2 components\n', stderr: '' })
})

test('--format json prints the same as JSON', async () => {
  const yaml = await run(printConfig, ['--config', 'a.yaml'], FILES, ENV)
  const json = await run(printConfig, ['--config', 'a.yaml', '--format=json'], FILES, ENV)
  assert.deepEqual(JSON.parse(json.stdout), parse(yaml.stdout))
})

test('an invalid configuration prints nothing but its errors, and no secret', async () => {
  const bad = { 'a.yaml': TEXT.replace('user: me', 'usr: me').replace('1000ms', '5') }
  const { code, stdout, stderr } = await run(printConfig, ['--config', 'a.yaml'], bad, ENV)
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^a\.yaml:4:20: .*$/m)
  assert.doesNotMatch(stderr, /swordfish/)
})

test('unknown modes and formats are refused', async () => {
  const { code, stderr } = await run(printConfig, ['--config', 'a.yaml', '--mode', 'naked'], FILES, ENV)
  assert.deepEqual([code, stderr], [1, 'weir print-config: --mode is redacted or unredacted, not "naked"\n'])
  const format = await run(printConfig, ['--config', 'a.yaml', '--format', 'toml'], FILES, ENV)
  assert.equal(format.stderr, 'weir print-config: --format is yaml or json, not "toml"\n')
})
