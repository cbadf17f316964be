/** configs/agent.yaml and configs/gateway.yaml as two processes: every line arrives, whoever is killed in between. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { countingSink } from '../kit/counting-sink.ts'
import { freePort, until, type WeirProcess, workspace } from '../kit/weir.ts'

const root = join(import.meta.dirname, '../..')
const config = (name: string): string => readFileSync(join(root, 'configs', name), 'utf8')

interface Cast {
  /** Lines that were written until now. */
  written(): number
  readonly agent: () => WeirProcess
  readonly gateway: () => WeirProcess
  readonly startAgent: () => WeirProcess
  readonly startGateway: () => WeirProcess
}

const LINES_PER_STEP = 40
const STEP_MS = 20

/** Runs both while lines are written, lets `play` do its worst, and returns what came of it. */
async function run(seconds: number, agentFlags: readonly string[], play: (cast: Cast) => Promise<void>) {
  const nodeRoom = workspace()
  const gatewayRoom = workspace()
  const sink = await countingSink({ unanswered: 0.02, refused: 0.02 })
  const [httpPort, grpcPort] = [await freePort(), await freePort()]
  const pod = nodeRoom.path('pods/shop_web-7d9f_0b6c1f6e-5b1e-4c7e-9f0a-3f1d2c4b5a69/nginx')
  mkdirSync(pod, { recursive: true })
  const log = join(pod, '0.log')
  const env = {
    WEIR_POD_LOGS: nodeRoom.path('pods'),
    WEIR_AUDIT_LOG: nodeRoom.path('no-audit.log'),
    WEIR_GATEWAY: `http://127.0.0.1:${httpPort}`,
    WEIR_GATEWAY_GRPC: `127.0.0.1:${grpcPort}`,
    WEIR_OTLP_HTTP: `127.0.0.1:${httpPort}`,
    WEIR_OTLP_GRPC: `127.0.0.1:${grpcPort}`,
    WEIR_HEALTH: '127.0.0.1:0',
    OTLP_ENDPOINT: sink.url,
  }
  // The counting destination reads plain JSON, and nobody wants to wait for backoffs of minutes.
  const quick = '::retry_on_failure={initial_interval: 50ms, max_interval: 500ms}'
  const toSink = ['encoding=json', 'compression=none'].flatMap((one) => ['--set', `exporters::otlp_http/siem::${one}`])
  const startGateway = (): WeirProcess =>
    gatewayRoom.run(config('gateway.yaml'), { env, flags: [...toSink, '--set', `exporters::otlp_http/siem${quick}`] })
  const startAgent = (): WeirProcess => nodeRoom.run(config('agent.yaml'), { env, flags: agentFlags })
  let gateway = startGateway()
  await gateway.says(/Everything is ready/)
  let agent = startAgent()
  await agent.says(/Everything is ready/)
  let written = 0
  let isOver = false
  const writing = (async () => {
    while (!isOver) {
      const time = new Date().toISOString().replace('Z', '000000Z')
      const lines = Array.from(
        { length: LINES_PER_STEP },
        (_, i) => `${time} stdout F web:${written + i} GET /cart 200\n`,
      )
      appendFileSync(log, lines.join(''))
      written += LINES_PER_STEP
      await sleep(STEP_MS)
    }
  })()
  try {
    const startedAt = Date.now()
    await play({
      written: () => written,
      agent: () => agent,
      gateway: () => gateway,
      startAgent: () => (agent = startAgent()),
      startGateway: () => (gateway = startGateway()),
    })
    await sleep(Math.max(0, seconds * 1000 - (Date.now() - startedAt)))
    isOver = true
    await writing
    await until(() => sink.arrivals.size >= written, 'every line has arrived', 60_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${sink.arrivals.size} of ${written}\n${agent.stderr}\n${gateway.stderr}`)
    })
    const ends = [await agent.end(), await gateway.end()]
    return { written, arrivals: sink.arrivals, ends }
  } finally {
    isOver = true
    await writing
    await nodeRoom.remove()
    await gatewayRoom.remove()
    await sink.close()
  }
}

function checked({ written, arrivals, ends }: Awaited<ReturnType<typeof run>>): void {
  const missing = Array.from({ length: written }, (_, i) => `web:${i}`).filter((line) => !arrivals.has(line))
  assert.deepEqual(missing, [])
  assert.equal(arrivals.size, written)
  for (const { code } of ends) assert.equal(code, 0)
  const ambiguous = [...arrivals].filter(([, { uids }]) => uids.size !== 1).map(([line]) => line)
  assert.deepEqual(ambiguous, [], 'a line that comes twice comes under one uid')
}

const retry = ['--set', 'exporters::otlp_http/gateway::retry_on_failure={initial_interval: 50ms, max_interval: 500ms}']

test('an agent and a gateway carry every line, also when the gateway is killed again and again', {
  timeout: 120_000,
}, async () => {
  const result = await run(8, retry, async ({ gateway, startGateway, written }) => {
    for (let kill = 0; kill < 3; kill++) {
      await sleep(700 + Math.random() * 800)
      await gateway().end('SIGKILL')
      const before = written()
      await sleep(300 + Math.random() * 500)
      await startGateway().says(/Everything is ready/)
      assert(written() > before, 'lines went on while it was down')
    }
  })
  checked(result)
  assert(result.written > 5000)
})

test('over gRPC as well, when the agent is killed too, and when both are', { timeout: 120_000 }, async () => {
  const overGrpc = [
    '--set',
    'exporters::otlp_grpc/gateway={endpoint: "${env:WEIR_GATEWAY_GRPC}", tls: {insecure: true}, retry_on_failure: {initial_interval: 50ms, max_interval: 500ms}, sending_queue: {storage: file_storage}}',
    '--set',
    'service::pipelines::logs::exporters=[otlp_grpc/gateway]',
  ]
  const result = await run(8, overGrpc, async ({ agent, gateway, startAgent, startGateway }) => {
    await sleep(1000)
    await agent().end('SIGKILL')
    await startAgent().says(/Everything is ready/)
    await sleep(1000)
    await Promise.all([agent().end('SIGKILL'), gateway().end('SIGKILL')])
    startAgent()
    await sleep(500)
    await startGateway().says(/Everything is ready/)
    await sleep(500)
    await gateway().end('SIGTERM')
    await startGateway().says(/Everything is ready/)
  })
  checked(result)
})
