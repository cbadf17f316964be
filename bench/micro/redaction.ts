/**
 * What does redaction cost a record that holds no secret, which is nearly every record?
 *
 *   node bench/micro/redaction.ts [--events 10000] [--rounds 15]
 *
 * Audit events are generated and decoded once; each round runs every variant over all of the records. Printed are the
 * median, best and worst round in nanoseconds a record. Records without secrets are not changed, so that every round
 * sees the same. Never a gate.
 */
import { parseArgs } from 'node:util'
import { Subject } from 'rxjs'
import { redaction } from '../../processors/redaction/index.ts'
import { createAuditDecoder, emptyDecoded } from '../../src/audit/decode.ts'
import { defaultAuditOptions } from '../../src/audit/options.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { testContext } from '../../test/kit/context.ts'
import { auditLines } from '../audit/generate.ts'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '15' } },
})

function records(raw: boolean): LogRecord[] {
  const options = defaultAuditOptions({ default_ignores: false, include_raw: raw })
  const decoder = createAuditDecoder(options)
  const into = emptyDecoded()
  for (const line of auditLines({ events: Number(values.events), seed: 1 }))
    decoder.line(line, [1_800_000_000, 0], into)
  return into.records
}

const plain = records(false)
const withRaw = records(true)

function redacting(config: object, on: readonly LogRecord[]): () => number {
  const context = testContext()
  const source = new Subject<Batch>()
  const processor = redaction.create(redaction.config.parse(config), context)
  let seen = 0
  source.pipe(processor.operator()).subscribe(({ records: out }) => (seen += out.length))
  return () => {
    seen = 0
    for (let i = 0; i < on.length; i += 512) {
      source.next({ records: on.slice(i, i + 512), ack: { isFinal: false, settle: () => DELIVERED }, bytes: 0 })
    }
    if (seen !== on.length) throw new Error(`${on.length - seen} records did not come out`)
    return context.counts['weir_redaction_matches'] ?? 0
  }
}

const variants: Record<string, readonly [() => number, number]> = {
  'no detectors': [redacting({ allow_all_keys: true, detectors: [] }, plain), plain.length],
  'default detectors': [redacting({ allow_all_keys: true }, plain), plain.length],
  'default detectors, summary debug': [redacting({ allow_all_keys: true, summary: 'debug' }, plain), plain.length],
  'default detectors + one blocked value': [
    redacting({ allow_all_keys: true, blocked_values: ['\\b\\d{3}-\\d{2}-\\d{4}\\b'] }, plain),
    plain.length,
  ],
  'default detectors, raw events kept': [redacting({ allow_all_keys: true }, withRaw), withRaw.length],
}

const times = new Map(Object.keys(variants).map((name) => [name, [] as number[]]))
const matches = new Map<string, number>()
for (let round = 0; round < Number(values.rounds) + 2; round++) {
  for (const [name, [run, count]] of Object.entries(variants)) {
    const start = process.hrtime.bigint()
    matches.set(name, run())
    if (round >= 2) times.get(name)?.push(Number(process.hrtime.bigint() - start) / count) // Two rounds to warm up.
  }
}

const attributes = plain.reduce((sum, { attributes: map }) => sum + Object.keys(map).length, 0) / plain.length
console.log(`${plain.length} records, ${attributes.toFixed(1)} attributes each on average`)
for (const [name, all] of times) {
  const sorted = all.sort((a, b) => a - b)
  const row = [sorted[Math.floor(sorted.length / 2)] ?? 0, sorted[0] ?? 0, sorted.at(-1) ?? 0]
  console.log(
    `${name.padEnd(40)} ${row.map((value) => String(Math.round(value)).padStart(7)).join('')} ns/record (median, best, worst), ${matches.get(name)} matches in all rounds`,
  )
}
