/** What every receiver that follows files lets its users choose, under the Collector's names. */
import { z } from 'zod'
import { byteSize, duration, reference } from '../config/values.ts'
import { encodingOf } from './encoding.ts'
import { createFinder } from './glob.ts'

export interface FollowOptions {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Where files that exist at the very first start are begun. Files that appear later are read from their beginning. */
  readonly startAt: 'beginning' | 'end'
  readonly pollMs: number
  /** Files whose last change is longer ago are not begun; 0 means every file is. */
  readonly excludeOlderThanMs: number
  readonly fingerprintBytes: number
  /** Handles kept open at most. */
  readonly maxOpenFiles: number
  readonly encoding: string
  /** `gzip`: every file is; `auto`: those whose name ends in `.gz`. Offsets count decompressed bytes. */
  readonly compression: '' | 'gzip' | 'auto'
  readonly maxLineBytes: number
  readonly onLongLine: 'split' | 'truncate'
  /** A last line without a newline is handed on when it has not grown for this long; 0 waits for ever. */
  readonly forceFlushMs: number
  /** What to do with a file that became shorter than what was read of it. */
  readonly onTruncate: 'read_whole_file' | 'read_new' | 'ignore'
}

function glob() {
  return z
    .string()
    .min(1)
    .superRefine((pattern, context) => {
      try {
        createFinder([pattern], [])
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
      }
    })
}

/** The keys of the configuration; a receiver spreads them into its own `z.strictObject`. */
export const followKeys = {
  include: z.array(glob()).min(1).describe('Paths or globs (`*`, `?`, `[a-z]`, `{a,b}`, `**`) of files to read.'),
  exclude: z.array(glob()).default([]).describe('Globs of files to leave out.'),
  start_at: z
    .enum(['beginning', 'end'])
    .default('end')
    .describe(
      'Where to begin files that exist at the very first start. Files that appear later are read from their beginning.',
    ),
  poll_interval: duration().prefault('200ms').describe('How often to look for new files and new lines.'),
  exclude_older_than: duration()
    .prefault('0')
    .describe('Leave out files whose last change is longer ago; `0` reads every file.'),
  fingerprint_size: byteSize()
    .refine((bytes) => bytes >= 16 && bytes <= 65_536, { message: 'expected 16 bytes to 64KiB' })
    .prefault(1000)
    .describe('How many of its first bytes identify a file.'),
  max_concurrent_files: z.int().min(2).default(1024).describe('Files held open at most.'),
  encoding: z
    .string()
    .refine((label) => encodingOf(label) !== undefined, {
      message:
        'unknown encoding; expected utf-8, utf-16le, utf-16be, ascii, nop, or a label of the WHATWG Encoding Standard such as big5',
    })
    .default('utf-8')
    .describe(
      'Encoding of the files: `utf-8`, `utf-16le`, `utf-16be`, `ascii`, `nop` (bytes as they are), or a WHATWG label.',
    ),
  compression: z
    .enum(['', 'gzip', 'auto'])
    .default('')
    .describe(
      '`gzip` when every file is compressed, `auto` for those whose name ends in `.gz`. What comes before damage is read, the rest is counted in `weir_file_lost_bytes`.',
    ),
  max_log_size: byteSize()
    .refine((bytes) => bytes >= 16 && bytes <= 64 * 1024 * 1024, { message: 'expected 16 bytes to 64MiB' })
    .prefault('1MiB')
    .describe('Longest line, in bytes.'),
  max_log_size_behavior: z
    .enum(['split', 'truncate'])
    .default('split')
    .describe('What to do with a longer line: cut it into several, or drop (and count) what is beyond the limit.'),
  force_flush_period: duration()
    .prefault('500ms')
    .describe('Hand on a last line without a newline when it has not grown for this long; `0` waits for ever.'),
  on_truncate: z
    .enum(['read_whole_file', 'read_new', 'ignore'])
    .default('read_whole_file')
    .describe(
      'When a file became shorter than what was read of it: read it from its beginning, only what is new, or nothing until it has grown past the old position.',
    ),
  storage: reference('extension')
    .optional()
    .describe('A `file_storage` extension that keeps the positions; without it they are in the state directory.'),
} as const

type FollowConfig = z.output<z.ZodObject<typeof followKeys>>

export function followOptions(config: FollowConfig): FollowOptions {
  return {
    include: config.include,
    exclude: config.exclude,
    startAt: config.start_at,
    pollMs: config.poll_interval,
    excludeOlderThanMs: config.exclude_older_than,
    fingerprintBytes: config.fingerprint_size,
    maxOpenFiles: config.max_concurrent_files,
    encoding: config.encoding,
    compression: config.compression,
    maxLineBytes: config.max_log_size,
    onLongLine: config.max_log_size_behavior,
    forceFlushMs: config.force_flush_period,
    onTruncate: config.on_truncate,
  }
}
