import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetricRegistry } from '../../src/telemetry/registry.ts'
import { isWhole, REFUSED_UNNAMED, summarise, summaryText } from '../../src/telemetry/summary.ts'

const of = (component: string, kind: string, reason: string) => ({ component, kind, reason })

test('a run that delivered everything says so', () => {
  const metrics = new MetricRegistry()
  metrics.add('otelcol_receiver_accepted_log_records', 1_500_000, { receiver: 'file_log', transport: '' })
  metrics.add('otelcol_exporter_sent_log_records', 1_500_000, { exporter: 'otlp_http' })
  const summary = summarise(metrics, 10)
  assert(isWhole(summary))
  assert.equal(
    summaryText(summary),
    '1,500,000 events read in 10.0 s (150,000 events/s)\n1,500,000 delivered to otlp_http\nnothing rejected, nothing lost',
  )
})

test('what was read is what was admitted and what was dropped at the door, not what later stages dropped', () => {
  const metrics = new MetricRegistry()
  metrics.add('otelcol_receiver_accepted_log_records', 80, { receiver: 'k8s_audit', transport: '' })
  metrics.add('weir_component_filtered_records', 15, of('k8s_audit', 'receiver', 'stage'))
  metrics.add('weir_component_rejected_records', 5, of('k8s_audit', 'receiver', 'malformed'))
  metrics.add('weir_component_filtered_records', 40, of('filter', 'processor', 'filtered'))
  metrics.add('otelcol_exporter_sent_log_records', 40, { exporter: 'stdout' })
  const summary = summarise(metrics, 1)
  assert.equal(summary.read, 100)
  assert.equal(isWhole(summary), false)
  assert.deepEqual(summaryText(summary).split('\n'), [
    '100 events read in 1.0 s (100 events/s)',
    '40 delivered to stdout',
    '15 filtered on purpose by k8s_audit: stage',
    '40 filtered on purpose by filter: filtered',
    '5 rejected by k8s_audit: malformed (see the dead-letter file)',
  ])
})

for (const [name, add] of [
  [
    'a lost record',
    (metrics) => metrics.add('weir_component_lost_records', 1, of('p', 'processor', 'processor_error')),
  ],
  [
    'a rejected record',
    (metrics) => metrics.add('weir_component_rejected_records', 1, of('e', 'exporter', 'http_400')),
  ],
  [
    'an answer that nobody can read',
    (metrics) => metrics.add('weir_exporter_partial_unknown', 3, { exporter: 'e', reason: 'unreadable_answer' }),
  ],
  ['lost bytes', (metrics) => metrics.add('weir_file_lost_bytes', 10, { receiver: 'r', reason: 'truncated' })],
] as [string, (metrics: MetricRegistry) => void][]) {
  test(`${name} makes a run less than whole, and is told`, () => {
    const metrics = new MetricRegistry()
    add(metrics)
    const summary = summarise(metrics, 0)
    assert.equal(isWhole(summary), false)
    assert.match(summaryText(summary), /LOST|rejected|could not be read/)
    assert.doesNotMatch(summaryText(summary), /nothing lost|NaN|Infinity/)
  })
}

test('what a destination has in part, or answered in a way that nobody can read, is told', () => {
  const metrics = new MetricRegistry()
  metrics.add('otelcol_exporter_sent_log_records', 40, { exporter: 'otlp_http' })
  metrics.add('weir_component_rejected_records', 500, of('otlp_http/loki', 'exporter', 'unknown_partial'))
  metrics.add('weir_exporter_partial_unknown', 500, { exporter: 'otlp_http/loki', reason: 'refused_in_part' })
  metrics.add('weir_exporter_partial_unknown', 40, { exporter: 'otlp_http', reason: 'unreadable_answer' })
  const summary = summarise(metrics, 1)
  assert.equal(isWhole(summary), false)
  assert.deepEqual(summaryText(summary).split('\n').slice(1), [
    '40 delivered to otlp_http',
    '500 rejected by otlp_http/loki: unknown_partial (the destination has some of them; all are in the dead-letter file)',
    '40 of those delivered got an answer that could not be read: see the log',
  ])
})

test('what a shutdown cut off is told, and is not called nothing', () => {
  const summary = summarise(new MetricRegistry(), 1, 1000)
  assert.equal(isWhole(summary), false)
  assert.match(summaryText(summary), /1,000 not delivered in time; sources that replay send them again$/)
})

test('what a destination refused without naming it is not looked for in the dead-letter file', () => {
  const metrics = new MetricRegistry()
  metrics.add('weir_component_rejected_records', 2, of('otlp_http', 'exporter', REFUSED_UNNAMED))
  assert.match(
    summaryText(summarise(metrics, 1)),
    /2 rejected by otlp_http: refused_unnamed \(the destination did not say which\)/,
  )
})

test('what was filtered on purpose is no loss', () => {
  const metrics = new MetricRegistry()
  metrics.add('weir_component_filtered_records', 9, of('filter', 'processor', 'filtered'))
  assert(isWhole(summarise(metrics, 1)))
})
