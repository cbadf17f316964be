/** What stands behind `--config` and `--set`: each becomes a tree. */
import { resolve } from 'node:path'
import type { Position, Problem } from './config.ts'
import type { Entry, MapNode, Node } from './node.ts'
import { type Parsed, type ParseOptions, parseYaml } from './parse.ts'
import { openFile, type Resolving, refuseScheme, splitScheme } from './providers.ts'

export interface Source extends Parsed {
  /** As positions name it. */
  readonly name: string
}

/** Reads one `--config`: a path, `file:path`, `env:NAME` or `yaml:text`. Never throws: what is wrong is in the result. */
export function readSource(uri: string, context: Resolving): Source {
  const name = `--config ${uri.slice(0, 60)}`
  try {
    return opened(uri, context)
  } catch (error) {
    return failed(name, { source: name, line: 0, column: 0 }, (error as Error).message)
  }
}

function opened(uri: string, context: Resolving): Source {
  const { limits, env, cwd } = context
  if (uri.trim() === '') throw new Error('expected a path, file:path, env:NAME or yaml:text, found nothing')
  const { scheme = 'file', rest } = splitScheme(uri)
  if (scheme === 'file') {
    const { text, source } = openFile(resolve(cwd, rest), context)
    return named(parseYaml(text, { source, limits }), source)
  }
  if (scheme === 'yaml')
    return named(unflattened(parseYaml(rest, { source: '--config yaml', limits })), '--config yaml')
  if (scheme !== 'env') throw refuseScheme(scheme, uri)
  const text = Object.hasOwn(env, rest) ? env[rest] : undefined
  if (text === undefined) throw new Error(`the environment variable ${rest} is not set`)
  return named(parseYaml(text, { source: uri, limits }), uri)
}

function named(parsed: Parsed, name: string): Source {
  return { ...parsed, name }
}

function failed(name: string, position: Position, message: string): Source {
  const problem: Problem = { position, path: [], message }
  return { name, node: undefined, syntaxErrors: [problem], errors: [], warnings: [] }
}

/** `processors::batch::timeout: 2s` in `yaml:` text means what it means in the Collector. */
function unflattened(parsed: Parsed): Parsed {
  const { node } = parsed
  if (node?.kind !== 'map') return parsed
  let result: MapNode = { ...node, entries: new Map() }
  for (const [key, entry] of node.entries) result = nest(result, key.split('::'), entry)
  return { ...parsed, node: result }
}

function nest(map: MapNode, keys: readonly string[], { at, value }: Entry): MapNode {
  const [key = '', ...rest] = keys
  const below = map.entries.get(key)?.value
  const inner: MapNode = below?.kind === 'map' ? below : { kind: 'map', at, entries: new Map() }
  const next: Node = rest.length === 0 ? value : nest(inner, rest, { at, value })
  return { ...map, entries: new Map(map.entries).set(key, { at, value: next }) }
}

/** Reads one `--set`: `a.b.c=value`, or `a::b::c=value` where a key has dots. */
export function readSet(text: string, context: Resolving): Source {
  const equals = text.indexOf('=')
  const key = equals < 0 ? text : text.slice(0, equals)
  const name = `--set ${key.slice(0, 200)}`
  const at: Position = { source: name, line: 0, column: 0 }
  if (equals < 0) return failed(name, at, 'missing equal sign: write --set path.to.key=value')
  const keys = key.split(key.includes('::') ? '::' : '.').map((each) => each.trim())
  if (keys.includes('')) return failed(name, at, 'a part of the key is empty: write --set path.to.key=value')
  if (keys.length > 100) return failed(name, at, 'the key has too many parts')
  const options: ParseOptions = { source: name, at, limits: context.limits, path: keys }
  const parsed = parseYaml(text.slice(equals + 1), options)
  const value: Node = parsed.node ?? { kind: 'scalar', at, value: null }
  return named({ ...parsed, node: nest({ kind: 'map', at, entries: new Map() }, keys, { at, value }) }, name)
}
