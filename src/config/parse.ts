/**
 * YAML text -> a tree of located values.
 *
 * Everything a hostile or careless file can do is bounded: size, depth, the number of values (aliases counted
 * each time they are used, so that "billion laughs" ends in a sentence), aliases that contain themselves.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLParseError,
  type Node as YamlNode,
} from 'yaml'
import type { Position, Problem } from './config.ts'
import type { Entry, Node } from './node.ts'

export const MAX_TEXT = 4 * 1024 * 1024
const MAX_DEPTH = 100
const MAX_SYNTAX_ERRORS = 20

/** What one load may use up, over all of its sources. */
export interface Limits {
  /** Values that may still be made. */
  values: number
}

export interface ParseOptions {
  /** The name in positions: a file as the user named it. */
  readonly source: string
  readonly limits: Limits
  /** Set for text that stands elsewhere, such as a variable's value: the place that every value then has. */
  readonly at?: Position
  readonly via?: string
  readonly hidden?: boolean
  /** The path of the value that this text becomes. */
  readonly path?: readonly string[]
}

export interface Parsed {
  /** Undefined for empty text, and when nothing could be understood. */
  readonly node: Node | undefined
  /** Where the text is no YAML at all: what was understood around it may be wrong. */
  readonly syntaxErrors: readonly Problem[]
  /** YAML, but not a configuration: duplicate keys, aliases to nowhere. */
  readonly errors: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** Stops the walk where a bound is passed. */
class BoundError extends Error {
  readonly at: Position
  readonly path: readonly string[]
  constructor(message: string, at: Position, path: readonly string[]) {
    super(message)
    this.at = at
    this.path = path.slice(0, 10)
  }
}

interface Walk {
  readonly options: ParseOptions
  readonly place: (offset: number) => Position
  readonly anchors: Map<string, YamlNode>
  /** The nodes being walked: an alias to one of them contains itself. */
  readonly open: Set<YamlNode>
  readonly errors: Problem[]
}

export function parseYaml(text: string, options: ParseOptions): Parsed {
  const { source, at, path = [] } = options
  const start = at ?? { source, line: 1, column: 1 }
  const nothing = (message: string): Parsed => ({
    node: undefined,
    syntaxErrors: [{ position: start, path, message }],
    errors: [],
    warnings: [],
  })
  if (text.length > MAX_TEXT) return nothing(`the text is larger than ${MAX_TEXT} characters`)

  const lines = new LineCounter()
  const place = (offset: number): Position => {
    if (at !== undefined) return at
    const { line, col } = lines.linePos(offset)
    return { source, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  let document: Document.Parsed
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' })
  } catch (error) {
    // The parser is recursive: only nesting that no person writes gets here.
    return nothing(`not readable as YAML: ${error instanceof RangeError ? 'nested too deeply' : String(error)}`)
  }
  const toProblem = (error: Fault): Problem => ({
    position: place(error.pos[0]),
    path,
    message: explain(error),
  })
  const syntaxErrors = firstOfEachLine(withoutEchoes(document.errors, text).map(toProblem))
  const walk: Walk = { options, place, anchors: new Map(), open: new Set(), errors: [] }
  const node = walkDocument(document, walk, path)
  return { node, syntaxErrors, errors: walk.errors, warnings: document.warnings.map(toProblem) }
}

function walkDocument(document: Document.Parsed, walk: Walk, path: readonly string[]): Node | undefined {
  const { contents } = document
  if (contents === null) return undefined
  try {
    return toNode(contents, walk, path, 0)
  } catch (error) {
    if (!(error instanceof BoundError)) throw error
    walk.errors.push({ position: error.at, path: error.path, message: error.message })
    return { kind: 'broken', at: error.at }
  }
}

/** What we need of the parser's errors. */
interface Fault {
  readonly pos: readonly [number, number]
  readonly code: string
  readonly message: string
}

const FRIENDLY: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second YAML document ("---") begins here; write one document a file and give --config for each',
  TAB_AS_INDENT: 'a tab is used for indentation; YAML allows spaces only',
  EXPANSION: 'inside { } and [ ] an expansion needs quotes: "${env:NAME}"',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  UNEXPECTED_TOKEN: 'this does not fit what stands before it; is the indentation right, is a bracket or quote missing?',
  BLOCK_AS_IMPLICIT_KEY: 'a map cannot begin here; a value with ": " in it needs quotes, a map begins on the next line',
  BAD_INDENT: 'this line is indented differently from the lines it belongs to',
  MULTILINE_IMPLICIT_KEY:
    'a key and its value must be on one line; is a colon missing, or the indentation of the line before wrong?',
}

function explain({ code, message }: Fault): string {
  // Where the parser quotes what it found, that may be a secret: such messages are never passed on.
  return `YAML syntax: ${message.startsWith('Flow ') ? message : (FRIENDLY[code] ?? message)}`
}

/** After a mistake the parser often finds fault with everything that follows: that is one mistake. */
function withoutEchoes(errors: readonly YAMLParseError[], text: string): Fault[] {
  const isEcho = ({ code, message }: YAMLParseError): boolean =>
    code === 'UNEXPECTED_TOKEN' && message.includes('YAML stream')
  const first = errors.find(isEcho)
  const own = errors.filter((error) => !isEcho(error) || (error === first && error === errors[0]))
  return own.map(({ code, message, pos }) => {
    const isExpansion = text[pos[0]] === '{' && text[pos[0] - 1] === '$'
    return { code: isExpansion ? 'EXPANSION' : code, message, pos }
  })
}

/** One mistake often makes several errors on its line; the first one says what it is. */
function firstOfEachLine(problems: readonly Problem[]): Problem[] {
  const seen = new Set<number>()
  return problems
    .filter(({ position }) => !seen.has(position.line) && seen.add(position.line))
    .slice(0, MAX_SYNTAX_ERRORS)
}

function toNode(node: YamlNode, walk: Walk, path: readonly string[], depth: number): Node {
  const { options, place } = walk
  const at = place(node.range?.[0] ?? 0)
  options.limits.values -= 1
  if (options.limits.values < 0) {
    throw new BoundError('the configuration has too many values; do aliases (*name) multiply them?', at, path)
  }
  if (depth > MAX_DEPTH) throw new BoundError(`nested more than ${MAX_DEPTH} deep`, at, path)
  if (isAlias(node)) return aliased(node.source, at, walk, path, depth)
  if ('anchor' in node && typeof node.anchor === 'string') walk.anchors.set(node.anchor, node)
  const stamp = { at, via: options.via, hidden: options.hidden }
  if (isScalar(node)) return { kind: 'scalar', ...stamp, value: scalar(node.value) }
  walk.open.add(node)
  try {
    if (isMap(node)) return { kind: 'map', ...stamp, entries: entriesOf(node, walk, path, depth) }
    if (!isSeq(node)) return { kind: 'scalar', ...stamp, value: null }
    const items = node.items.map((item, index) => toNode(item as YamlNode, walk, [...path, String(index)], depth + 1))
    return { kind: 'list', ...stamp, items }
  } finally {
    walk.open.delete(node)
  }
}

function scalar(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return value === null || value === undefined ? null : String(value)
}

function aliased(name: string, at: Position, walk: Walk, path: readonly string[], depth: number): Node {
  const target = walk.anchors.get(name)
  const message =
    target === undefined
      ? `the alias *${name} has no anchor; write &${name} before the value it stands for`
      : walk.open.has(target)
        ? `the alias *${name} stands inside the value it refers to`
        : undefined
  if (target !== undefined && message === undefined) return toNode(target, walk, path, depth)
  walk.errors.push({ position: at, path, message: message ?? '' })
  return { kind: 'broken', at }
}

function entriesOf(map: YAMLMap, walk: Walk, path: readonly string[], depth: number): Map<string, Entry> {
  const own = new Map<string, Entry>()
  const merged: Node[] = []
  for (const pair of map.items as Pair<YamlNode, YamlNode | null>[]) {
    const at = walk.place(pair.key?.range?.[0] ?? 0)
    const key = keyText(pair.key)
    if (key === undefined) {
      walk.errors.push({ position: at, path, message: 'expected a key that is a string' })
      continue
    }
    const below = [...path, key]
    const value: Node =
      pair.value === null ? { kind: 'scalar', at, value: null } : toNode(pair.value, walk, below, depth + 1)
    if (isMergeKey(pair.key)) {
      merged.push(...(value.kind === 'list' ? value.items : [value]))
      continue
    }
    refuseDuplicate(own.get(key), { position: at, path: below }, walk)
    own.set(key, { at, value })
  }
  return withMerged(own, merged, walk, path)
}

function isMergeKey(key: YamlNode): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN'
}

function refuseDuplicate(known: Entry | undefined, where: Omit<Problem, 'message'>, walk: Walk): void {
  if (known === undefined) return
  const message = `this key is already given on line ${known.at.line}; a map has each key once`
  walk.errors.push({ ...where, message })
}

function keyText(key: YamlNode | null): string | undefined {
  if (!isScalar(key)) return undefined
  const { value } = key
  if (typeof value === 'string') return value
  // A number is taken as it was written, so that `0x1F:` and `31:` stay two keys.
  return value === null || value === undefined ? undefined : (key.source ?? String(value))
}

/** YAML's merge key `<<`: what stands in the map itself wins, then earlier merges. */
function withMerged(own: Map<string, Entry>, merged: Node[], walk: Walk, path: readonly string[]) {
  for (const node of merged) {
    if (node.kind === 'broken') continue
    if (node.kind !== 'map') {
      walk.errors.push({
        position: node.at,
        path: [...path, '<<'],
        message: 'expected an alias of a map, or a list of them',
      })
      continue
    }
    for (const [key, entry] of node.entries) if (!own.has(key)) own.set(key, entry)
  }
  return own
}
