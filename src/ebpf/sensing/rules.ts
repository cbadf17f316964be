/** What is reported and what is not: rules that the kernel side applies, and a decision for each container. */
import type { Container } from '../container/containers.ts'
import type { KernelConfig, RuleKind, Sensor } from '../kernel/sensor.ts'

export interface RuleSet {
  /** Of pods; `*` is any part of a name. */
  readonly namespaces: readonly string[]
  readonly pods: readonly string[]
  /** `key=value`, or `key` alone: of pods; `*` is any part. */
  readonly pod_labels: readonly string[]
  /** Names of containers in their pods, or ids. */
  readonly containers: readonly string[]
  /** Beginnings of paths. */
  readonly binaries: readonly string[]
  readonly path_prefixes: readonly string[]
  readonly cidrs: readonly string[]
  readonly ports: readonly number[]
}

/** Nothing is chosen. */
export const NO_RULES: RuleSet = {
  namespaces: [],
  pods: [],
  pod_labels: [],
  containers: [],
  binaries: [],
  path_prefixes: [],
  cidrs: [],
  ports: [],
}

export interface Rules {
  readonly include: RuleSet
  readonly exclude: RuleSet
}

/** 0 = no rules, 1 = exclusions only, 2 = what no inclusion names is excluded. */
function mode(include: readonly unknown[], exclude: readonly unknown[]): number {
  if (include.length > 0) return 2
  return exclude.length > 0 ? 1 : 0
}

/** What the programs are told before they are loaded. */
export function ruleConfig({ include, exclude }: Rules): Partial<KernelConfig> {
  return {
    hasPathRules: mode(include.path_prefixes, exclude.path_prefixes),
    hasBinaryRules: mode(include.binaries, exclude.binaries),
    hasAddressRules: mode([...include.cidrs, ...include.ports], [...exclude.cidrs, ...exclude.ports]),
    hasScopes: decidesContainers({ include, exclude }) ? 1 : 0,
  }
}

/** Writes the rules into the maps of the kernel side. */
export function applyRules(
  sensor: Pick<Sensor, 'pathRule' | 'addressRule' | 'portRule'>,
  { include, exclude }: Rules,
): void {
  for (const [kind, rules] of [
    ['include', include],
    ['exclude', exclude],
  ] as readonly [RuleKind, RuleSet][]) {
    for (const prefix of rules.path_prefixes) sensor.pathRule('path', prefix, kind)
    for (const prefix of rules.binaries) sensor.pathRule('binary', prefix, kind)
    for (const cidr of rules.cidrs) sensor.addressRule(cidr, kind)
    for (const port of rules.ports) sensor.portRule(port, kind)
  }
}

/** True when containers have to be told apart at all. */
export function decidesContainers({ include, exclude }: Rules): boolean {
  return [include, exclude].some(
    ({ namespaces, pods, pod_labels, containers }) =>
      namespaces.length + pods.length + pod_labels.length + containers.length > 0,
  )
}

type Matcher = (text: string | undefined) => boolean

function matcher(patterns: readonly string[]): Matcher {
  if (patterns.length === 0) return () => false
  const shapes = patterns.map((pattern) => pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'))
  const expression = new RegExp(`^(?:${shapes.join('|')})$`, 'u')
  return (text) => text !== undefined && expression.test(text)
}

/** True when labels of pods have to be known. */
export function needsLabels({ include, exclude }: Rules): boolean {
  return include.pod_labels.length + exclude.pod_labels.length > 0
}

function labelMatcher(rules: readonly string[]): (labels: ReadonlyMap<string, string> | undefined) => boolean {
  const each = rules.map((rule) => {
    const [key = '', ...value] = rule.split('=')
    return { key, isValue: value.length === 0 ? () => true : matcher([value.join('=')]) }
  })
  return (labels) =>
    labels !== undefined && each.some(({ key, isValue }) => labels.has(key) && isValue(labels.get(key)))
}

function containerMatcher({ namespaces, pods, pod_labels, containers }: RuleSet): (container: Container) => boolean {
  const isNamespace = matcher(namespaces)
  const isPod = matcher(pods)
  const hasLabel = labelMatcher(pod_labels)
  const isContainer = matcher(containers)
  return ({ names, containerId }) =>
    isNamespace(names?.namespace) ||
    isPod(names?.pod) ||
    hasLabel(names?.labels) ||
    isContainer(names?.container) ||
    isContainer(containerId)
}

/**
 * Whether a container's doings are reported. One whose names are still looked for is: to see too much for a moment
 * does less harm than to miss the beginning.
 */
export function containerDecision({ include, exclude }: Rules): (container: Container) => boolean {
  const isExcluded = containerMatcher(exclude)
  const isIncluded = containerMatcher(include)
  const hasInclusions =
    include.namespaces.length + include.pods.length + include.pod_labels.length + include.containers.length > 0
  return (container) => {
    if (isExcluded(container)) return false
    if (!hasInclusions || isIncluded(container)) return true
    return container.names === undefined && container.resource.attributes['weir.k8s.enrichment'] === 'pending'
  }
}
