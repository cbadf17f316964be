/** `service::pipelines`: which components are joined, and in what order. */
import type { PipelineConfig, Position, Reference } from './config.ts'
import { fingerprint } from './fingerprint.ts'
import { parseId, SECTIONS, type Section } from './ids.ts'
import { nearest, suggestion } from './nearest.ts'
import { type Entry, isNull, type ListNode, type Node } from './node.ts'
import type { Sections } from './sections.ts'
import type { Session } from './session.ts'
import { shown } from './show.ts'

const PATH = ['service', 'pipelines']
const LISTS = ['receivers', 'processors', 'exporters'] as const
type List = (typeof LISTS)[number]

export interface Pipelines {
  readonly pipelines: ReadonlyMap<string, PipelineConfig>
  /** False where a list could not be read: a component that seems unused may be in it. */
  readonly isWhole: boolean
}

interface Reading {
  readonly sections: Sections
  readonly session: Session
  isWhole: boolean
}

/** `at` is the place to blame when there is nothing at all. */
export function readPipelines(node: Node | undefined, at: Position, sections: Sections, session: Session): Pipelines {
  const reading: Reading = { sections, session, isWhole: true }
  const pipelines = new Map<string, PipelineConfig>()
  if (node === undefined || isNull(node) || (node.kind === 'map' && node.entries.size === 0)) {
    const message = 'service must have at least one pipeline'
    session.errors.push({ position: node?.at ?? at, path: PATH, message, isMissing: true })
    return { pipelines, isWhole: false }
  }
  if (node.kind !== 'map') {
    wrong(node, PATH, 'a map of pipelines by id', reading)
    return { pipelines, isWhole: false }
  }
  for (const [key, entry] of node.entries) {
    const pipeline = readPipeline(key, entry, reading)
    if (pipeline !== undefined) pipelines.set(pipeline.id, pipeline)
  }
  return { pipelines, isWhole: reading.isWhole }
}

function wrong(node: Node, path: readonly string[], expected: string, { session }: Reading): void {
  if (node.kind === 'broken') return
  session.errors.push({ position: node.at, path, message: `expected ${expected}, found ${shown(node, false)}` })
}

function readPipeline(key: string, { at, value }: Entry, reading: Reading): PipelineConfig | undefined {
  const { session } = reading
  const path = [...PATH, key]
  const refused = refusePipelineId(key)
  if (refused !== undefined) {
    session.errors.push({ position: at, path, message: refused })
    reading.isWhole = false
    return undefined
  }
  if (value.kind !== 'map' && !isNull(value)) {
    wrong(value, path, 'a map with receivers, processors and exporters', reading)
    reading.isWhole = false
    return undefined
  }
  const entries = value.kind === 'map' ? value.entries : new Map<string, Entry>()
  for (const [name, entry] of entries) {
    if ((LISTS as readonly string[]).includes(name)) continue
    const message = `unknown key ${JSON.stringify(name)}${suggestion(name, LISTS)}`
    session.errors.push({ position: entry.at, path: [...path, name], message })
  }
  const list = (name: List): Reference[] => readList(name, entries.get(name), { path, at }, reading)
  const lists = { receivers: list('receivers'), processors: list('processors'), exporters: list('exporters') }
  const print = [key, ...LISTS.map((name) => lists[name].map(({ kind, id }) => [kind, id]))]
  return { id: key, ...lists, position: at, fingerprint: fingerprint(print) } as PipelineConfig
}

const OTHER_SIGNALS = new Set(['traces', 'metrics', 'profiles'])

function refusePipelineId(key: string): string | undefined {
  const id = parseId(key)
  if (typeof id === 'string') return id
  if (id.type === 'logs') return undefined
  const what = OTHER_SIGNALS.has(id.type) ? `pipelines of ${id.type} are not supported` : `unknown signal "${id.type}"`
  return `${what}: pipelines here carry logs; write "logs" or "logs/name"`
}

interface Where {
  readonly path: readonly string[]
  readonly at: Position
}

function readList(list: List, entry: Entry | undefined, where: Where, reading: Reading): Reference[] {
  const path = [...where.path, list]
  const value = entry?.value
  if (value !== undefined && !isNull(value) && value.kind !== 'list') {
    wrong(value, path, `a list of ids; write it as a list: [id]`, reading)
    reading.isWhole = false
    return []
  }
  if (value?.kind !== 'list' || value.items.length === 0) {
    if (list !== 'processors') mustHaveOne(list, entry?.at ?? where.at, where, reading)
    return []
  }
  return readReferences(list, value, where, reading)
}

function mustHaveOne(list: List, position: Position, { path }: Where, { session }: Reading): void {
  session.errors.push({ position, path, message: `must have at least one ${SECTIONS[list]}`, isMissing: true })
}

function readReferences(list: List, value: ListNode, where: Where, reading: Reading): Reference[] {
  const { session } = reading
  const found = new Map<string, Reference>()
  for (const [index, item] of value.items.entries()) {
    if (item.kind !== 'scalar' || typeof item.value !== 'string') {
      wrong(item, [...where.path, list, String(index)], 'the id of a component', reading)
      reading.isWhole = false
      continue
    }
    const reference = resolve(list, item.value, { path: where.path, at: item.at }, reading)
    if (reference === undefined) continue
    if (found.has(reference.id)) {
      const message = `references ${reference.kind} "${reference.id}" multiple times`
      session.errors.push({ position: item.at, path: where.path, message })
    }
    found.set(reference.id, reference)
  }
  return [...found.values()]
}

/** The component that an entry of a list names. Connectors are named among receivers and exporters. */
function resolve(list: List, text: string, where: Where, reading: Reading): Reference | undefined {
  const { sections, session } = reading
  const { path, at: position } = where
  const candidates: Section[] = list === 'processors' ? ['processors'] : [list, 'connectors']
  for (const section of candidates) {
    const id = session.spelling.canonical(section, text, { position, path })
    if (sections[section].ids.has(id)) return { kind: SECTIONS[section], id, position }
  }
  if (candidates.every((section) => sections[section].isWhole)) {
    const message = notConfigured(list, text, candidates, sections)
    session.errors.push({ position, path, message, isMissing: true })
  }
  return undefined
}

export function notConfigured(
  section: Section,
  id: string,
  candidates: readonly Section[],
  sections: Sections,
): string {
  const message = `references ${SECTIONS[section]} ${JSON.stringify(id)} which is not configured`
  const others = Object.entries(sections).filter(([, { ids }]) => ids.has(id))
  if (others.length > 0) return `${message}; ${id} is configured in ${others.map(([name]) => name).join(' and ')}`
  const near = nearest(
    id,
    candidates.flatMap((name) => [...sections[name].ids.keys()]),
  )
  return near === undefined ? message : `${message}; did you mean "${near}"?`
}
