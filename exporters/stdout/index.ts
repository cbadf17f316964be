/** Records on standard output: for people, for `kubectl logs`, and for another program's standard input. */
import { z } from 'zod'
import { defineExporter } from '../../src/component.ts'
import { encodeOrReject } from '../../src/exporting/errors.ts'
import { toOtlpJson } from '../../src/otlp/json.ts'
import { recordToJson } from '../../src/records/json.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { harmless, prettyLine } from './pretty.ts'

const config = z.strictObject({
  format: z
    .enum(['pretty', 'json', 'otlp_json'])
    .default('pretty')
    .describe('`pretty`: one aligned line a record; `json`: one object a line; `otlp_json`: one OTLP request a line.'),
  color: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('Colours of `pretty`; `auto` means on a terminal, unless NO_COLOR is set.'),
})

export const stdout = defineExporter({
  type: 'stdout',
  stability: 'beta',
  summary: 'Writes records to standard output.',
  config,
  examples: [{}, { format: 'json' }],
  create({ format, color }, context) {
    const coloured = color === 'always' || (color === 'auto' && process.stdout.isTTY && !process.env['NO_COLOR'])
    const lines: Record<typeof format, (records: readonly LogRecord[]) => string> = {
      pretty: (records) => records.map((record) => prettyLine(record, coloured)).join(''),
      json: (records) => harmless(records.map((record) => `${recordToJson(record)}\n`).join('')),
      otlp_json: (records) => harmless(`${toOtlpJson(records)}\n`),
    }
    const toText = lines[format]
    let last: Promise<unknown> = Promise.resolve()
    return {
      // One batch after the other, so that lines of two batches are never mixed; done when the reader's pipe has it.
      async export(records) {
        const text = encodeOrReject(() => toText(records))
        const written = last.then(() => write(text))
        last = written.catch((error: Error) => context.log.warn('Standard output cannot be written.', { error }))
        return written
      },
    }
  },
})

function write(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  return promise
}
