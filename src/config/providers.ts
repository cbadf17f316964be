/** Where configuration comes from: files, environment variables and text, named by a scheme as the Collector's are. */
import { isAbsolute, relative, resolve as resolvePath } from 'node:path'
import type { Position, Problem } from './config.ts'
import type { Limits } from './parse.ts'
import { readText } from './read-text.ts'

/** What one load knows and finds out. */
export interface Resolving {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly limits: Limits & { expansions: number; characters: number }
  readonly errors: Problem[]
  readonly warnings: Problem[]
  /** Absolute paths of everything that was asked for. */
  readonly files: Set<string>
  /** The directory of each source that is a file; relative paths in it start there. */
  readonly directories: Map<string, string>
}

export interface Retrieved {
  /** Undefined for a variable that is not set. */
  readonly text: string | undefined
  /** What to call it in a message; never holds a default. */
  readonly label: string
  /** The file as it is named in positions. */
  readonly source?: string
  readonly hidden: boolean
  /** True for text in which everything is expanded already. */
  readonly final?: boolean
  readonly warning?: string
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/
const HTTP_REFUSED =
  'configuration over http is refused, because whoever controls the server would control this process; download the file and give its path'
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const SOUNDS_SECRET = /secret|token|passw|pwd|credential|auth|private|key/i

/** Splits `file:a.yaml`. One letter is no scheme but a drive. */
export function splitScheme(uri: string): { scheme: string | undefined; rest: string } {
  const scheme = SCHEME.exec(uri)?.[1]
  if (scheme === undefined) return { scheme: undefined, rest: uri }
  return { scheme, rest: uri.slice(scheme.length + 1) }
}

/** Why a scheme cannot be used, as a sentence for its author. */
export function refuseScheme(scheme: string, uri: string): Error {
  if (scheme === 'http' || scheme === 'https') {
    return new Error(HTTP_REFUSED)
  }
  return new Error(`scheme "${scheme}" is not supported for uri "${uri.slice(0, 60)}"; use env:, file: or yaml:`)
}

/**
 * Looks up `env:NAME`, `NAME`, `file:path` or `yaml:text`. An unset variable is worth a warning unless it has a
 * default. Throws an Error with a sentence when the expression makes no sense or its file cannot be read.
 */
export function retrieve(expression: string, hasDefault: boolean, at: Position, context: Resolving): Retrieved {
  const { limits } = context
  limits.expansions -= 1
  if (limits.expansions < 0) throw new Error('the configuration has too many expansions; do they multiply each other?')
  const retrieved = lookUp(expression, hasDefault, at, context)
  limits.characters -= retrieved.text?.length ?? 0
  if (limits.characters < 0) throw new Error('expansions make the configuration too large')
  return retrieved
}

function lookUp(expression: string, hasDefault: boolean, at: Position, context: Resolving): Retrieved {
  const { scheme = 'env', rest } = splitScheme(expression)
  if (scheme === 'env') return fromEnvironment(rest, hasDefault, context)
  if (scheme === 'yaml') return { text: rest, label: 'yaml text', hidden: false, final: true }
  if (scheme === 'file') return fromFile(rest, at, context)
  throw refuseScheme(scheme, expression)
}

function fromEnvironment(name: string, hasDefault: boolean, context: Resolving): Retrieved {
  if (!NAME.test(name)) {
    throw new Error(`environment variable "${name.slice(0, 60)}" has invalid name: must match regex ${NAME.source}`)
  }
  const label = `\${env:${name}}`
  const hidden = SOUNDS_SECRET.test(name)
  const text = Object.hasOwn(context.env, name) ? context.env[name] : undefined
  if (text !== undefined || hasDefault) return { text, label, hidden }
  const warning = `the environment variable ${name} is not set, so this has no value; \${env:${name}:-…} would give it a default`
  return { text, label, hidden, warning }
}

function fromFile(path: string, at: Position, context: Resolving): Retrieved {
  const directory = context.directories.get(at.source) ?? context.cwd
  const { text, source } = openFile(resolvePath(directory, path), context)
  // An editor ends a file with a newline, which no token has.
  return { text: text.replace(/\r?\n$/, ''), label: `\${file:${path}}`, source, hidden: true }
}

/** Reads a file and remembers it. Throws an Error that names it. */
export function openFile(absolute: string, context: Resolving): { text: string; source: string } {
  const source = displayed(absolute, context.cwd)
  context.files.add(absolute)
  context.directories.set(source, resolvePath(absolute, '..'))
  try {
    return { text: readText(absolute), source }
  } catch (error) {
    throw new Error(`cannot read ${source}: ${(error as Error).message}`)
  }
}

function displayed(absolute: string, cwd: string): string {
  const path = relative(cwd, absolute)
  return path === '' || path.startsWith('..') || isAbsolute(path) ? absolute : path
}
