/** `weir elasticsearch setup` against the strict server: each product with what it knows, and nothing twice. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { elasticsearch as command } from '../../../src/cli/elasticsearch.ts'
import { registry } from '../../../src/components.ts'
import { everyRecord } from '../../ecs/samples.ts'
import { type BulkServer, type BulkServerOptions, bulkServer } from '../../kit/bulk-server.ts'
import { testContext } from '../../kit/context.ts'
import { never } from './kit.ts'

async function setup(args: string[], env: Record<string, string> = {}) {
  let stdout = ''
  let stderr = ''
  const io = {
    stdout: (text: string) => void (stdout += text),
    stderr: (text: string) => void (stderr += text),
    env,
    cwd: process.cwd(),
    registry,
  }
  return { code: await command(['setup', ...args], io), stdout, stderr }
}

async function withCluster(options: BulkServerOptions, run: (server: BulkServer) => Promise<void>): Promise<void> {
  const server = await bulkServer(options)
  try {
    await run(server)
  } finally {
    await server.close()
  }
}

const clusters = [
  { product: 'elasticsearch', version: '7.8.1' },
  { product: 'elasticsearch', version: '8.17.2' },
  { product: 'elasticsearch', version: '9.2.0' },
  { product: 'opensearch', version: '1.3.20' },
  { product: 'opensearch', version: '2.7.0' },
  { product: 'opensearch', version: '2.19.0' },
  { product: 'opensearch', version: '3.1.0' },
] as const

for (const cluster of clusters) {
  test(`${cluster.product} ${cluster.version} is set up once, again without harm, and takes every event`, () =>
    withCluster(cluster, async (server) => {
      const first = await setup(['--endpoint', server.url])
      assert.deepEqual([first.code, first.stderr], [0, ''])
      assert.match(first.stdout, cluster.product === 'opensearch' ? /^OpenSearch \d/ : /^Elasticsearch \d/)
      assert.match(first.stdout, /index template weir-ecs: written for logs-weir\.\*-\*/)
      assert.deepEqual([...server.admin.indexTemplates.keys()], ['weir-ecs', 'weir-otel', 'weir-raw'])
      assert.equal(server.admin.policies.size, 1)
      const before = structuredClone([...server.admin.componentTemplates, ...server.admin.indexTemplates])
      const second = await setup(['--endpoint', server.url])
      assert.deepEqual([second.code, second.stderr], [0, ''])
      assert.match(second.stdout, /lifecycle policy weir-logs: there already/)
      assert.match(second.stdout, /weir@custom: yours/)
      assert.deepEqual([...server.admin.componentTemplates, ...server.admin.indexTemplates], before)
      const exporter = elasticsearch.create(elasticsearch.config.parse({ endpoint: server.url }), testContext())
      await exporter.export(everyRecord(), never)
      await exporter.stop?.(never)
    }))
}

test('a lifecycle that somebody changed stays, until a retention is given', async () => {
  for (const cluster of [clusters[2], clusters[6]]) {
    await withCluster(cluster, async (server) => {
      assert.equal((await setup(['--endpoint', server.url, '--retention', '30d'])).code, 0)
      const text = () => JSON.stringify(server.admin.policies.get('weir-logs')?.body)
      assert.match(text(), /"30d"/)
      assert.equal((await setup(['--endpoint', server.url])).code, 0)
      assert.match(text(), /"min(_index)?_age":"30d"/)
      assert.equal((await setup(['--endpoint', server.url, '--retention', '7d'])).code, 0)
      assert.match(text(), /"min(_index)?_age":"7d"/)
    })
  }
})

