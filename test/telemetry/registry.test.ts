import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METRICS } from '../../src/telemetry/metrics.ts'
import { MetricRegistry } from '../../src/telemetry/registry.ts'

const lines = (metrics: MetricRegistry): string[] =>
  metrics
    .expose()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

test('counters add up by their labels, gauges keep the last value', () => {
  const metrics = new MetricRegistry()
  metrics.add('otelcol_exporter_sent_log_records', 3, { exporter: 'a' })
  metrics.add('otelcol_exporter_sent_log_records', 4, { exporter: 'a' })
  metrics.add('otelcol_exporter_sent_log_records', 5, { exporter: 'b/two' })
  metrics.set('weir_budget_used_bytes', 10, { receiver: 'r' })
  metrics.set('weir_budget_used_bytes', 7, { receiver: 'r' })
  assert.deepEqual(lines(metrics), [
    'otelcol_exporter_sent_log_records{exporter="a"} 7',
    'otelcol_exporter_sent_log_records{exporter="b/two"} 5',
    'weir_budget_used_bytes{receiver="r"} 7',
  ])
  assert.equal(metrics.sum('otelcol_exporter_sent_log_records'), 12)
  assert.equal(metrics.sum('otelcol_exporter_sent_log_records', { exporter: 'b/two' }), 5)
  assert.equal(metrics.sum('weir_receiver_restarts'), 0)
})

test('the exposition has a HELP and a TYPE for each metric, once, and ends in a newline', () => {
  const metrics = new MetricRegistry()
  metrics.add('weir_receiver_restarts', 1, { receiver: 'a' })
  metrics.add('weir_receiver_restarts', 1, { receiver: 'b' })
  metrics.set('weir_component_healthy', 1, { component: 'a', kind: 'receiver' })
  const text = metrics.expose()
  assert(text.endsWith('\n'))
  assert.equal(text.match(/^# HELP weir_receiver_restarts /gm)?.length, 1)
  assert.match(text, /^# TYPE weir_receiver_restarts counter$/m)
  assert.match(text, /^# TYPE weir_component_healthy gauge$/m)
})

test('label values are escaped, so that a component id cannot forge a line', () => {
  const metrics = new MetricRegistry()
  metrics.add('weir_receiver_restarts', 1, { receiver: 'a"\nb\\' })
  assert.deepEqual(lines(metrics), ['weir_receiver_restarts{receiver="a\\"\\nb\\\\"} 1'])
})

test('the program describes itself in target_info, with names that Prometheus takes', () => {
  const metrics = new MetricRegistry({ 'service.name': 'weir', 'k8s.node-name': 'n1' })
  assert.deepEqual(lines(metrics), ['target_info{service_name="weir",k8s_node_name="n1"} 1'])
})

test('a component that is gone takes its gauges along and leaves its counters', () => {
  const metrics = new MetricRegistry()
  for (const exporter of ['a', 'b']) {
    metrics.set('otelcol_exporter_queue_size', 2, { exporter, data_type: 'logs' })
    metrics.add('otelcol_exporter_sent_log_records', 9, { exporter })
  }
  metrics.forgetGauges({ exporter: 'a' })
  assert.deepEqual(lines(metrics), [
    'otelcol_exporter_queue_size{exporter="b",data_type="logs"} 2',
    'otelcol_exporter_sent_log_records{exporter="a"} 9',
    'otelcol_exporter_sent_log_records{exporter="b"} 9',
  ])
})

test('collectors run before each exposition until they are removed', () => {
  const metrics = new MetricRegistry()
  let asked = 0
  const remove = metrics.onCollect(() => metrics.set('weir_budget_used_bytes', ++asked, { receiver: 'r' }))
  metrics.expose()
  assert.deepEqual(lines(metrics), ['weir_budget_used_bytes{receiver="r"} 2'])
  remove()
  metrics.expose()
  assert.equal(asked, 2)
})

test('a metric that is not in the table is a mistake', () => {
  assert.throws(() => new MetricRegistry().add('weir_secret' as never, 1), /weir_secret is not declared/)
})

test('a mistake in labels cannot fill the memory', () => {
  const metrics = new MetricRegistry()
  for (let i = 0; i < 5000; i++) metrics.add('weir_receiver_restarts', 1, { receiver: `r${i}` })
  assert.equal(metrics.list('weir_receiver_restarts').length, 2000)
})

test('every metric in the table is well named and described', () => {
  for (const [name, { help, labels, unit }] of Object.entries(METRICS)) {
    assert.match(name, /^(otelcol|weir)_[a-z0-9_]+$/)
    assert.doesNotMatch(name, /_total$/, 'the Collector has no suffix')
    assert.match(help, /^[A-Z0-9].*\.$/, name)
    assert(unit.length > 0)
    for (const label of labels) assert.match(label, /^[a-z_]+$/)
  }
})
