/** The Collector's keys, and `detectors`, `body` and `max_scan_size` of ours. */
import { z } from 'zod'
import { byteSize, regex, secret } from '../../src/config/values.ts'
import { DEFAULT_DETECTORS, DETECTOR_NAMES } from '../../src/redaction/detectors.ts'
import { HASH_FUNCTIONS, leastKeyLength } from '../../src/redaction/mask.ts'

const patterns = z.array(regex()).default([])

const fields = z.strictObject({
  allow_all_keys: z.boolean().default(false).describe('Keep every attribute; else only those of allowed_keys.'),
  allowed_keys: z
    .array(z.string())
    .optional()
    .describe(
      'Attributes to keep, by name; all others are removed from record, resource and a body that is a map. An empty list removes all.',
    ),
  ignored_keys: z.array(z.string()).default([]).describe('Attributes that are neither removed nor looked at.'),
  ignored_key_patterns: patterns.describe('The same by regular expressions.'),
  blocked_key_patterns: patterns.describe('Attributes whose name matches one of these are masked as a whole.'),
  blocked_values: patterns.describe('The parts of a value that match one of these are masked.'),
  allowed_values: patterns.describe(
    'A value that matches one of these is spared by blocked_values and blocked_key_patterns, and something found by a detector that matches one stays.',
  ),
  redact_all_types: z
    .boolean()
    .default(false)
    .describe('Look at numbers and booleans too, as text: a card number may be a number.'),
  hash_function: z
    .enum(HASH_FUNCTIONS)
    .optional()
    .describe('Write a hash in hexadecimal instead of `****`, so that equal secrets can still be told to be equal.'),
  hmac_key: secret().optional().describe('Key of hmac-sha256 (at least 32 bytes) and hmac-sha512 (at least 64 bytes).'),
  summary: z
    .enum(['debug', 'info', 'silent'])
    .default('silent')
    .describe(
      'Attributes that say what was done: `info` counts (`redaction.masked.count` …), `debug` also names (`redaction.masked.keys` …).',
    ),
  detectors: z
    .array(z.enum(DETECTOR_NAMES))
    .default(DEFAULT_DETECTORS)
    .describe('Kinds of credentials and personal data to find wherever they stand, names of attributes included.'),
  body: z.boolean().default(true).describe('Look at the body as well.'),
  max_scan_size: byteSize()
    .prefault('64KiB')
    .describe(
      'Most characters of a value that blocked_values and allowed_values look at: a longer value is never spared, and what lies beyond is masked. Detectors look at all of it.',
    ),
})

export const config = fields.superRefine((given, context) => {
  const say = (path: keyof typeof given, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message })
  if (!given.allow_all_keys && given.allowed_keys === undefined) {
    say(
      'allowed_keys',
      'every attribute would be removed: write allow_all_keys: true to keep them, or list those to keep ([] removes all)',
    )
  }
  const least = leastKeyLength(given.hash_function)
  const length = given.hmac_key === undefined ? undefined : Buffer.byteLength(given.hmac_key)
  if (least !== undefined && (length ?? 0) < least) {
    say('hmac_key', `${given.hash_function} needs a key of at least ${least} bytes, found ${length ?? 'none'}`)
  }
  if (least === undefined && length !== undefined) {
    say('hmac_key', 'is used by hash_function: hmac-sha256 and hmac-sha512 only')
  }
})

export type RedactionConfig = z.output<typeof config>
