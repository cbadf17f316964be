/** The keys of `file_log`: the Collector's where Weir can honour them, and what to read each line as. */
import { z } from 'zod'
import { followKeys } from '../../src/files/options.ts'

/** A pattern in Go's notation as far as JavaScript knows it: a leading `(?i)` and the like become flags. */
function linePattern() {
  return z
    .string()
    .min(1)
    .transform((text, context) => {
      const inline = /^\(\?([ims]+)\)/.exec(text)
      try {
        return new RegExp(inline ? text.slice(inline[0].length) : text, `u${inline?.[1] ?? ''}`)
      } catch (error) {
        context.addIssue({ code: 'custom', message: `not a regular expression: ${(error as Error).message}` })
        return z.NEVER
      }
    })
    .meta({ format: 'regex' })
}

const multiline = z
  .strictObject({
    line_start_pattern: linePattern().optional().describe('A line that begins with this begins a record.'),
    line_end_pattern: linePattern().optional().describe('A line in which this is found ends a record.'),
    omit_pattern: z.boolean().default(false).describe('Leave out of the body what the pattern matched.'),
  })
  .refine((keys) => (keys.line_start_pattern === undefined) !== (keys.line_end_pattern === undefined), {
    message: 'expected exactly one of line_start_pattern and line_end_pattern',
  })

const keys = (...names: string[]) =>
  z
    .union([
      z
        .string()
        .min(1)
        .transform((name) => [name]),
      z.array(z.string().min(1)),
    ])
    .prefault(names)

const json = z.strictObject({
  time: keys('time', 'timestamp', 'ts', '@timestamp').describe(
    'Keys that may hold the time: RFC 3339, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970. One that is no time, or outside 1970 to 2554, stays an attribute, and the record has the time at which it was read.',
  ),
  severity: keys('severity', 'level', 'lvl', 'log.level').describe(
    'Keys that may hold the severity: a name, or a pino level.',
  ),
  message: keys('message', 'msg').describe('Keys that may hold the body.'),
})

const staticValue = z
  .union([z.string(), z.number(), z.boolean()])
  .refine((value) => !(typeof value === 'string' && value.startsWith('EXPR(')), {
    message: 'EXPR(...) is not supported; use an attributes processor to compute values',
  })

const staticValues = (what: string) => z.record(z.string().min(1), staticValue).default({}).describe(what)
const flag = (what: string, byDefault = false) => z.boolean().default(byDefault).describe(what)

export const config = z
  .strictObject({
    ...followKeys,
    format: z
      .enum(['text', 'json', 'cri'])
      .default('text')
      .describe(
        'What a line is: text; one JSON object (integers beyond 2^53 become text, to keep their digits); or a line that a container runtime wrote (CRI, docker json-file; a time outside 1970 to 2554 is kept in `log.time.original`).',
      ),
    json: json.prefault({}).describe('Where the parts of a record are in a JSON line; dots reach into nested objects.'),
    multiline: multiline.optional().describe('Joins lines to records; with `format: text` only.'),
    include_file_name: flag('Keep the name of the file in `log.file.name`.', true),
    include_file_path: flag('Keep its path in `log.file.path`.'),
    include_file_name_resolved: flag('Keep its name, links resolved, in `log.file.name_resolved`.'),
    include_file_path_resolved: flag('Keep its path, links resolved, in `log.file.path_resolved`.'),
    include_file_owner_name: flag("Keep its owner's name in `log.file.owner.name`."),
    include_file_owner_group_name: flag("Keep its group's name in `log.file.owner.group.name`."),
    include_file_record_offset: flag('Keep the byte at which the record starts in `log.file.record_offset`.'),
    attributes: staticValues('Attributes to set on every record.'),
    resource: staticValues('Resource attributes to set on every record.'),
    preserve_leading_whitespaces: flag('Keep white space at the beginning of a record.'),
    preserve_trailing_whitespaces: flag('Keep white space at the end of a record.'),
    retry_on_failure: z
      .strictObject({
        enabled: z
          .boolean()
          .refine((enabled) => enabled, {
            message: 'Weir always reads again what was not delivered; leave the key out',
          })
          .describe('Always true.'),
      })
      .optional()
      .describe('Accepted for compatibility: what was not delivered is always read again, without a limit of time.'),
  })
  .refine((options) => options.multiline === undefined || options.format === 'text', {
    path: ['multiline'],
    message: 'expected no multiline with this format: the parts of a record are told by the format itself',
  })

export type FileLogOptions = z.output<typeof config>

const OWN_PACE = 'Weir chooses this itself; leave the key out.'

export const unsupported = {
  operators:
    'Operators are not supported; use "format" to read lines, and the processors to filter and change records.',
  header: 'Metadata in a header is not supported; set "attributes" or "resource" instead.',
  ordering_criteria: 'Files are not selected by order; name the ones to read in "include" and "exclude".',
  delete_after_read: 'Weir never deletes what it reads; have a rotator or a scheduled job do it.',
  acquire_fs_lock: 'Weir does not lock the files it reads; leave the key out.',
  'retry_on_failure.initial_interval': `The wait doubles from 100ms. ${OWN_PACE}`,
  'retry_on_failure.max_interval': `The wait doubles up to 10s. ${OWN_PACE}`,
  'retry_on_failure.max_elapsed_time': 'Weir tries again until it succeeds; leave the key out.',
  initial_buffer_size: `Files are read a mebibyte at a time. ${OWN_PACE}`,
  max_batches: 'All matching files are read; "max_concurrent_files" bounds how many are open at once.',
  file_cache_advise: 'The page cache is left to the kernel; leave the key out.',
  polls_to_archive: 'Files that are gone are remembered for a week; leave the key out.',
  include_file_record_number:
    'Records are not numbered; "include_file_record_offset" says where in its file a record is, also after a restart.',
} as const
