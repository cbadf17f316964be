/** Resources as an audit policy writes them: `leases.coordination.k8s.io`, `pods/log`, a wildcard for name or part. */

export interface ResourcePattern {
  readonly name: string
  /** Undefined: any group. */
  readonly group: string | undefined
  /** Undefined: the resource itself, not its parts. */
  readonly part: string | undefined
}

/** Takes a pattern apart. */
export function parseResource(pattern: string): ResourcePattern {
  const slash = pattern.indexOf('/')
  const whole = slash < 0 ? pattern : pattern.slice(0, slash)
  const dot = whole.indexOf('.')
  return {
    name: dot < 0 ? whole : whole.slice(0, dot),
    group: dot < 0 ? undefined : whole.slice(dot + 1),
    part: slash < 0 ? undefined : pattern.slice(slash + 1),
  }
}

/** A predicate over resource, group and subresource; undefined without patterns. */
export function matchResource(
  patterns: readonly string[] | undefined,
): ((name: string, group: string, part: string) => boolean) | undefined {
  if (patterns === undefined) return undefined
  const parsed = patterns.map(parseResource)
  return (name, group, part) =>
    parsed.some(
      (pattern) =>
        (pattern.name === '*' || pattern.name === name) &&
        (pattern.group === undefined || pattern.group === group) &&
        matchesPart(pattern, part),
    )
}

/** As in an audit policy: `pods` is the pods alone, `*` is everything with all its parts. */
function matchesPart({ name, part: wanted }: ResourcePattern, part: string): boolean {
  if (wanted === undefined) return part === '' || name === '*'
  return wanted === '*' ? true : wanted === part
}
