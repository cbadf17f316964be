/** Every configuration in configs/ validates, and runs on real input. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { registry } from '../src/components.ts'
import { loadConfig } from '../src/config/load.ts'
import { noSensor } from './ebpf/kit/sensor.ts'
import { preparedServer } from './exporters/elasticsearch/kit.ts'
import type { BulkServer } from './kit/bulk-server.ts'
import { type OtlpSink, otlpSink } from './kit/otlp-sink.ts'

const root = join(import.meta.dirname, '..')
const configs = globSync('configs/*.yaml', { cwd: root })

/** How many records must arrive at the OTLP endpoint, or at Elasticsearch, at least. */
const atLeast: Record<string, number> = {
  'configs/quickstart.yaml': 50,
  'configs/audit-to-siem.yaml': 50,
  'configs/container-logs.yaml': 2,
  // The sample is too old for Loki and goes to a file: test/exporters/otlp_http/loki-config.test.ts has newer ones.
  'configs/loki.yaml': 0,
  'configs/agent.yaml': 50,
  // Has no source that ends: test/integration/agent-gateway.test.ts sends through it.
  'configs/gateway.yaml': 0,
  'configs/elasticsearch.yaml': 50,
  // Goes to standard output, and ends before much happens: test/receivers/ebpf.test.ts has events.
  'configs/node.yaml': 0,
}

/** Why a configuration cannot run on every machine. */
const skips: Record<string, string | false> = { 'configs/node.yaml': noSensor() }

interface Result {
  readonly code: number | null
  readonly output: string
}

function weir(args: readonly string[], env: Record<string, string>): Promise<Result> {
  const child = spawn(join(root, 'bin/weir'), args, { cwd: root, env: { ...process.env, ...env } })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

function prepare(directory: string, sink: OtlpSink, search: BulkServer): Record<string, string> {
  const pod = join(directory, 'pods/shop_web-7d9f_0b6c1f6e-5b1e-4c7e-9f0a-3f1d2c4b5a69/nginx')
  mkdirSync(pod, { recursive: true })
  writeFileSync(
    join(pod, '0.log'),
    '2026-01-02T03:04:05.000000006Z stdout F GET / 200\n2026-01-02T03:04:06.000000006Z stderr P half a \n2026-01-02T03:04:06.000000007Z stderr F line\n',
  )
  copyFileSync(join(root, 'configs/sample/audit.log'), join(directory, 'audit.log'))
  return {
    OTLP_ENDPOINT: sink.url,
    ELASTICSEARCH_URL: search.url,
    WEIR_GATEWAY: sink.url,
    WEIR_OTLP_GRPC: '127.0.0.1:0',
    WEIR_OTLP_HTTP: '127.0.0.1:0',
    LOKI_ENDPOINT: `${sink.url}/otlp/v1/logs`,
    WEIR_AUDIT_LOG: join(directory, 'audit.log'),
    WEIR_POD_LOGS: join(directory, 'pods'),
    WEIR_FILE: join(directory, 'siem.jsonl'),
    WEIR_HEALTH: '127.0.0.1:0',
    WEIR_STATE_DIR: join(directory, 'state'),
  }
}

test('there are configurations, and each says what it must deliver', () => {
  assert(configs.length >= 3)
  assert.deepEqual(configs.toSorted(), Object.keys(atLeast).toSorted())
})

for (const config of configs) {
  test(`${config} validates without a warning`, () => {
    const { errors, warnings } = loadConfig({ configs: [config], cwd: root }, registry, {})
    assert.deepEqual([...errors, ...warnings], [])
  })

  test(`${config} runs, delivers and loses nothing`, { timeout: 60_000, skip: skips[config] ?? false }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-config-'))
    const sink = await otlpSink()
    const search = await preparedServer()
    try {
      const metrics =
        'service::telemetry::metrics::readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]'
      const { code, output } = await weir(
        ['run', '--drain', '--config', config, '--set', metrics],
        prepare(directory, sink, search),
      )
      assert.equal(code, 0, output)
      assert.match(output, /nothing rejected, nothing lost/)
      const arrived = sink.accepted.length + search.documents.length
      assert(arrived >= (atLeast[config] ?? 1), `${arrived} records arrived\n${output}`)
    } finally {
      await sink.close()
      await search.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
}
