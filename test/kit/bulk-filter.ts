/** `filter_path`, as servers apply it: what no pattern names is left out, and so is what is empty then, also in lists. */

type Tree = unknown

export function filterPath(answer: Tree, patterns: string): Tree {
  const paths = patterns.split(',').map((pattern) => pattern.split('.'))
  return keep(answer, paths) ?? {}
}

function keep(value: Tree, paths: readonly (readonly string[])[]): Tree {
  if (paths.some(({ length }) => length === 0)) return value
  if (Array.isArray(value)) {
    const kept = value.map((one) => keep(one, paths)).filter((one) => one !== undefined)
    return kept.length === 0 ? undefined : kept
  }
  if (typeof value !== 'object' || value === null) return undefined
  const entries = Object.entries(value).flatMap(([key, inner]): [string, Tree][] => {
    const below = paths.filter(([first]) => first === '*' || first === key).map(([, ...rest]) => rest)
    const kept = below.length === 0 ? undefined : keep(inner, below)
    return kept === undefined ? [] : [[key, kept]]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
