/**
 * What does decoding an audit event cost beside parsing it?
 *
 *   node bench/micro/audit-decode.ts [--events 20000] [--rounds 15]
 *
 * The lines are generated once and kept in memory. Each round runs every variant over all of them; printed are the
 * median, best and worst round in nanoseconds an event. `decode` is `parse + decode` less `parse`. Never a gate.
 */
import { parseArgs } from 'node:util'
import { createAuditDecoder, emptyDecoded } from '../../src/audit/decode.ts'
import { defaultAuditOptions } from '../../src/audit/options.ts'
import { auditLines } from '../audit/generate.ts'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '20000' }, rounds: { type: 'string', default: '15' } },
})
const lines = [...auditLines({ events: Number(values.events), seed: 1, attack: true })].map(flat)
const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0)

/** A string of its own, as a file reader would make it. */
function flat(line: string): string {
  return Buffer.from(line).toString('utf8')
}

const observed: [number, number] = [1_800_000_000, 0]

function decoding(options: Parameters<typeof defaultAuditOptions>[0]): () => number {
  const decoder = createAuditDecoder(defaultAuditOptions(options))
  return () => {
    let records = 0
    for (let from = 0; from < lines.length; from += 500) {
      const into = emptyDecoded()
      for (let i = from; i < from + 500 && i < lines.length; i++) decoder.line(lines[i] as string, observed, into)
      records += into.records.length
    }
    return records
  }
}

const everything = { stages: ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const }
const variants: Record<string, () => number> = {
  'JSON.parse alone': () => {
    let verbs = 0
    for (const line of lines) verbs += (JSON.parse(line) as { verb: string }).verb.length
    return verbs > 0 ? lines.length : 0
  },
  'parse + decode, all events': decoding({ stages: [...everything.stages], default_ignores: false }),
  'parse + decode, default options': decoding({}),
  'parse + decode, without redaction': decoding({
    stages: [...everything.stages],
    default_ignores: false,
    redact_secrets: false,
  }),
  'parse + decode, raw events kept': decoding({ include_raw: true, default_ignores: false }),
}

const times = new Map(Object.keys(variants).map((name) => [name, [] as number[]]))
const counts = new Map<string, number>()
for (let round = 0; round < Number(values.rounds) + 2; round++) {
  for (const [name, run] of Object.entries(variants)) {
    const start = process.hrtime.bigint()
    counts.set(name, run())
    const nanos = Number(process.hrtime.bigint() - start) / lines.length
    if (round >= 2) times.get(name)?.push(nanos) // Two rounds to warm up.
  }
}

const median = (name: string): number =>
  (times.get(name) ?? []).sort((a, b) => a - b)[Math.floor(Number(values.rounds) / 2)] ?? 0
console.log(`${lines.length} events, ${Math.round(bytes / lines.length)} bytes each on average`)
for (const [name, all] of times) {
  const sorted = all.sort((a, b) => a - b)
  const row = [median(name), sorted[0] ?? 0, sorted.at(-1) ?? 0].map((value) => String(Math.round(value)).padStart(7))
  console.log(`${name.padEnd(36)} ${row.join('')} ns/event (median, best, worst), ${counts.get(name)} records`)
}
const parse = median('JSON.parse alone')
const decode = median('parse + decode, all events') - parse
console.log(`decode: ${Math.round(decode)} ns/event, ${Math.round((100 * decode) / parse)} % of parsing`)
