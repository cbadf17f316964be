/** What the flags of every command have in common: `--config`, `--set`, and what is said about wrong ones. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { ConfigSources, LoadResult, Problem } from '../config/config.ts'
import { formatProblem } from '../config/config.ts'
import { nearest } from '../config/nearest.ts'
import type { Command, Io } from './io.ts'

export const CONFIG_FLAGS = {
  config: { type: 'string', multiple: true, short: 'c' },
  set: { type: 'string', multiple: true },
} as const satisfies ParseArgsConfig['options']

/** The command line makes no sense. The message is all that a user needs to see. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type Flags = NonNullable<ParseArgsConfig['options']>
type Values<T extends Flags> = ReturnType<typeof parseArgs<{ options: T }>>['values']

/** Reads the flags of a command; nothing else may stand beside them. Throws a UsageError. */
export function parseFlags<const T extends Flags>(command: string, args: string[], options: T): Values<T> {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    throw new UsageError(`weir ${command}: ${explain(code, message, options)}`)
  }
}

function explain(code: string | undefined, message: string, options: Flags): string {
  const flag = /'(?:-\w, )?(-{0,2}[^'\s]*)/.exec(message)?.[1] ?? ''
  const known = Object.keys(options).map((name) => `--${name}`)
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = nearest(flag, known)
    return `unknown flag ${flag}${near === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${near}?`}`
  }
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    return `unexpected argument "${flag}"${'config' in options ? `; a file is given as --config ${flag}` : ''}`
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' && message.includes('does not take'))
    return `${flag} takes no value`
  return code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' ? `${flag} needs a value` : message
}

/** What to read. Throws a UsageError when there is nothing. */
export function sourcesOf(command: string, values: Values<typeof CONFIG_FLAGS>, cwd: string): ConfigSources {
  const configs = values.config ?? []
  if (configs.length === 0) {
    throw new UsageError(`weir ${command}: at least one config flag must be provided: --config FILE`)
  }
  return { configs, sets: values.set ?? [], cwd }
}

/** Refuses a value that is not one of a few. */
export function oneOf<T extends string>(command: string, flag: string, value: string, valid: readonly T[]): T {
  const found = valid.find((each) => each === value)
  if (found !== undefined) return found
  throw new UsageError(`weir ${command}: --${flag} is ${valid.join(' or ')}, not "${value}"`)
}

/** A command that may throw a UsageError: it becomes a line on stderr and exit code 1. */
export function command(body: (args: string[], io: Io) => Promise<number>): Command {
  return async (args, io) => {
    try {
      return await body(args, io)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      io.stderr(`${error.message}\n`)
      return 1
    }
  }
}

const MAX_SHOWN = 100

/** All warnings and errors, a line each; the errors last, where a reader looks first. */
export function problemText({ warnings, errors }: Pick<LoadResult, 'warnings' | 'errors'>): string {
  return [...lines(warnings, 'warning: '), ...lines(errors, '')].map((line) => `${line}\n`).join('')
}

function lines(problems: readonly Problem[], prefix: string): string[] {
  const shown = problems.slice(0, MAX_SHOWN).map((problem) => prefix + formatProblem(problem))
  const rest = problems.length - shown.length
  return rest > 0 ? [...shown, `${prefix}… and ${rest} more`] : shown
}
