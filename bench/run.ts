/**
 * Runs the benchmarks of whole pipelines, one after the other: each a ratio within one run.
 *
 *   npm run bench                       all of them, about half an hour
 *   npm run bench -- audit-to-otlp      one of them; what follows its name is handed on
 *   npm run bench -- disk-queue --events 100000 --rounds 1
 *
 * Each prints its table. Numbers belong to the machine; docs/performance.md says what they came to on one.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const BENCHMARKS: Readonly<Record<string, string>> = {
  'audit-to-otlp': 'the whole pipeline beside the bare loop over the same log',
  'audit-to-elasticsearch': 'the same into Elasticsearch, document by document',
  'disk-queue': 'a queue on disk beside a queue in memory',
  'otlp-to-otlp': 'OTLP in and out beside the serializers alone; the steady load of the Collector’s own tests',
  footprint: 'memory at rest, and the time to the first record',
  'ebpf-overhead': 'what the sensor costs those who are watched',
  'ebpf-capacity': 'what the sensor can take: loads, losses, and CPU a record beside the bare drain',
  'ebpf-idle': 'CPU and memory of the receiver at rest and under a steady load',
}

const [first, ...rest] = process.argv.slice(2)
const named = first !== undefined && Object.hasOwn(BENCHMARKS, first) ? [first] : Object.keys(BENCHMARKS)
if (first !== undefined && named.length > 1) {
  console.error(`There is no benchmark "${first}". There are ${Object.keys(BENCHMARKS).join(', ')}.`)
  process.exit(1)
}
for (const name of named) {
  console.log(`\n## ${name}: ${BENCHMARKS[name]}\n`)
  const file = name.startsWith('ebpf-') ? `ebpf/${name.slice('ebpf-'.length)}.ts` : `pipeline/${name}.ts`
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, file), ...rest], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
