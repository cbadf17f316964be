/** Reads a configuration: sources -> one tree -> expanded -> checked -> a value, or everything that is wrong. */
import type { Registry } from '../component.ts'
import { check } from './check.ts'
import type { Config, ConfigSources, LoadResult, Position, Problem, Reference, ServiceConfig } from './config.ts'
import { checkConnections, warnUnused } from './connections.ts'
import { expand } from './expand.ts'
import { fingerprint, freeze } from './fingerprint.ts'
import { createSpelling, SECTION_NAMES } from './ids.ts'
import { merge } from './merge.ts'
import { suggestion } from './nearest.ts'
import { type Entry, emptyMap, find, isNull, type MapNode, type Node } from './node.ts'
import { distinct, inOrder } from './order.ts'
import { notConfigured, type Pipelines, readPipelines } from './pipelines.ts'
import type { Resolving } from './providers.ts'
import { checkReferences } from './references.ts'
import { canonicalKeys, readSections, type Sections } from './sections.ts'
import { SERVICE_UNSUPPORTED, type ServiceValues, serviceConfig, serviceSchema } from './service.ts'
import type { Fault, Session } from './session.ts'
import { shown } from './show.ts'
import { readSet, readSource, type Source } from './sources.ts'

/** Far beyond any configuration that a person or a chart writes. */
const LIMITS = { values: 200_000, expansions: 1000, characters: 16 * 1024 * 1024 }

/**
 * Never throws for anything that a user can write. Reads files synchronously: it runs before anything flows, and
 * for a moment at a reload.
 */
export function loadConfig(
  sources: ConfigSources,
  registry: Registry,
  env: Readonly<Record<string, string | undefined>>,
): LoadResult {
  const session: Session = { registry, spelling: createSpelling(registry), errors: [], warnings: [], references: [] }
  const { errors, warnings } = session
  const resolving: Resolving = {
    env,
    cwd: sources.cwd ?? process.cwd(),
    limits: { ...LIMITS },
    errors,
    warnings,
    files: new Set(),
    directories: new Map(),
  }
  const read = [
    ...sources.configs.map((uri) => readSource(uri, resolving)),
    ...(sources.sets ?? []).map((text) => readSet(text, resolving)),
  ]
  const config = read.length === 0 ? noSource(session) : understand(read, resolving, session)
  warnings.push(...session.spelling.warnings())
  const names = read.map(({ name }) => name)
  const found = distinct(inOrder(believable(errors, read), names))
  return {
    config: found.length > 0 ? undefined : config,
    errors: found,
    warnings: distinct(inOrder(warnings, names)),
    files: [...resolving.files],
  }
}

function noSource({ errors }: Session): undefined {
  const position = { source: 'weir', line: 0, column: 0 }
  errors.push({ position, path: [], message: 'at least one config flag must be provided: --config FILE' })
}

function understand(read: readonly Source[], resolving: Resolving, session: Session): Config | undefined {
  const whole = expand(joined(read, session), resolving)
  const root = canonicalKeys(whole, session)
  if (root.kind !== 'map') {
    if (root.kind !== 'broken') {
      const message = `expected a map with receivers, exporters and service, found ${shown(root, false)}`
      session.errors.push({ position: root.at, path: [], message })
    }
    return undefined
  }
  refuseUnknownSections(root, session)
  const sections = readSections(root, session)
  const service = root.entries.get('service')
  const start: Position = service?.at ?? root.at
  const pipelinesNode = service === undefined ? undefined : find(service.value, ['pipelines']).node
  const isReadable = service === undefined || service.value.kind === 'map' || isNull(service.value)
  const pipelines = isReadable ? readPipelines(pipelinesNode, start, sections, session) : NO_PIPELINES
  checkConnections(sections, pipelines, session)
  const checked = readService(service, start, sections, session)
  checkReferences(sections, pipelines, checked?.extensions, session)
  if (pipelines.isWhole && checked !== undefined) warnUnused(sections, pipelines, checked.extensions, session)
  if (session.errors.length > 0 || checked === undefined) return undefined
  const maps = Object.fromEntries(SECTION_NAMES.map((name) => [name, sections[name].components]))
  return Object.freeze({ ...maps, pipelines: pipelines.pipelines, service: checked }) as unknown as Config
}

