/**
 * Follows the audit log that kube-apiserver writes, and turns its events into records.
 *
 * kube-apiserver rotates the log itself (`--audit-log-maxsize`): it renames `audit.log` to
 * `audit-2026-01-02T03-04-05.000.log` and goes on in a new `audit.log`. The follower knows files by their beginning and
 * keeps the one it reads open, so a renamed log is read to its end whether or not `include` matches its new name;
 * include the rotated names too (`audit*.log`) to catch up on logs that were rotated while Weir was not running.
 */
import { z } from 'zod'
import {
  type AuditDecoder,
  createAuditDecoder,
  type Decoded,
  emptyDecoded,
  type FilterReason,
} from '../src/audit/decode.ts'
import { auditOptions } from '../src/audit/options.ts'
import { boundedRaw, redactRaw } from '../src/audit/redact-raw.ts'
import { type Context, type DeadLetter, defineReceiver } from '../src/component.ts'
import { byteSize } from '../src/config/values.ts'
import { follow } from '../src/files/follow.ts'
import { followKeys, followOptions } from '../src/files/options.ts'
import type { Page, TakePage } from '../src/files/page.ts'
import { DELIVERED } from '../src/flow/ack.ts'
import type { Intake } from '../src/flow/intake.ts'
import { nowHrTime } from '../src/records/time.ts'

const config = z.strictObject({
  ...followKeys,
  include: followKeys.include.describe(
    'Paths or globs of audit logs. A log that kube-apiserver rotates is read to its end under any name; add the rotated names (`audit*.log`) to catch up on what was rotated while Weir was not running.',
  ),
  max_log_size: byteSize()
    .refine((bytes) => bytes >= 1024 && bytes <= 64 * 1024 * 1024, { message: 'expected 1KiB to 64MiB' })
    .prefault('16MiB')
    .describe('Longest line, in bytes. Events with large bodies reach megabytes; what is cut is no event any more.'),
  max_log_size_behavior: followKeys.max_log_size_behavior.default('truncate'),
  force_flush_period: followKeys.force_flush_period.prefault('5s'),
  include_file_path: z.boolean().default(false).describe('Keep the path of the log in `log.file.path`.'),
  ...auditOptions,
})

export const k8sAudit = defineReceiver({
  type: 'k8s_audit',
  stability: 'beta',
  summary: 'Follows the audit log of a Kubernetes API server.',
  delivery: 'replay',
  ends: true,
  config,
  examples: [
    { include: ['/var/log/kubernetes/audit/audit.log'], cluster_name: 'production' },
    {
      include: ['/var/log/kubernetes/audit/audit*.log'],
      start_at: 'beginning',
      levels: ['Metadata', 'Request', 'RequestResponse'],
      ignore: [
        { users: ['system:serviceaccount:monitoring:*'], verbs: ['get', 'list', 'watch'], only_successful: true },
      ],
    },
  ],
  create(options, context) {
    const decoder = createAuditDecoder(options)
    return {
      run: (intake, signal) =>
        follow(followOptions(options), context, takePages(decoder, options, context, intake), signal),
    }
  },
})

type Options = z.output<typeof config>

/** One page in, one batch out: admitted with the bytes it had in the file. */
function takePages(decoder: AuditDecoder, options: Options, context: Context, intake: Intake): TakePage {
  return async (page, signal) => {
    const decoded = emptyDecoded()
    const letters = decodePage(page, decoder, options, decoded)
    if (options.include_file_path) {
      for (const { attributes } of decoded.records) attributes['log.file.path'] = page.file.path
    }
    countFiltered(decoded, context)
    if (letters.length > 0) await context.reject(letters)
    if (decoded.records.length === 0) return { outcome: Promise.resolve(DELIVERED) }
    return intake.admit(decoded.records, page.end - page.start, signal)
  }
}

/** Decodes every line into `into`; returns what was none of ours. */
function decodePage(page: Page, decoder: AuditDecoder, options: Options, into: Decoded): DeadLetter[] {
  const observed = nowHrTime()
  const letters: DeadLetter[] = []
  for (let i = 0; i < page.lines.length; i++) {
    const line = page.lines[i] as string
    if (line === '') continue
    decoder.line(line, observed, into)
    if (into.malformed.length > 0) condemn(into, line, i, page, options, letters)
  }
  return letters
}

/** Turns what was malformed in one line into letters, and forgets it. */
function condemn(
  { malformed }: Decoded,
  line: string,
  index: number,
  page: Page,
  options: Options,
  letters: DeadLetter[],
): void {
  const source = `${page.file.path}:${page.offsets()[index] ?? page.start}`
  const raw = options.redact_secrets ? redactRaw(line) : boundedRaw(line)
  for (const { error, item } of malformed) {
    letters.push({ reason: 'malformed', error, raw, source: item === undefined ? source : `${source} item ${item}` })
  }
  malformed.length = 0
}

function countFiltered({ filtered }: Decoded, context: Context): void {
  for (const reason in filtered) {
    const count = filtered[reason as FilterReason]
    if (count > 0) context.filtered(count, reason)
  }
}
