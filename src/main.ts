/** argv, signals, exit codes; nothing else may exit. */
import { command as asCommand } from './cli/arguments.ts'
import { components } from './cli/components.ts'
import { deadLetter } from './cli/dead-letter.ts'
import { HELP } from './cli/help.ts'
import type { Command, Io } from './cli/io.ts'
import { printConfig } from './cli/print-config.ts'
import { queue } from './cli/queue.ts'
import { type RunControls, run } from './cli/run.ts'
import { schema } from './cli/schema.ts'
import { validate } from './cli/validate.ts'
import { VERSION } from './cli/version.ts'
import { registry } from './components.ts'

const io: Io = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
  registry,
}

/** Time for what was written to stderr at the end to be read. */
const LAST_WORDS_MS = 1000

/** Time to deliver elsewhere when the reader of standard output has gone. */
const CLOSED_PIPE_LIMIT_MS = 500

function listen({ stop, reload }: RunControls): void {
  let asked = false
  const end = (signal: NodeJS.Signals): void => {
    // The second signal means: now. What is not delivered is sent again by sources that replay.
    stop(signal, asked ? 0 : undefined)
    if (asked) process.exit(1)
    asked = true
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', () => reload('SIGHUP'))
  process.stdout.on('error', () => stop('standard output was closed', CLOSED_PIPE_LIMIT_MS))
}

const print =
  (text: string): Command =>
  async (_, { stdout }) => {
    stdout(text)
    return 0
  }

const commands: Readonly<Record<string, Command>> = {
  run: asCommand(async (args, io) => {
    const code = await run(args, io, listen)
    // What a reader that has stopped reading did not take was not acknowledged: nobody needs to wait for it.
    setTimeout(() => process.exit(), LAST_WORDS_MS).unref()
    return code
  }),
  'dead-letter': deadLetter,
  queue,
  // Brings the tables of ECS along, which nothing else needs at the start.
  elasticsearch: async (args, io) => (await import('./cli/elasticsearch.ts')).elasticsearch(args, io),
  // Brings the sensor along.
  ebpf: async (args, io) => (await import('./cli/ebpf.ts')).ebpf(args, io),
  validate,
  components,
  'print-config': printConfig,
  'print-initial-config': printConfig,
  schema,
  version: print(`weir ${VERSION}\n`),
  '--version': print(`weir ${VERSION}\n`),
  help: print(HELP),
  '--help': print(HELP),
  '-h': print(HELP),
}

// Whoever read the output may have gone, as in `weir schema | head -1`: that is no error of ours.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

const [first = 'help', ...rest] = process.argv.slice(2)
// The Collector has no command for running: its users type flags alone.
const isFlag = /^(--config|--set|-c)/.test(first)
const wantsHelp = rest.includes('--help') || rest.includes('-h')
const name = isFlag ? 'run' : wantsHelp ? 'help' : first
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (command === undefined) {
  io.stderr(
    `weir: there is no command "${first}". Commands: ${Object.keys(commands)
      .filter((name) => !name.startsWith('-'))
      .join(', ')}\n`,
  )
  process.exitCode = 1
} else {
  process.exitCode = await command(isFlag ? [first, ...rest] : rest, io)
}