test('new datasets of a configuration get templates, and the policy of OpenSearch covers them', () =>
  withCluster({ product: 'opensearch', version: '3.1.0' }, async (server) => {
    await setup(['--endpoint', server.url, '--retention', '45d'])
    const directory = mkdtempSync(join(tmpdir(), 'weir-setup-'))
    const file = join(directory, 'config.yaml')
    writeFileSync(
      file,
      `receivers: {file_log: {include: [/tmp/none.log]}}
exporters:
  elasticsearch/a: {endpoint: '${server.url}', data_stream: {dataset: mine, dynamic: {dataset: {attribute: d, allow: [nginx]}}}}
  elasticsearch/b: {endpoint: '${server.url}'}
service: {pipelines: {logs: {receivers: [file_log], exporters: [elasticsearch/a, elasticsearch/b]}}}
`,
    )
    const ambiguous = await setup(['--config', file])
    assert.equal(ambiguous.code, 1)
    assert.match(ambiguous.stderr, /choose one with --exporter: elasticsearch\/a, elasticsearch\/b/)
    assert.match(
      (await setup(['--config', file, '--exporter', 'elasticsearch/c'])).stderr,
      /no exporter elasticsearch\/c/,
    )
    assert.deepEqual((await setup(['--config', file, '--exporter', 'elasticsearch/a'])).code, 0)
    rmSync(directory, { recursive: true })
    assert.notEqual(server.admin.templateFor('logs-nginx-default'), undefined)
    assert.notEqual(server.admin.templateFor('logs-mine.otel-default'), undefined)
    const policy = JSON.stringify(server.admin.policies.get('weir-logs')?.body)
    assert.match(policy, /logs-nginx-\*/)
    assert.match(policy, /"45d"/, 'the retention that was there is kept')
  }))

test('what belongs to the user is not written over', () =>
  withCluster({}, async (server) => {
    const mine = { template: { settings: { index: { number_of_replicas: 2 } } } }
    server.admin.componentTemplates.set('weir@custom', mine)
    assert.equal((await setup(['--endpoint', server.url])).code, 0)
    assert.equal(server.admin.componentTemplates.get('weir@custom'), mine)
  }))

test('credentials come from the environment, and a refusal says what is missing', () =>
  withCluster({ authorization: 'ApiKey secret' }, async (server) => {
    const refused = await setup(['--endpoint', server.url])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /refused the credentials \(401\)/)
    const { code } = await setup(['--endpoint', server.url], { ELASTICSEARCH_API_KEY: 'secret' })
    assert.equal(code, 0)
  }))

test('a dry run prints the requests, writes nothing, and needs no cluster when the product is given', () =>
  withCluster({ product: 'opensearch', version: '2.19.0' }, async (server) => {
    const asked = await setup(['--endpoint', server.url, '--dry-run'])
    const offline = await setup(['--dry-run', '--product', 'opensearch', '--server-version', '2.19'])
    assert.deepEqual([asked.code, offline.code], [0, 0])
    assert.equal(asked.stdout, offline.stdout)
    assert.deepEqual(server.admin.writes, [])
    const requests: { method: string; path: string; body: unknown }[] = JSON.parse(offline.stdout)
    assert(requests.some(({ path }) => path === '/_plugins/_ism/policies/weir-logs'))
    // Sent by hand in that order they do the same.
    for (const { method, path, body } of requests) {
      const { status } = server.admin.handle(method, path, new URLSearchParams(), JSON.stringify(body))
      assert(status < 300, path)
    }
  }))

test('mistakes on the command line are explained', async () => {
  const told = async (args: string[]): Promise<string> => {
    const { code, stderr } = await setup(args)
    assert.equal(code, 1)
    return stderr
  }
  assert.match(await told([]), /Give --endpoint URL, or --config FILE/)
  assert.match(await told(['--endpoint', 'localhost:9200']), /--endpoint is a URL/)
  assert.match(await told(['--endpoint', 'http://x', '--product', 'solr']), /elasticsearch or opensearch/)
  assert.match(await told(['--endpoint', 'http://x', '--retention', 'long']), /such as 90d/)
  assert.match(await told(['--endpoint', 'http://127.0.0.1:1']), /ECONNREFUSED/)
  assert.match(await told(['--endpoint', 'http://x', '--exporter', 'a']), /needs --config/)
})

test('a server of another kind is not taken for a cluster', async () => {
  const { createServer } = await import('node:http')
  const server = createServer((_, response) => void response.end('<html>hello</html>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as import('node:net').AddressInfo
  const { code, stderr } = await setup(['--endpoint', `http://127.0.0.1:${port}`])
  assert.equal(code, 1)
  assert.match(stderr, /neither Elasticsearch nor OpenSearch/)
  server.closeAllConnections()
  server.close()
})
