/**
 * Rules that say which events nobody needs, in the words of an audit policy: every list that a rule has must hold the
 * event's value, an absent list holds everything. Compiled once, indexed by resource, cheap for every event.
 */
import { z } from 'zod'
import { type AuditEvent, isMap, statusCode } from './event.ts'
import { matchResource, parseResource } from './resource-pattern.ts'

const list = (what: string) => z.array(z.string()).min(1).optional().describe(what)

export const ignoreRule = z
  .strictObject({
    users: list('Authenticated users; a trailing `*` matches any rest.'),
    groups: list('Groups of the authenticated user; one is enough.'),
    user_agents: list('User agents. Clients choose them freely: never the only condition of a rule you rely on.'),
    verbs: list('Verbs: `get`, `list`, `watch`, …'),
    resources: list(
      'Resources as an audit policy writes them: `pods`, `pods/log`, `pods/*`, `*/status`, with the API group behind it where it matters (`leases.coordination.k8s.io`).',
    ),
    namespaces: list('Namespaces of the object; the empty string matches cluster-scoped ones.'),
    names: list('Names of the object.'),
    non_resource_urls: list('Paths of requests that are for no resource, without their query.'),
    only_successful: z
      .boolean()
      .default(false)
      .describe('Ignore only requests that were answered with a code below 400 and that impersonate nobody.'),
  })
  .refine((rule) => Object.values(rule).some(Array.isArray), {
    message:
      'a rule without conditions would ignore everything: give at least one of users, groups, verbs, resources, …',
  })
  .refine((rule) => rule.resources === undefined || rule.non_resource_urls === undefined, {
    message: 'no request is for a resource and a non-resource URL at once: make two rules',
  })

export type IgnoreRule = z.input<typeof ignoreRule>

/** Says whether an event (validated) is to be ignored. */
export type Ignores = (event: AuditEvent) => boolean

type Match = (text: string) => boolean

interface Compiled {
  readonly resource: ((name: string, group: string, part: string) => boolean) | undefined
  readonly verb: Match | undefined
  readonly user: Match | undefined
  readonly group: Match | undefined
  readonly agent: Match | undefined
  readonly namespace: Match | undefined
  readonly name: Match | undefined
  readonly url: Match | undefined
  readonly onlySuccessful: boolean
}

/** Compiles rules into one predicate. */
export function compileIgnores(rules: readonly IgnoreRule[]): Ignores {
  const ofUrls: Compiled[] = []
  const ofAnything: Compiled[] = []
  const byResource = new Map<string, Compiled[]>()
  for (const rule of rules) {
    const compiled = compile(rule)
    if (rule.non_resource_urls !== undefined) ofUrls.push(compiled)
    else if (rule.resources === undefined) {
      ofAnything.push(compiled)
      ofUrls.push(compiled)
    } else index(rule.resources, compiled, byResource, ofAnything)
  }
  return (event) => {
    const reference = isMap(event.objectRef) ? event.objectRef : undefined
    const resource = text(reference?.['resource'])
    if (resource === '') return anyOf(ofUrls, event, undefined)
    const own = byResource.get(resource)
    return (own !== undefined && anyOf(own, event, reference)) || anyOf(ofAnything, event, reference)
  }
}

/** Files a rule under each resource it names; one with a wildcard is tried for every resource. */
function index(
  resources: readonly string[],
  compiled: Compiled,
  byResource: Map<string, Compiled[]>,
  ofAnything: Compiled[],
): void {
  const names = resources.map((resource) => parseResource(resource).name)
  if (names.some((name) => name.includes('*'))) {
    ofAnything.push(compiled)
    return
  }
  for (const name of new Set(names)) {
    const known = byResource.get(name)
    if (known === undefined) byResource.set(name, [compiled])
    else known.push(compiled)
  }
}

function compile(rule: IgnoreRule): Compiled {
  return {
    resource: matchResource(rule.resources),
    verb: matchAny(rule.verbs),
    user: matchAny(rule.users),
    group: matchAny(rule.groups),
    agent: matchAny(rule.user_agents),
    namespace: matchAny(rule.namespaces),
    name: matchAny(rule.names),
    url: matchAny(rule.non_resource_urls),
    onlySuccessful: rule.only_successful === true,
  }
}

function anyOf(rules: readonly Compiled[], event: AuditEvent, reference: Record<string, unknown> | undefined): boolean {
  for (let i = 0; i < rules.length; i++) if (matches(rules[i] as Compiled, event, reference)) return true
  return false
}

function matches(rule: Compiled, event: AuditEvent, reference: Record<string, unknown> | undefined): boolean {
  if (rule.verb !== undefined && !rule.verb(event.verb as string)) return false
  if (reference === undefined ? !matchesUrl(rule, event) : !matchesObject(rule, reference)) return false
  return matchesUser(rule, event) && (!rule.onlySuccessful || succeeded(event))
}

function matchesUrl({ url, namespace, name }: Compiled, event: AuditEvent): boolean {
  if (namespace !== undefined || name !== undefined) return false
  return url === undefined || url(pathOf(event.requestURI))
}

function matchesObject({ resource, namespace, name }: Compiled, reference: Record<string, unknown>): boolean {
  if (
    resource !== undefined &&
    !resource(text(reference['resource']), text(reference['apiGroup']), text(reference['subresource']))
  ) {
    return false
  }
  if (namespace !== undefined && !namespace(text(reference['namespace']))) return false
  return name === undefined || name(text(reference['name']))
}

function matchesUser({ user, group, agent }: Compiled, event: AuditEvent): boolean {
  const who = isMap(event.user) ? event.user : undefined
  if (user !== undefined && !user(text(who?.['username']))) return false
  if (agent !== undefined && !agent(text(event.userAgent))) return false
  if (group === undefined) return true
  const groups = who?.['groups']
  if (!Array.isArray(groups)) return false
  for (let i = 0; i < groups.length; i++) if (group(text(groups[i]))) return true
  return false
}

function succeeded(event: AuditEvent): boolean {
  if (event.stage === 'Panic' || event.impersonatedUser !== undefined) return false
  if (!isMap(event.responseStatus) || event.responseStatus['code'] === undefined) return true
  const code = statusCode(event)
  return code > 0 && code < 400
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function pathOf(uri: unknown): string {
  if (typeof uri !== 'string') return ''
  const mark = uri.indexOf('?')
  return mark < 0 ? uri : uri.slice(0, mark)
}

/** Exact values and `prefix*`. */
function matchAny(patterns: readonly string[] | undefined): Match | undefined {
  if (patterns === undefined) return undefined
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  if (prefixes.length === 0) return (value) => exact.has(value)
  return (value) => {
    if (exact.has(value)) return true
    for (let i = 0; i < prefixes.length; i++) if (value.startsWith(prefixes[i] as string)) return true
    return false
  }
}
