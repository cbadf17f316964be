/** Patterns for paths as the Collector knows them (doublestar): `*`, `?`, `[a-z]`, `{a,b}`, `**`, `\` to escape. */
import { basename, resolve, sep } from 'node:path'

/** One step of a path: a name, a pattern for names, or `**`, any number of directories. */
export type Step = { readonly name: string } | { readonly pattern: RegExp } | '**'

const MAX_BRACES = 1000

/** The steps from the root to what an (expanded) pattern names. */
export function toSteps(pattern: string): Step[] {
  return segments(pattern).map((segment): Step => {
    if (segment === '**') return '**'
    if (!/[*?[\]\\]/.test(segment)) return { name: segment }
    return { pattern: new RegExp(`^${segmentSource(segment)}$`, 'su') }
  })
}

function segments(pattern: string): string[] {
  return resolve(pattern).split(sep).filter(Boolean)
}

/** Matches whole paths. */
export function toMatcher(pattern: string): (path: string) => boolean {
  const sources = expandBraces(pattern).map((alternative) => {
    const steps = segments(alternative)
    return steps
      .map((segment, i) => {
        if (segment === '**') return i === steps.length - 1 ? '/.*' : '(?:/[^/]+)*'
        return `/${segmentSource(segment)}`
      })
      .join('')
  })
  const expression = new RegExp(`^(?:${sources.join('|')})$`, 'su')
  return (path) => expression.test(path)
}

/** Matches the last part of paths. */
export function toNameMatcher(pattern: string): (path: string) => boolean {
  const expression = new RegExp(`^(?:${expandBraces(pattern).map(segmentSource).join('|')})$`, 'su')
  return (path) => expression.test(basename(path))
}

function segmentSource(segment: string): string {
  return segment.replace(/\\(.)|\[([!^]?)(\]?[^\]]*)\]|\*+|[\s\S]/gu, (token, escaped, negation, set) => {
    if (escaped !== undefined) return RegExp.escape(escaped)
    if (set !== undefined) return `[${negation ? '^' : ''}${set.replace(/[[\]\\^&~]/g, '\\$&')}]`
    if (token.startsWith('*')) return '[^/]*'
    return token === '?' ? '[^/]' : RegExp.escape(token)
  })
}

/** `a{b,c{d,e}}` -> `ab`, `acd`, `ace`. Throws when it comes to more than a thousand, or a brace is not closed. */
export function expandBraces(pattern: string): string[] {
  const open = pattern.search(/(?<!\\)\{/)
  if (open < 0) return [pattern]
  const { parts, end } = bracesAt(pattern, open)
  const [before, after] = [pattern.slice(0, open), pattern.slice(end)]
  const expanded = parts.flatMap((part) => expandBraces(before + part + after))
  if (expanded.length > MAX_BRACES) throw new Error(`The pattern ${pattern} has more than ${MAX_BRACES} alternatives.`)
  return expanded
}

function bracesAt(pattern: string, open: number): { readonly parts: string[]; readonly end: number } {
  const parts: string[] = []
  let depth = 0
  let start = open + 1
  for (const { 0: token, index } of pattern.slice(open).matchAll(/\\.|[{},]/gs)) {
    if (token === '{') depth += 1
    if (token === '}') depth -= 1
    const isBreak = (token === ',' && depth === 1) || depth === 0
    if (!isBreak) continue
    parts.push(pattern.slice(start, open + index))
    start = open + index + 1
    if (depth === 0) return { parts, end: start }
  }
  throw new Error(`The pattern ${pattern} has an opening brace without a closing one.`)
}
