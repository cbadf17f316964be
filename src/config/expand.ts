/**
 * Replaces `${env:NAME}`, `${env:NAME:-default}`, `${NAME}`, `${file:path}` and `${yaml:text}` by their values.
 *
 * The Collector's rule of types holds: a value that is solely one expression may become anything that YAML knows
 * (and keeps its text beside it, for fields that want a string); inside longer text, text is put in.
 */
import type { Position } from './config.ts'
import type { Entry, Node, ScalarNode } from './node.ts'
import { parseYaml } from './parse.ts'
import { type Resolving, type Retrieved, retrieve } from './providers.ts'
import { type Part, parseTemplate } from './template.ts'

const MAX_DEPTH = 20

/** The expanded tree. What cannot be expanded is reported in `context.errors`, and broken in the tree. */
export function expand(node: Node, context: Resolving, path: readonly string[] = [], depth = 0): Node {
  if (node.kind === 'map') {
    const entries = new Map<string, Entry>()
    for (const [key, { at, value }] of node.entries) {
      entries.set(key, { at, value: expand(value, context, [...path, key], depth) })
    }
    return { ...node, entries }
  }
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item, index) => expand(item, context, [...path, String(index)], depth)) }
  }
  if (node.kind === 'broken' || typeof node.value !== 'string' || !node.value.includes('$')) return node
  try {
    return expandText(node, node.value, { context, path, at: node.at, depth })
  } catch (error) {
    context.errors.push({ position: node.at, path, message: (error as Error).message })
    return { kind: 'broken', at: node.at }
  }
}

/** The value that holds an expression. */
interface Holder {
  readonly context: Resolving
  readonly path: readonly string[]
  readonly at: Position
  readonly depth: number
}

/** Throws an Error with a sentence. */
function expandText(node: ScalarNode, text: string, holder: Holder): Node {
  // Text that a variable holds was not written as a template: only a whole ${…} in it means something.
  if (node.via !== undefined && !text.includes('${')) return node
  const parts = parseTemplate(text)
  if (parts === undefined) {
    if (node.via !== undefined) return node
    throw new Error('a "${" has no "}"; write "$${" where the characters themselves are meant')
  }
  if (holder.depth > MAX_DEPTH) {
    throw new Error(`expansions refer to each other more than ${MAX_DEPTH} deep; the last one is in ${node.via}`)
  }
  const [only] = parts
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') {
    return standingAlone(evaluate(only.expression, holder), node, holder)
  }
  const joined = join(parts, holder)
  return { ...node, value: joined.text, via: joined.label ?? node.via, hidden: node.hidden === true || joined.hidden }
}

interface Joined {
  readonly text: string
  readonly hidden: boolean
  /** Of the first expression, if there is one. */
  readonly label: string | undefined
}

/** Parts as one text. */
function join(parts: readonly Part[], holder: Holder): Joined {
  let text = ''
  let label: string | undefined
  let hidden = false
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part
      continue
    }
    const retrieved = evaluate(part.expression, holder)
    text += textOf(retrieved, holder)
    label ??= retrieved.label
    hidden ||= retrieved.hidden
  }
  return { text, label, hidden }
}

function textOf(retrieved: Retrieved, holder: Holder): string {
  const { text, label, hidden, final } = retrieved
  if (text === undefined || final || !text.includes('${')) return text ?? ''
  const node: ScalarNode = { kind: 'scalar', at: holder.at, value: text, via: label, hidden }
  const expanded = expandText(node, text, { ...holder, depth: holder.depth + 1 })
  if (expanded.kind !== 'scalar') return expanded.text ?? ''
  return expanded.text ?? String(expanded.value ?? '')
}

/** Looks an expression up; what stands after `:-` is evaluated only when it is needed. */
function evaluate(expression: readonly Part[], holder: Holder): Retrieved {
  const { context, path, at } = holder
  const { name, fallback } = splitDefault(expression)
  const retrieved = retrieve(join(name, holder).text, fallback !== undefined, at, context)
  if (retrieved.warning !== undefined) context.warnings.push({ position: at, path, message: retrieved.warning })
  if (retrieved.text !== undefined || fallback === undefined) return retrieved
  const { text, hidden } = join(fallback, holder)
  return { text, label: retrieved.label, hidden: hidden || retrieved.hidden, final: true }
}

function splitDefault(parts: readonly Part[]): { name: readonly Part[]; fallback?: readonly Part[] } {
  const first = parts[0]
  if (typeof first === 'string' && /^(?:yaml|file|https?):/.test(first)) return { name: parts }
  for (const [index, part] of parts.entries()) {
    const at = typeof part === 'string' ? part.indexOf(':-') : -1
    if (typeof part !== 'string' || at < 0) continue
    const rest = part.slice(at + 2)
    return {
      name: [...parts.slice(0, index), part.slice(0, at)],
      fallback: [...(rest === '' ? [] : [rest]), ...parts.slice(index + 1)],
    }
  }
  return { name: parts }
}

/** The value of an expression that is all of a value: what its text says in YAML. */
function standingAlone(retrieved: Retrieved, node: ScalarNode, holder: Holder): Node {
  const { text, label, final } = retrieved
  const stamp: Stamp = { at: holder.at, via: label, hidden: retrieved.hidden || node.hidden === true }
  if (text === undefined) return { kind: 'scalar', ...stamp, value: null }
  const value = read(text, retrieved, stamp, holder)
  if (final) return value
  const expanded = expand(value, holder.context, holder.path, holder.depth + 1)
  // `expand` gives a text of its own where the text was an expression again.
  return { ...expanded, text: expanded.text ?? value.text }
}

interface Stamp {
  readonly at: Position
  readonly via: string
  readonly hidden: boolean
}

function read(text: string, { source, final }: Retrieved, stamp: Stamp, { context, path }: Holder): Node {
  const place = source === undefined ? { source: stamp.at.source, ...stamp } : { source }
  const parsed = parseYaml(text, { ...place, limits: context.limits, path })
  const faults = [...parsed.syntaxErrors, ...parsed.errors]
  if (faults.length > 0 && source !== undefined && /\.ya?ml$/.test(source)) {
    context.errors.push(...faults)
    return { kind: 'broken', at: stamp.at }
  }
  // As in the Collector, text that is no YAML is a string.
  if (faults.length > 0) return { kind: 'scalar', ...stamp, value: text }
  return typed(parsed.node, text, stamp, final === true)
}

function typed(value: Node | undefined, text: string, stamp: Stamp, isDefault: boolean): Node {
  // An empty default is an empty string, an empty variable is no value at all.
  if (value === undefined) return { kind: 'scalar', ...stamp, value: isDefault ? '' : null, text }
  if (value.kind !== 'scalar') return { ...value, text }
  if (typeof value.value === 'string') return { kind: 'scalar', ...stamp, value: text }
  return { kind: 'scalar', ...stamp, value: value.value, text }
}
