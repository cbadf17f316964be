/** zod's issues -> sentences with a path: what was expected, what was found, what was probably meant. */
import type { z } from 'zod'
import { describe, joinOr } from './describe.ts'
import { nearest, suggestion } from './nearest.ts'
import { find, type Node, type Path } from './node.ts'
import { alternatives, bare, definitionOf, isSecretAt, keysAt, type Schema, schemasAt } from './schema-walk.ts'
import { cut, shown } from './show.ts'

type Issue = z.core.$ZodIssue

/** Stands for "no message of the schema's own": whoever sees it writes the sentence. */
export const NO_MESSAGE = '\0'

export interface Explained {
  readonly path: Path
  readonly message: string
  /** `missing`: there is no value to point at; `key`: the key is wrong, not its value. */
  readonly about: 'value' | 'key' | 'missing'
  /** The path of the key that a wrong one probably stands for. */
  readonly meansKey?: Path
}

export interface Explaining {
  readonly schema: Schema
  /** What was written, before anything was put in its place. */
  readonly root: Node
  /** A sentence for a key of the Collector's that cannot be honoured. */
  readonly unsupported: (path: Path) => Explained[]
}

export function explainIssues(issues: readonly Issue[], context: Explaining, base: Path = []): Explained[] {
  const all = issues.flatMap((issue) => explain(issue, context, [...base, ...(issue.path as Path)]))
  // A key that is misspelt is not missing as well: one mistake, one error.
  const meant = new Set(all.flatMap(({ meansKey }) => (meansKey === undefined ? [] : [meansKey.join('\0')])))
  return meant.size === 0 ? all : all.filter(({ about, path }) => about !== 'missing' || !meant.has(path.join('\0')))
}

function explain(issue: Issue, context: Explaining, path: Path): Explained[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.flatMap((key) => unknownKey(key, context, path))
  if (issue.code === 'invalid_union') return explainUnion(issue, context, path)
  if (issue.code === 'invalid_key') {
    return [
      { path, about: 'key', message: `this key is not allowed: ${ownMessage(issue.issues[0]) ?? 'see the schema'}` },
    ]
  }
  const own = ownMessage(issue)
  const node = find(context.root, path).node
  if (node === undefined) return [missing(context, path, own)]
  return [
    { path, about: 'value', message: own === undefined ? sentence(issue, context, path, node) : origin(own, node) },
  ]
}

/** A sentence of the schema's own may quote the value at any length, and does not know where it came from. */
function origin(message: string, node: Node): string {
  const { via } = node
  const text = node.kind === 'scalar' ? String(node.value) : ''
  const short = text.length > 0 ? message.replaceAll(text, cut(text)) : message
  return via === undefined ? short : `${short} (from ${via})`
}

function ownMessage(issue: Issue | undefined): string | undefined {
  return issue === undefined || issue.message === NO_MESSAGE ? undefined : issue.message
}

function unknownKey(key: string, context: Explaining, path: Path): Explained[] {
  const known = context.unsupported([...path, key])
  if (known.length > 0) return known
  const valid = keysAt(context.schema, path)
  const message = `unknown key ${JSON.stringify(key)}${suggestion(key, valid)}`
  const near = nearest(key, valid)
  const wrong: Explained = { path: [...path, key], about: 'key', message }
  return [near === undefined ? wrong : { ...wrong, meansKey: [...path, near] }]
}

function missing({ schema }: Explaining, path: Path, own: string | undefined): Explained {
  const message = own ?? `is required: expected ${describe(schemasAt(schema, path))}`
  return { path, about: 'missing', message }
}

const SIZES: Readonly<Record<string, string>> = { string: 'characters', array: 'entries', set: 'entries', map: 'keys' }

