import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthCheck } from '../../extensions/health_check.ts'
import type { Host } from '../../src/component.ts'
import { memoryStore } from '../../src/storage/store.ts'
import { HealthBoard } from '../../src/telemetry/health.ts'
import { testContext } from '../kit/context.ts'
import { definitionContract } from '../kit/contract.ts'
import { freePort } from '../kit/weir.ts'

definitionContract(healthCheck)
const never = new AbortController().signal

interface Served {
  readonly board: HealthBoard
  readonly url: string
  isReady: boolean
}

async function served(config: object, run: (here: Served) => Promise<void>): Promise<void> {
  const board = new HealthBoard()
  const port = await freePort()
  const here: Served = { board, url: `http://127.0.0.1:${port}`, isReady: true }
  const host: Host = {
    health: () => board.components,
    losses: () => [{ component: 'otlp_http', reason: 'queue_full', records: 7 }],
    startedAt: Date.now() - 65_000,
    stores: memoryStore(),
    get isReady() {
      return here.isReady
    },
  }
  const parsed = healthCheck.config.parse({ endpoint: `127.0.0.1:${port}`, ...config })
  const extension = healthCheck.create(parsed, { ...testContext(), host })
  await extension.start?.(never)
  try {
    await run(here)
  } finally {
    await extension.stop?.(never)
    await extension.stop?.(never)
  }
}
const ask = async (url: string) => {
  const response = await fetch(url)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

test('ready and well is 200, with the time it is up', () =>
  served({}, async ({ url, board }) => {
    board.report('exporter:otlp_http', 'ok')
    const { status, body } = await ask(url)
    assert.equal(status, 200)
    assert.deepEqual([body['status'], body['ready'], body['unhealthy']], ['Server available', true, []])
    assert.match(String(body['uptime']), /^6[56]s$/)
    assert.deepEqual(body['lost'], [{ component: 'otlp_http', reason: 'queue_full', records: 7 }])
  }))

test('not ready, as at the start and while it drains, is 503; alive it is all the same', () =>
  served({}, async (here) => {
    here.isReady = false
    assert.equal((await ask(here.url)).status, 503)
    assert.equal((await ask(`${here.url}/live`)).status, 200)
    here.isReady = true
    assert.equal((await ask(here.url)).status, 200)
  }))

test('a component that only a person can mend fails readiness at once, named with its reason', () =>
  served({}, async ({ url, board }) => {
    board.report('exporter:otlp_http/loki', 'permanent', 'the destination answered 401: token expired')
    const { status, body } = await ask(url)
    assert.equal(status, 503)
    const [one] = body['unhealthy'] as Record<string, string>[]
    assert.deepEqual(
      [one?.['component'], one?.['status'], one?.['reason']],
      ['exporter:otlp_http/loki', 'permanent', 'the destination answered 401: token expired'],
    )
    assert(Math.abs(Date.parse(one?.['since'] ?? '') - Date.now()) < 5000)
    assert.equal((await ask(`${url}/live`)).status, 200, 'a restart would mend nothing')
  }))

test('a component that may recover is shown at once, and fails readiness after recovery_duration', () =>
  served({ recovery_duration: '150ms' }, async ({ url, board }) => {
    board.report('exporter:a', 'recoverable', '503')
    const first = await ask(url)
    assert.deepEqual([first.status, (first.body['unhealthy'] as unknown[]).length], [200, 1])
    await new Promise((resolve) => setTimeout(resolve, 170))
    board.report('exporter:a', 'recoverable', '502')
    assert.equal((await ask(url)).status, 503, 'another reason is not another beginning')
    board.report('exporter:a', 'ok')
    assert.equal((await ask(url)).status, 200)
  }))

test('paths can be chosen; others and other methods are refused', () =>
  served({ path: '/ready', live_path: '/healthz' }, async ({ url }) => {
    assert.equal((await ask(`${url}/ready?verbose`)).status, 200)
    assert.equal((await ask(`${url}/healthz`)).status, 200)
    const missing = await ask(`${url}/`)
    assert.deepEqual([missing.status, missing.body['status']], [404, 'only /ready and /healthz are served here'])
    const post = await fetch(`${url}/ready`, { method: 'POST', body: 'x' })
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD'])
    assert.equal((await fetch(`${url}/ready`, { method: 'HEAD' })).status, 200)
  }))

test('a port that is in use is one sentence', () =>
  served({}, async ({ url }) => {
    const endpoint = new URL(url).host
    const second = healthCheck.create(healthCheck.config.parse({ endpoint }), testContext())
    await assert.rejects(second.start?.(never) ?? Promise.resolve(), {
      message: `endpoint: cannot listen on ${endpoint}: listen EADDRINUSE: address already in use ${endpoint}`,
    })
    await second.stop?.(never)
  }))

test('endpoints are host:port, of IPv6 too', () => {
  for (const fine of ['localhost:13133', '0.0.0.0:1', '[::1]:13133', '[::]:80'])
    healthCheck.config.parse({ endpoint: fine })
  for (const wrong of ['localhost', ':13133', 'a b:1', 'http://x:1', '::1:80']) {
    assert(!healthCheck.config.safeParse({ endpoint: wrong }).success, wrong)
  }
})
