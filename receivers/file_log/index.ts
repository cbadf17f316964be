/** Follows log files: lines of text, JSON lines, and the files that container runtimes write. */
import { defineReceiver } from '../../src/component.ts'
import { follow } from '../../src/files/follow.ts'
import { followOptions } from '../../src/files/options.ts'
import { config, unsupported } from './config.ts'
import { takePages } from './take.ts'

export const fileLog = defineReceiver({
  type: 'file_log',
  aliases: ['filelog'],
  stability: 'beta',
  summary: 'Follows log files, across rotation and restarts.',
  delivery: 'replay',
  ends: true,
  config,
  unsupported,
  examples: [
    { include: ['/var/log/*.log'], exclude: ['/var/log/debug.log'] },
    { include: ['/var/log/pods/*/*/*.log'], exclude: ['/var/log/pods/*/weir/*.log'], format: 'cri' },
    { include: ['/srv/app/*.json'], start_at: 'beginning', format: 'json', json: { message: 'event.text' } },
    { include: ['/srv/app/server.log'], multiline: { line_start_pattern: '^\\d{4}-\\d{2}-\\d{2}' } },
  ],
  create: (options, context) => ({
    run: (intake, signal) => follow(followOptions(options), context, takePages(options, context, intake), signal),
  }),
})
