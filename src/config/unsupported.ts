/** Keys of the Collector's components that cannot be honoured here: each has a sentence instead of "unknown key". */
import type { Explained } from './issues.ts'
import type { Node, Path } from './node.ts'

/** The sentences of `unsupported` whose pattern matches the key, or something that is written below it. */
export function refused(root: Node, key: Path, unsupported: Readonly<Record<string, string>>): Explained[] {
  return Object.entries(unsupported).flatMap(([pattern, message]) => {
    const steps = pattern.split('.')
    return matching(root, steps)
      .filter((path) => path.length >= key.length && key.every((step, index) => String(path[index]) === String(step)))
      .map((path): Explained => ({ path, about: 'key', message }))
  })
}

/** Every path of the tree that a pattern (`operators.*.type`) matches. */
function matching(root: Node, steps: readonly string[], path: Path = []): Path[] {
  const [step, ...rest] = steps
  if (step === undefined) return [path]
  if (root.kind === 'map') {
    return [...root.entries]
      .filter(([key]) => step === '*' || key === step)
      .flatMap(([key, { value }]) => matching(value, rest, [...path, key]))
  }
  if (root.kind !== 'list') return []
  return root.items.flatMap((item, index) =>
    step === '*' || step === String(index) ? matching(item, rest, [...path, index]) : [],
  )
}
