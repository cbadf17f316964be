/** docs/metrics.md, from the table of metrics. */
import { METRICS, type MetricSpec } from '../../src/telemetry/metrics.ts'
import { code } from './options.ts'

export function metricsPage(): string {
  const rows = Object.entries(METRICS as Record<string, MetricSpec>).map(
    ([name, { kind, unit, labels, help }]) =>
      `| ${code(name)} | ${kind} | ${unit} | ${labels.map(code).join(', ')} | ${help} |`,
  )
  return `# Metrics

<!-- made by npm run docs from src/telemetry/metrics.ts; do not edit -->

Served in Prometheus's text format on \`localhost:8888/metrics\` (see \`service::telemetry::metrics\`).
Metrics that the OpenTelemetry Collector has carry its names; ours begin with \`weir_\`.

| name | kind | unit | labels | meaning |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}