const NO_PIPELINES: Pipelines = { pipelines: new Map(), isWhole: false }

/** One tree of all sources. What they hold is joined by the present names of types, whichever they use. */
function joined(read: readonly Source[], session: Session): Node {
  const { errors, warnings } = session
  const first: Position = { source: read[0]?.name ?? '', line: read[0]?.syntaxErrors.length === 0 ? 1 : 0, column: 1 }
  let root: Node | undefined
  for (const source of read) {
    errors.push(...source.syntaxErrors, ...source.errors)
    warnings.push(...source.warnings)
    // A file with nothing but comments takes nothing away.
    if (source.node === undefined || isNull(source.node)) continue
    const next = canonicalKeys(source.node, session)
    root = root === undefined ? next : merge(root, next, warnings)
  }
  return root ?? { kind: 'map', at: first, entries: new Map() }
}

const ROOT_KEYS = [...SECTION_NAMES, 'service']

function refuseUnknownSections(root: MapNode, { errors }: Session): void {
  for (const [key, { at }] of root.entries) {
    if (ROOT_KEYS.includes(key)) continue
    const message = `unknown key ${JSON.stringify(key)}${suggestion(key, ROOT_KEYS)}`
    errors.push({ position: at, path: [key], message })
  }
}

function readService(
  entry: Entry | undefined,
  start: Position,
  sections: Sections,
  session: Session,
): ServiceConfig | undefined {
  const node: Node = entry === undefined || isNull(entry.value) ? emptyMap({ ...MAP, at: start }) : entry.value
  if (node.kind === 'broken') return undefined
  const checked = check(withoutPipelines(node), {
    schema: serviceSchema,
    unsupported: SERVICE_UNSUPPORTED,
    path: ['service'],
    at: start,
  })
  session.errors.push(...checked.problems)
  if (!checked.isValid) return undefined
  const values = checked.config as ServiceValues
  const extensions = references(values.extensions, checked.node, sections, session)
  const print = fingerprint(checked.raw)
  return freeze(serviceConfig(values, extensions, { raw: freeze(checked.raw), fingerprint: print }))
}

const MAP = { kind: 'map', entries: new Map() } as const

function withoutPipelines(node: Node): Node {
  if (node.kind !== 'map') return node
  const entries = new Map(node.entries)
  entries.delete('pipelines')
  return { ...node, entries }
}

function references(
  texts: readonly string[],
  service: Node,
  sections: Sections,
  session: Session,
): Reference<'extension'>[] {
  const path = ['service', 'extensions']
  const found = new Map<string, Reference<'extension'>>()
  for (const [index, text] of texts.entries()) {
    const position = find(service, ['extensions', index]).nearest.at
    const id = session.spelling.canonical('extensions', text, { position, path })
    if (!sections.extensions.ids.has(id)) {
      const message = notConfigured('extensions', text, ['extensions'], sections)
      if (sections.extensions.isWhole) session.errors.push({ position, path, message, isMissing: true })
    } else if (found.has(id)) {
      session.errors.push({ position, path, message: `references extension "${id}" multiple times` })
    }
    found.set(id, { kind: 'extension', id, position })
  }
  return [...found.values()]
}

/**
 * Where a file is no YAML, what was understood of it is believed up to the first syntax error, and nothing is
 * said to be missing: it may stand in the part that nobody understood.
 */
function believable(errors: readonly Fault[], read: readonly Source[]): Problem[] {
  const broken = new Map<string, number>()
  for (const { syntaxErrors } of read) {
    for (const { position } of syntaxErrors) {
      broken.set(position.source, Math.min(position.line, broken.get(position.source) ?? Number.POSITIVE_INFINITY))
    }
  }
  const isSyntax = new Set<Problem>(read.flatMap(({ syntaxErrors }) => syntaxErrors))
  return errors
    .filter((error) => {
      if (broken.size === 0 || isSyntax.has(error)) return true
      const { source, line } = error.position
      return !error.isMissing && line < (broken.get(source) ?? Number.POSITIVE_INFINITY)
    })
    .map(({ position, path, message }) => ({ position, path, message }))
}
