/**
 * What does the whole pipeline cost beside the bare loop over the same log?
 *
 *   npm run bench                      400,000 events
 *   npm run bench -- --events 50000 --rounds 1
 *
 * Runs `k8s_audit` -> `otlp_http` into a local sink with acknowledgements and checkpoints on, in every encoding
 * with and without gzip, interleaved with the bare loop so that both see the same machine. Every event is kept
 * (no ignore list, all stages), so that both do the same work. Ratios are the result; absolute numbers belong to
 * the machine.
 */
import { compare, type Variant } from './compare.ts'

const variant = (name: string, encoding: 'json' | 'proto', compression: 'none' | 'gzip'): Variant => ({
  name,
  exporters: (port) =>
    `otlp_http: {endpoint: 'http://127.0.0.1:${port}', encoding: ${encoding}, compression: ${compression}}`,
})

await compare('bench/pipeline/sink.ts', [
  variant('OTLP JSON', 'json', 'none'),
  variant('OTLP JSON, gzip', 'json', 'gzip'),
  variant('OTLP protobuf', 'proto', 'none'),
  variant('OTLP protobuf, gzip', 'proto', 'gzip'),
])
