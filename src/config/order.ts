/** The order in which problems are shown. */
import type { Position, Problem } from './config.ts'
import { formatProblem } from './config.ts'

/** Sorts problems as a reader meets them: sources in the order given, then by line and column. */
export function inOrder(problems: readonly Problem[], sources: readonly string[]): Problem[] {
  const rank = new Map<string, number>()
  for (const source of sources) if (!rank.has(source)) rank.set(source, rank.size)
  const key = ({ source, line, column }: Position): [number, string, number, number] => [
    rank.get(source) ?? rank.size,
    source,
    line,
    column,
  ]
  return problems.toSorted((a, b) => compare([...key(a.position), a.message], [...key(b.position), b.message]))
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  if (at < 0) return 0
  return (a[at] as string) < (b[at] as string) ? -1 : 1
}

/** Each problem once: an alias or an include may bring the same one several times. */
export function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems.filter((problem) => {
    const line = formatProblem(problem)
    return !seen.has(line) && seen.add(line)
  })
}
