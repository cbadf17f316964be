/** "Did you mean …?": the valid name that a typing error most likely stands for. */

const MAX_LENGTH = 64

/** Edits to turn one into the other: insert, remove, replace, swap of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY
      const replace = (previous[j - 1] as number) + (same ? 0 : 1)
      current[j] = Math.min((previous[j] as number) + 1, (current[j - 1] as number) + 1, replace, swap)
    }
    before = previous
    previous = current
  }
  return previous[b.length] as number
}

/** The nearest candidate, if it is near enough to be meant: a third of its letters may differ. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_LENGTH) return undefined
  const plain = simplified(word)
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    if (candidate.length > MAX_LENGTH) continue
    const distance = isVariant(plain, simplified(candidate)) ? 0.5 : editDistance(word, candidate)
    const longer = Math.max(word.length, candidate.length)
    const allowed = Math.min(Math.max(1, Math.floor(longer / 3)), longer - 1)
    if (distance <= allowed && distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** The same but for its spelling, or cut short: `warning` for `warn`. */
function isVariant(word: string, candidate: string): boolean {
  const shorter = Math.min(word.length, candidate.length)
  return word === candidate || (shorter >= 3 && (word.startsWith(candidate) || candidate.startsWith(word)))
}

/** `startAt`, `start-at` and `START_AT` are `start_at` to whoever wrote them. */
function simplified(word: string): string {
  return word.toLowerCase().replaceAll(/[_\-. ]/g, '')
}

/** `; did you mean "include"?`, else the valid names where they are few, else nothing. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates)
  if (near !== undefined) return `; did you mean "${near}"?`
  return candidates.length > 0 && candidates.length <= 12 ? `; valid are ${candidates.join(', ')}` : ''
}
