/** A table that forgets everything once it is full: for values that repeat a lot and may be supplied by anyone. */
export function boundedCache<T>(entries: number, create: (key: string) => T, maxKey = 1024): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    const hit = known.get(key)
    if (hit !== undefined) return hit
    const made = create(key)
    if (key.length > maxKey) return made
    if (known.size >= entries) known.clear()
    known.set(key, made)
    return made
  }
}
