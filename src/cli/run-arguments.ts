/** The arguments of `weir run`. */
import { parseArgs } from 'node:util'
import type { ConfigSources } from '../config/config.ts'

export interface RunArguments {
  readonly sources: ConfigSources
  readonly stateDir: string | undefined
  readonly drain: boolean
  readonly watch: boolean
}

export function parseRunArguments(args: string[]): RunArguments | { readonly error: string } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        config: { type: 'string', multiple: true, short: 'c' },
        set: { type: 'string', multiple: true },
        'state-dir': { type: 'string' },
        drain: { type: 'boolean', default: false },
        watch: { type: 'boolean', default: false },
      },
    })
    const configs = values.config ?? []
    if (configs.length === 0) return { error: 'at least one config flag must be provided: weir run --config FILE' }
    return {
      sources: { configs, sets: values.set ?? [] },
      stateDir: values['state-dir'],
      drain: values.drain,
      watch: values.watch,
    }
  } catch (error) {
    return { error: `${(error as Error).message.split('\n')[0]} Try: weir help run` }
  }
}
