/**
 * Holds one value of the tree against its schema.
 *
 * Two of the Collector's rules need several looks: a value that came out of `${…}` becomes text where text is
 * wanted, and a key without a value means its default.
 */
import type { z } from 'zod'
import type { Position, Problem, Raw } from './config.ts'
import { type Explained, explainIssues, NO_MESSAGE } from './issues.ts'
import { emptyMap, find, isNull, leaves, type Node, type Path, toRaw } from './node.ts'
import { isSecretAt, type Schema } from './schema-walk.ts'
import { withoutSecrets } from './show.ts'
import { substituted } from './substitute.ts'
import { refused } from './unsupported.ts'

export interface Checked {
  /** False also where the only faults are in parts that are reported already. */
  readonly isValid: boolean
  /** What the schema made of the value; undefined when it is not valid. */
  readonly config: unknown
  readonly node: Node
  readonly raw: Raw
  readonly problems: readonly CheckProblem[]
}

export interface CheckProblem extends Problem {
  /** True where something is not there: another file, if it could be read, might have had it. */
  readonly isMissing: boolean
}

export interface CheckOptions {
  readonly schema: z.ZodType
  readonly unsupported?: Readonly<Record<string, string>> | undefined
  /** The path of the value in the file. */
  readonly path: readonly string[]
  /** Where its key stands: what is missing is missing there. */
  readonly at: Position
}

/** Substitutions may uncover others, one level at a time. */
const MAX_LOOKS = 30

export function check(root: Node, options: CheckOptions): Checked {
  const { schema } = options
  let node: Node = isNull(root) ? emptyMap(root) : root
  let result = look(schema, node)
  for (let looks = 0; !result.success && looks < MAX_LOOKS; looks++) {
    const next = substituted(node, result.error.issues)
    if (next === node) break
    node = next
    result = look(schema, node)
  }
  const raw = toRaw(node)
  if (result.success) return { isValid: true, config: result.data, node, raw, problems: [] }
  return { isValid: false, config: undefined, node, raw, problems: problemsOf(root, result.error.issues, options) }
}

function look(schema: z.ZodType, node: Node): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(toRaw(node), { error: () => NO_MESSAGE })
  } catch (error) {
    const message = `cannot be checked: ${(error as Error).message}`
    return { success: false, error: { issues: [{ code: 'custom', path: [], message }] } } as never
  }
}

function problemsOf(root: Node, issues: readonly z.core.$ZodIssue[], options: CheckOptions): CheckProblem[] {
  const { schema, path, at } = options
  const unsupported = (key: Path): Explained[] => refused(root, key, options.unsupported ?? {})
  const secrets = secretsOf(schema, root)
  return explainIssues(issues, { schema, root, unsupported }).flatMap((explained) => {
    const found = find(root, explained.path)
    if (found.broken) return []
    return {
      position: positionOf(explained, found, at),
      path: [...path, ...explained.path.map(String)],
      message: withoutSecrets(explained.message, secrets),
      isMissing: explained.about === 'missing',
    }
  })
}

function positionOf({ about, path }: Explained, found: ReturnType<typeof find>, at: Position): Position {
  if (path.length === 0) return at
  if (about === 'value' && found.node !== undefined) return found.node.at
  const isTop = about === 'missing' && path.length === 1
  return isTop ? at : found.keyAt
}

/** The text of every secret, so that no sentence can repeat one. */
function secretsOf(schema: Schema, root: Node): Set<string> {
  const found = new Set<string>()
  for (const [path, { value, text, hidden }] of leaves(root)) {
    if (value === null || !(hidden || isSecretAt(schema, path))) continue
    found.add(String(value))
    if (text !== undefined) found.add(text)
  }
  return found
}