function sentence(issue: Issue, { schema, root }: Explaining, path: Path, node: Node): string {
  const found = `found ${shown(node, isSecretAt(schema, path))}`
  switch (issue.code) {
    case 'too_small':
    case 'too_big':
      return `expected ${limit(issue)}, ${SIZES[issue.origin] === undefined ? found : `found ${sizeOf(node)}`}`
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}, ${found}`
    case 'invalid_format':
      return `expected ${formatName(issue, describe(schemasAt(schema, path)))}, ${found}`
    case 'invalid_value': {
      const values = issue.values.map(String)
      const text = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : ''
      const near = nearest(text, values)
      return `expected ${joinOr(values)}, ${found}${near === undefined ? '' : `; did you mean "${near}"?`}`
    }
    default:
      return `expected ${describe(schemasAt(schema, path))}, ${found}${remedy(schema, path, find(root, path).node)}`
  }
}

function limit(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [bound, word, strict] =
    issue.code === 'too_small' ? [issue.minimum, 'at least', 'more than'] : [issue.maximum, 'at most', 'less than']
  const unit = SIZES[issue.origin]
  const relation = issue.exact ? 'exactly' : issue.inclusive === false ? strict : word
  return unit === undefined ? `a number of ${relation} ${bound}` : `${relation} ${bound} ${unit}`
}

function sizeOf(node: Node): number | string {
  if (node.kind === 'list') return node.items.length
  if (node.kind === 'map') return node.entries.size
  return node.kind === 'scalar' ? String(node.value).length : 'nothing'
}

const SELF_EXPLAINING = new Set(['regex', 'starts_with', 'ends_with', 'includes'])

function formatName(issue: z.core.$ZodIssueInvalidStringFormat, described: string): string {
  if (issue.format === 'regex') return `text that matches ${issue.pattern}`
  if (SELF_EXPLAINING.has(issue.format)) {
    const { prefix, suffix, includes } = issue as { prefix?: string; suffix?: string; includes?: string }
    return `text with ${JSON.stringify(prefix ?? suffix ?? includes)} (${issue.format.replace('_', ' ')})`
  }
  return described === 'a string' ? `a string in the form "${issue.format}"` : described
}

/** What a writer of YAML gets wrong most: quotes, and lists of one. */
function remedy(schema: Schema, path: Path, node: Node | undefined): string {
  if (node?.kind !== 'scalar' || node.via !== undefined || node.value === null) return ''
  const forms = schemasAt(schema, path).flatMap((one) => alternatives(one.schema, one.meta))
  // A duration or a size in quotes is no better than without.
  if (forms.some(({ meta }) => meta.format !== undefined)) return ''
  const types = forms.map((one) => definitionOf(one.schema).type)
  const { value } = node
  const isNumeric = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
  if (types.includes('number') && isNumeric) return '; write it without quotes'
  if (types.includes('boolean') && (value === 'true' || value === 'false')) return '; write it without quotes'
  if (types.includes('string') && typeof value !== 'string') return '; put it in quotes'
  return types.includes('array') ? '; write it as a list: [value]' : ''
}

/** The branch that was most likely meant explains itself; where none was, all are named. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, context: Explaining, path: Path): Explained[] {
  const own = ownMessage(issue)
  const best = own === undefined ? bestBranch(issue.errors) : undefined
  const branch = best === undefined ? undefined : branchSchema(context.schema, path, best, issue.errors.length)
  if (best !== undefined && branch !== undefined) return inBranch(issue.errors[best] as Issue[], branch, context, path)
  const node = find(context.root, path).node
  if (node === undefined) return [missing(context, path, own)]
  return [
    { path, about: 'value', message: own === undefined ? noBranch(issue, context, path, node) : origin(own, node) },
  ]
}

function noBranch(issue: z.core.$ZodIssueInvalidUnion, { schema }: Explaining, path: Path, node: Node): string {
  const found = shown(node, isSecretAt(schema, path))
  const values = ((issue as { options?: readonly unknown[] }).options ?? []).map(String)
  if (values.length === 0)
    return `expected ${describe(schemasAt(schema, path))}, found ${found}${remedy(schema, path, node)}`
  const near = node.kind === 'scalar' ? nearest(String(node.value), values) : undefined
  return `expected ${joinOr(values)}, found ${found}${near === undefined ? '' : `; did you mean "${near}"?`}`
}

/** Explains inside one branch of a union, whose schema then stands for the place. */
function inBranch(issues: readonly Issue[], branch: Schema, context: Explaining, path: Path): Explained[] {
  const node = find(context.root, path).node
  if (node === undefined) return explainIssues(issues, context, path)
  const unsupported = (below: Path): Explained[] =>
    context.unsupported([...path, ...below]).map((one) => ({ ...one, path: one.path.slice(path.length) }))
  const explained = explainIssues(issues, { schema: branch, root: node, unsupported })
  return explained.map((one) => ({ ...one, path: [...path, ...one.path] }))
}

function branchSchema(root: Schema, path: Path, index: number, count: number): Schema | undefined {
  for (const { schema, meta } of schemasAt(root, path).flatMap((one) => bare(one.schema, one.meta))) {
    const { options } = definitionOf(schema)
    if (options?.length === count) return meta.secret === true ? undefined : options[index]
  }
  return undefined
}

const OF_ANOTHER_TYPE = new Set(['invalid_type', 'invalid_value', 'invalid_format', 'invalid_union'])

/** Undefined when the value is of none of the types. */
function bestBranch(errors: readonly Issue[][]): number | undefined {
  let best: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [index, issues] of errors.entries()) {
    if (issues.some(({ path, code }) => path.length === 0 && OF_ANOTHER_TYPE.has(code))) continue
    // A branch that is told apart by a literal (`type: x`) and has another one is not the branch that was meant.
    const score = issues.length + issues.filter(({ code }) => code === 'invalid_value').length * 100
    if (score < least) {
      best = index
      least = score
    }
  }
  return best
}
