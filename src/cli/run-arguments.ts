/** The arguments of `weir run`. */
import type { ConfigSources } from '../config/config.ts'
import { CONFIG_FLAGS, parseFlags, sourcesOf } from './arguments.ts'

export interface RunArguments {
  readonly sources: ConfigSources
  readonly stateDir: string | undefined
  readonly drain: boolean
  readonly watch: boolean
}

/** Throws a UsageError. */
export function parseRunArguments(args: string[], cwd: string): RunArguments {
  const values = parseFlags('run', args, {
    ...CONFIG_FLAGS,
    'state-dir': { type: 'string' },
    drain: { type: 'boolean' },
    watch: { type: 'boolean' },
  })
  return {
    sources: sourcesOf('run', values, cwd),
    stateDir: values['state-dir'],
    drain: values.drain ?? false,
    watch: values.watch ?? false,
  }
}
