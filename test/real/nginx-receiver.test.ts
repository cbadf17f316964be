/** A real nginx in front of Weir's receiver: what ends TLS and spreads clients in many clusters. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Destination, type Mood, startDestination } from '../kit/faulty-destination.ts'
import { type Nginx, NO_NGINX, nginx } from '../kit/nginx.ts'
import { arrivals, writeLines } from '../kit/numbered.ts'
import { freePort, type WeirProcess, type Workspace, workspace } from '../kit/weir.ts'

const skip = NO_NGINX
const TLS = join(import.meta.dirname, '../kit/tls')
const CERTIFICATE = `ssl_certificate ${TLS}/cert.pem; ssl_certificate_key ${TLS}/key.pem;`
const RETRY = 'retry_on_failure: {initial_interval: 20ms, max_interval: 200ms}'

type Protocol = 'http' | 'grpc'

interface Scene {
  readonly node: Workspace
  readonly to: Destination
  readonly gateway: WeirProcess
  /** Weir on a node, which follows `in.log` and sends it to the gateway through nginx. */
  agent(keys?: string): Promise<WeirProcess>
}

interface SceneOptions {
  readonly protocol: Protocol
  readonly mood?: Mood
  readonly server?: string
  readonly location?: string
  readonly receiver?: string
  readonly memory?: string
}

/** file → agent → nginx with TLS → gateway → destination. */
async function scene(t: TestContext, { protocol, mood, ...more }: SceneOptions): Promise<Scene> {
  const [node, central] = [workspace(), workspace()]
  const to = await startDestination(mood)
  let proxy: Nginx | undefined
  t.after(async () => {
    await proxy?.kill()
    await Promise.all([node.remove(), central.remove(), to.close()])
  })
  const [door, port] = [await freePort(), await freePort()]
  const gateway = central.run(`
receivers: {otlp: {protocols: {${protocol}: {endpoint: '127.0.0.1:${door}'${more.receiver ?? ''}}}, admission_timeout: 100ms}}
exporters: {otlp_http: {endpoint: '${to.url}', timeout: 5s, ${RETRY}, sending_queue: {batch: {flush_timeout: 20ms}}}}
service:
  memory: {budget: ${more.memory ?? '64MiB'}}
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`)
  await gateway.says(/Everything is ready/)
  const pass = protocol === 'grpc' ? `grpc_pass grpc://127.0.0.1:${door};` : `proxy_pass http://127.0.0.1:${door};`
  const listen = `listen 127.0.0.1:${port} ssl${protocol === 'grpc' ? ' http2' : ''};`
  const server = `server { ${listen} ${CERTIFICATE} ${more.server ?? ''} location / { ${pass} ${more.location ?? ''} } }`
  proxy = await nginx(node.path('nginx'), server, port)
  return {
    node,
    to,
    gateway,
    async agent(keys = 'sending_queue: {batch: {min_size: 100, flush_timeout: 20ms}}') {
      const tls = `tls: {ca_file: '${TLS}/cert.pem', server_name_override: localhost}`
      const type = `otlp_${protocol}`
      const weir = node.run(`
receivers: {file_log: {include: ['${node.path('in.log')}'], start_at: beginning, poll_interval: 20ms}}
exporters: {${type}: {endpoint: 'https://127.0.0.1:${port}', timeout: 10s, ${tls}, ${RETRY}, ${keys}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [file_log], exporters: [${type}]}}
`)
      await weir.says(/Everything is ready/)
      return weir
    },
  }
}

for (const protocol of ['http', 'grpc'] as const) {
  test(`TLS ends at nginx, ${protocol}: every record arrives once`, { skip }, async (t) => {
    const { node, to, ...one } = await scene(t, { protocol })
    const count = 10_000
    await writeLines(node.path('in.log'), { count, ms: 20 })
    const agent = await one.agent()
    const { arrived, duplicates } = await arrivals(to, count)
    assert.deepEqual({ arrived, duplicates }, { arrived: count, duplicates: 0 })
    assert.equal((await agent.end()).code, 0)
    assert.doesNotMatch(agent.stderr, /unhealthy/)
  })

  test(`a full gateway behind nginx, ${protocol}, is asked again and loses nothing`, { skip }, async (t) => {
    const { node, to, ...one } = await scene(t, { protocol, mood: { kind: 'answers', status: 503 }, memory: '1MiB' })
    const count = 6000
    await writeLines(node.path('in.log'), { count, ms: 20, padding: 500 })
    const agent = await one.agent('sending_queue: {num_consumers: 30, batch: {min_size: 100, flush_timeout: 20ms}}')
    await agent.says(/answered (429|RESOURCE_EXHAUSTED)/)
    await sleep(1000)
    await to.mood({ kind: 'accepts' })
    const { arrived, duplicates } = await arrivals(to, count)
    t.diagnostic(`${duplicates} duplicates`)
    assert.equal(arrived, count)
    assert.equal((await agent.end()).code, 0)
    assert(!existsSync(node.path('state/dead-letter.jsonl')))
  })
}

for (const buffering of ['on', 'off']) {
  const location = `proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering ${buffering}; proxy_buffering ${buffering};`

  test(`what Weir refuses as too large through nginx goes in parts, buffering ${buffering}`, { skip }, async (t) => {
    const { node, to, ...one } = await scene(t, {
      protocol: 'http',
      server: 'client_max_body_size 0;',
      location,
      receiver: ', max_request_body_size: 64KiB',
    })
    const count = 5000
    await writeLines(node.path('in.log'), { count, ms: 20, padding: 900 })
    const agent = await one.agent('compression: none, sending_queue: {batch: {min_size: 2500, flush_timeout: 200ms}}')
    const { arrived, duplicates } = await arrivals(to, count)
    assert.deepEqual({ arrived, duplicates }, { arrived: count, duplicates: 0 })
    assert.equal((await agent.end()).code, 0)
    assert(!existsSync(node.path('state/dead-letter.jsonl')))
    t.diagnostic((agent.stderr.match(/error="[^"]*"/g) ?? []).join('; ').slice(0, 300))
  })

  test(`a large body that Weir has no room for is refused through nginx and comes again, buffering ${buffering}`, {
    skip,
  }, async (t) => {
    const { node, to, ...one } = await scene(t, {
      protocol: 'http',
      mood: { kind: 'answers', status: 503 },
      server: 'client_max_body_size 0;',
      location,
      memory: '4MiB',
    })
    const count = 10_000
    await writeLines(node.path('in.log'), { count, ms: 20, padding: 900 })
    const agent = await one.agent(
      'compression: none, sending_queue: {num_consumers: 6, batch: {min_size: 1500, flush_timeout: 200ms}}',
    )
    await agent.says(/Exporting failed/)
    await sleep(1500)
    await to.mood({ kind: 'accepts' })
    const { arrived } = await arrivals(to, count, 30_000)
    t.diagnostic((agent.stderr.match(/error="[^"]*"/g) ?? []).join('; ').slice(0, 300))
    assert.equal(arrived, count)
    assert.equal((await agent.end()).code, 0)
    assert(!existsSync(node.path('state/dead-letter.jsonl')))
  })
}
