/**
 * Writes a realistic Kubernetes audit log of any size.
 *
 *   node bench/generate-audit.ts --events 400000 --seed 1 [--attack] [--out FILE]
 *     [--levels Metadata,Request,RequestResponse] [--start 2026-11-02T03:00:00Z] [--rate 200]
 *
 * Without --out the log goes to standard output. The same options give the same bytes.
 */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import type { Level } from './audit/event.ts'
import { auditLines, type GenerateOptions } from './audit/generate.ts'

const CHUNK = 256 * 1024

/** The log in chunks of about 256 KiB, newlines included. */
export function* auditChunks(options: GenerateOptions): Generator<string> {
  let chunk = ''
  for (const line of auditLines(options)) {
    chunk += `${line}\n`
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

/** Writes the log to a file and resolves when it is complete. */
export async function writeAuditLog(path: string, options: GenerateOptions): Promise<void> {
  await pipeline(Readable.from(auditChunks(options), { objectMode: true, highWaterMark: 4 }), createWriteStream(path))
}

function fromArguments(): GenerateOptions & { out: string | undefined } {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      attack: { type: 'boolean', default: false },
      out: { type: 'string' },
      levels: { type: 'string' },
      start: { type: 'string' },
      rate: { type: 'string', default: '200' },
    },
  })
  const start = values.start === undefined ? undefined : new Date(values.start)
  const options = {
    events: Number(values.events),
    seed: Number(values.seed),
    attack: values.attack,
    rate: Number(values.rate),
    out: values.out,
    ...(start && { start }),
    ...(values.levels && { levels: values.levels.split(',') as Level[] }),
  }
  const numbers = [options.events, options.seed, options.rate, start?.getTime() ?? 0]
  if (numbers.every(Number.isFinite) && options.events >= 0 && options.rate > 0) return options
  throw new Error('--events, --seed and --rate take numbers, --start takes an RFC 3339 time')
}

if (import.meta.main) {
  const { out, ...options } = fromArguments()
  if (out !== undefined) await writeAuditLog(out, options)
  else await pipeline(Readable.from(auditChunks(options), { objectMode: true, highWaterMark: 4 }), process.stdout)
}
