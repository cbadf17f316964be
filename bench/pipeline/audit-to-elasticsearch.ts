/**
 * What does the whole pipeline into Elasticsearch cost beside the bare loop over the same log?
 *
 *   node bench/pipeline/audit-to-elasticsearch.ts
 *   node bench/pipeline/audit-to-elasticsearch.ts --events 50000 --rounds 1
 *
 * Runs `k8s_audit` -> `elasticsearch` (documents in ECS, ids, an answer read item by item) into a local sink with
 * acknowledgements and checkpoints on. The rest is as in `audit-to-otlp.ts`.
 */
import { compare, type Variant } from './compare.ts'

const variant = (name: string, mode: string, compression: 'none' | 'gzip'): Variant => ({
  name,
  exporters: (port) =>
    `elasticsearch: {endpoint: 'http://127.0.0.1:${port}', mapping: {mode: ${mode}}, compression: ${compression}}`,
})

await compare('bench/pipeline/bulk-sink.ts', [
  variant('Elasticsearch, ECS', 'ecs', 'none'),
  variant('Elasticsearch, ECS, gzip', 'ecs', 'gzip'),
  variant('Elasticsearch, OTel mode', 'otel', 'none'),
])
