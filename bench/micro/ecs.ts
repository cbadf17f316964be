/**
 * What does it cost to write an audit record as a document, beside OTLP JSON?
 *
 *   node bench/micro/ecs.ts
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toOtelJson } from '../../exporters/elasticsearch/otel.ts'
import { k8sAudit } from '../../receivers/k8s_audit.ts'
import { createAuditDecoder, emptyDecoded } from '../../src/audit/decode.ts'
import { toEcsJson } from '../../src/ecs/document.ts'
import { GrowingBuffer } from '../../src/otlp/growing-buffer.ts'
import { encodeOtlpJson } from '../../src/otlp/json.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { nowHrTime } from '../../src/records/time.ts'
import { measure } from '../pipeline/child.ts'

const scratch = mkdtempSync(join(tmpdir(), 'weir-micro-'))
const log = join(scratch, 'audit.log')
await measure(process.execPath, [
  join(import.meta.dirname, '../generate-audit.ts'),
  ...['--events', '20000', '--seed', '1', '--out', log],
])
const decoder = createAuditDecoder(k8sAudit.config.parse({ include: [log], default_ignores: false }))
const decoded = emptyDecoded()
for (const line of readFileSync(log, 'utf8').split('\n')) if (line !== '') decoder.line(line, nowHrTime(), decoded)
rmSync(scratch, { recursive: true })
const records = decoded.records as LogRecord[]
const stream = { dataset: 'kubernetes.audit_logs', namespace: 'default' }
const buffer = new GrowingBuffer()

const ways: Record<string, () => number> = {
  'OTLP JSON': () => encodeOtlpJson(records, buffer).length,
  'ECS document': () => documents(toEcsJson),
  'OTel-mode document': () => documents(toOtelJson),
}

function documents(toJson: typeof toEcsJson): number {
  for (const record of records) buffer.text(`${toJson(record, stream)}\n`)
  return buffer.take().length
}

const times = new Map<string, number[]>()
for (let round = 0; round < 15; round++) {
  for (const [name, run] of Object.entries(ways)) {
    const startedAt = performance.now()
    run()
    const micros = ((performance.now() - startedAt) * 1000) / records.length
    times.set(name, [...(times.get(name) ?? []), micros])
  }
}
console.log('| | µs/record | bytes/record |')
console.log('| --- | ---: | ---: |')
for (const [name, run] of Object.entries(ways)) {
  const sorted = (times.get(name) as number[]).toSorted((a, b) => a - b)
  console.log(`| ${name} | ${(sorted[7] as number).toFixed(2)} | ${Math.round(run() / records.length)} |`)
}
