/** What commands share that work on a state directory: beside a running Weir, or where none runs. */
import { resolve } from 'node:path'
import type { ParseArgsConfig, parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { Program } from '../graph/program.ts'
import type { Runtime } from '../graph/runtime.ts'
import { resolveStateDir } from '../storage/state-dir.ts'
import { createLogger } from '../telemetry/logger.ts'
import { parseFlags, problemText, sourcesOf, UsageError } from './arguments.ts'
import { openHost } from './host.ts'
import type { Io } from './io.ts'

export const OFFLINE_FLAGS = { 'state-dir': { type: 'string' } } as const satisfies ParseArgsConfig['options']

type Flags = NonNullable<ParseArgsConfig['options']>

/** A command whose first word says what to do. Throws a UsageError. */
export function parseCommand<const T extends Flags, const A extends string>(
  name: string,
  args: readonly string[],
  actions: readonly A[],
  flags: T,
): { action: A; values: ReturnType<typeof parseArgs<{ options: T }>>['values'] } {
  const [first = '', ...rest] = args
  const action = actions.find((each) => each === first)
  if (action === undefined) {
    const what = first === '' || first.startsWith('-') ? 'say what to do' : `there is no "${first}"`
    throw new UsageError(`weir ${name}: ${what}: ${actions.map((each) => `weir ${name} ${each}`).join(', ')}`)
  }
  return { action, values: parseFlags(`${name} ${action}`, rest, flags) }
}

export function stateDirOf(flag: string | undefined, io: Io): string {
  return resolveStateDir(flag === undefined ? undefined : resolve(io.cwd, flag), io.env)
}

/** Starts what leads to the destinations of a configuration, without its receivers, for as long as `work` takes. */
export async function withProgram(
  name: string,
  values: Parameters<typeof sourcesOf>[1],
  stateDir: string,
  io: Io,
  work: (program: Program, runtime: Runtime) => Promise<number>,
): Promise<number> {
  const loaded = loadConfig(sourcesOf(name, values, io.cwd), io.registry, io.env)
  const { config } = loaded
  if (config === undefined) {
    io.stderr(problemText(loaded))
    return 1
  }
  const { level, encoding } = config.service.logs
  const log = createLogger({ level, encoding, write: (line) => io.stderr(`${line}\n`) })
  const host = await openHost({ stateDir, drain: true, log, config, isReady: () => true }).catch(explained(name))
  try {
    const program = new Program(host.runtime)
    await program.start(config, { withReceivers: false }).catch(explained(name))
    try {
      return await work(program, host.runtime)
    } finally {
      await program.stop(config.service.shutdownTimeoutMs)
    }
  } finally {
    await host.close()
  }
}

function explained(name: string): (error: Error) => never {
  return (error) => {
    throw new UsageError(`weir ${name}: ${error.message}`)
  }
}
