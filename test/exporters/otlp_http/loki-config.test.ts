/** configs/loki.yaml with the real program, against an endpoint that refuses what Loki refuses. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { type LokiLine, loki } from '../../kit/loki.ts'

const root = join(import.meta.dirname, '../../..')
const HOUR = 3_600_000

/** The labels that the comment at the end of the configuration recommends. */
function recommendedLabels(): string[] {
  const text = readFileSync(join(root, 'configs/loki.yaml'), 'utf8')
  const yaml = text.slice(text.indexOf('#   limits_config:')).replaceAll(/^# {3}/gm, '')
  return parse(yaml).limits_config.otlp_config.resource_attributes.attributes_config[0].attributes
}

const time = (agoMs: number): string => new Date(Date.now() - agoMs).toISOString()

function auditLine(id: number, agoMs: number): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: `id-${id}`,
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/shop/secrets/db',
    verb: 'delete',
    user: { username: 'alice' },
    sourceIPs: ['192.0.2.1'],
    objectRef: { resource: 'secrets', namespace: 'shop', name: 'db', apiVersion: 'v1' },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: time(agoMs),
    stageTimestamp: time(agoMs),
  })
}

/** Two pods of one namespace: one log ends five hours ago, the other begins ten hours ago and is live. */
function writeLogs(directory: string): void {
  const pods = { 'shop_web-1_uid-1': [8, 7, 6, 5], 'shop_web-2_uid-2': [10, 9, 4, 2, 0.01, 0] }
  for (const [pod, hours] of Object.entries(pods)) {
    mkdirSync(join(directory, 'pods', pod, 'nginx'), { recursive: true })
    const lines = hours.map((ago) => `${time(ago * HOUR)} stdout F ${pod} ${ago}\n`)
    writeFileSync(join(directory, 'pods', pod, 'nginx/0.log'), lines.join(''))
  }
  const audit = [20 * 24, 12, 3, 0.02, 0].map((ago, id) => `${auditLine(id, ago * HOUR)}\n`)
  writeFileSync(join(directory, 'audit.log'), audit.join(''))
}

test('Loki takes live and late records alike, what is older than a week is in a file', {
  timeout: 60_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-loki-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const to = await loki({ tenant: 'security', indexLabels: recommendedLabels() })
  t.after(() => to.close())
  writeLogs(directory)
  const env = {
    ...process.env,
    LOKI_ENDPOINT: `${to.url}/otlp/v1/logs`,
    WEIR_AUDIT_LOG: join(directory, 'audit.log'),
    WEIR_POD_LOGS: join(directory, 'pods'),
    WEIR_FILE: join(directory, 'archive.jsonl'),
    WEIR_STATE_DIR: join(directory, 'state'),
  }
  const child = spawn(join(root, 'bin/weir'), ['run', '--drain', '--config', 'configs/loki.yaml'], { cwd: root, env })
  let output = ''
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  child.stdout.resume()
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, output)
  assert.deepEqual([...new Set(to.statuses)], [204], output)
  assert.equal(to.lines.length, 14)
  assert(
    to.lines.every(({ metadata }) => Number(metadata['severity_number']) > 0),
    'severity is always set',
  )

  const names = (line: LokiLine): string =>
    Object.entries(line.labels)
      .sort()
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')
  const streams = Object.groupBy(to.lines, names)
  const host = to.lines.find(({ labels }) => labels['service_name'] === 'k8s-audit-late')?.labels['service_instance_id']
  const cluster = 'k8s_cluster_name=production'
  assert.deepEqual(
    Object.entries(streams)
      .map(([name, lines]) => `${lines?.length} ${name}`)
      .sort(),
    [
      `2 ${cluster} k8s_namespace_name=shop service_name=k8s-containers`,
      `2 ${cluster} service_instance_id=${host} service_name=k8s-audit-late`,
      `2 ${cluster} service_name=k8s-audit`,
      `4 k8s_cluster_name=production k8s_container_name=nginx k8s_namespace_name=shop k8s_pod_name=web-1 service_instance_id=uid-1 service_name=k8s-containers-late`,
      `4 k8s_cluster_name=production k8s_container_name=nginx k8s_namespace_name=shop k8s_pod_name=web-2 service_instance_id=uid-2 service_name=k8s-containers-late`,
    ].sort(),
  )
  const live = to.lines.find(({ labels }) => labels['service_name'] === 'k8s-containers')
  assert.deepEqual([live?.metadata['k8s_pod_name'], live?.metadata['k8s_container_name']], ['web-2', 'nginx'])
  const archived = readFileSync(join(directory, 'archive.jsonl'), 'utf8').trim().split('\n')
  assert.deepEqual(
    archived.map((line) => JSON.parse(line).attributes['k8s.audit.id']),
    ['id-0'],
  )
})
