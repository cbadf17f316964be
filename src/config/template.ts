/** The syntax of `${…}`: finds the expressions in a string, nested ones too, and takes `$$` for `$`. */

/** Literal text, or an expression: what stands between `${` and its `}`. */
export type Part = string | { readonly expression: readonly Part[] }

const TOKENS = /\$\$|\$\{|[{}]|[^${}]+|\$/g
const MAX_NESTING = 20

/** Undefined when a `${` has no `}`, or expressions are nested more than twenty deep. */
export function parseTemplate(text: string): readonly Part[] | undefined {
  const tokens = text.match(TOKENS) ?? []
  // Braces inside an expression belong together ("${yaml:{a: 1}}"); where they don't pair up, the first } closes.
  return assemble(tokens, true) ?? assemble(tokens, false)
}

/** The text, or an expression that has not ended yet. */
interface Frame {
  readonly parts: Part[]
  /** Braces that must close before the one that ends the expression. */
  braces: number
}

function assemble(tokens: readonly string[], paired: boolean): readonly Part[] | undefined {
  const open: Frame[] = [{ parts: [], braces: 0 }]
  for (const token of tokens) {
    const frame = open.at(-1) as Frame
    if (token === '${') open.push({ parts: [], braces: 0 })
    else if (token === '}' && open.length > 1 && frame.braces === 0) close(open)
    else literal(frame, token, paired)
    if (open.length > MAX_NESTING) return undefined
  }
  return open.length === 1 ? open[0]?.parts : undefined
}

/** The innermost expression becomes a part of the one around it. */
function close(open: Frame[]): void {
  const expression = open.pop()?.parts ?? []
  open.at(-1)?.parts.push({ expression })
}

function literal(frame: Frame, token: string, paired: boolean): void {
  if (paired) frame.braces += BRACES[token] ?? 0
  append(frame.parts, token === '$$' ? '$' : token)
}

const BRACES: Readonly<Record<string, number>> = { '{': 1, '}': -1 }

function append(parts: Part[], text: string): void {
  const last = parts.at(-1)
  if (typeof last === 'string') parts[parts.length - 1] = last + text
  else parts.push(text)
}
