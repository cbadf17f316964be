import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetricRegistry } from '../../src/telemetry/registry.ts'
import { serveMetrics } from '../../src/telemetry/server.ts'

test('metrics are served in the text format, and nothing else is', async () => {
  const metrics = new MetricRegistry()
  metrics.add('weir_receiver_restarts', 2, { receiver: 'r' })
  const server = await serveMetrics(metrics, '127.0.0.1', 0)
  const url = `http://127.0.0.1:${server.port}`
  try {
    const response = await fetch(`${url}/metrics?x=1`)
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    assert.match(await response.text(), /^weir_receiver_restarts\{receiver="r"\} 2$/m)
    assert.equal((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200)
    assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405)
    assert.equal((await fetch(`${url}/`)).status, 404)
  } finally {
    await server.close()
  }
  await assert.rejects(fetch(`${url}/metrics`))
})

test('a port that is in use is one sentence that says what to do', async () => {
  const metrics = new MetricRegistry()
  const first = await serveMetrics(metrics, '127.0.0.1', 0)
  await assert.rejects(serveMetrics(metrics, '127.0.0.1', first.port), {
    message:
      `service::telemetry::metrics: cannot listen on 127.0.0.1:${first.port}: the address is in use; ` +
      'choose another port or set level: none',
  })
  await first.close()
})
