import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observeProcess } from '../../src/telemetry/process-metrics.ts'
import { MetricRegistry } from '../../src/telemetry/registry.ts'

test('the process tells its memory, its CPU and the delay of its event loop', () => {
  const metrics = new MetricRegistry()
  const stop = observeProcess(metrics)
  metrics.expose()
  const rss = metrics.sum('otelcol_process_memory_rss')
  assert(rss > 10 * 2 ** 20 && rss < 2 ** 34)
  const cpu = metrics.sum('otelcol_process_cpu_seconds')
  const { user, system } = process.cpuUsage()
  assert(cpu > 0 && cpu <= (user + system) / 1e6)
  assert(metrics.sum('otelcol_process_uptime') > 0)
  assert.equal(metrics.list('weir_event_loop_delay_seconds').length, 2)
  for (const { value } of metrics.list('weir_event_loop_delay_seconds')) assert(value >= 0 && value < 60)
  stop()
  metrics.set('otelcol_process_uptime', -1)
  metrics.expose()
  assert.equal(metrics.sum('otelcol_process_uptime'), -1, 'nobody measures any more')
})
