/** The sections of components: every id known, every value held against the schema of its type. */
import type { AnyDefinition } from '../component.ts'
import { check } from './check.ts'
import type { ComponentConfig, Position } from './config.ts'
import { fingerprint, freeze } from './fingerprint.ts'
import { parseId, SECTION_NAMES, SECTIONS, type Section, spellings } from './ids.ts'
import { nearest } from './nearest.ts'
import { type Entry, isNull, type MapNode, type Node } from './node.ts'
import { readReferences, readTargets } from './references.ts'
import type { Session } from './session.ts'
import { shown } from './show.ts'

/** What a section holds. */
export interface Declared {
  /** Where each id stands, also of components with errors. */
  readonly ids: ReadonlyMap<string, Position>
  /** Those without errors. */
  readonly components: ReadonlyMap<string, ComponentConfig>
  /** False when the section could not be read: an id that is not in it may well be configured. */
  readonly isWhole: boolean
}

export type Sections = Readonly<Record<Section, Declared>>

/** Old names of types become the present ones, in the keys of all sections. */
export function canonicalKeys(root: Node, session: Session): Node {
  if (root.kind !== 'map') return root
  const entries = new Map(root.entries)
  for (const section of SECTION_NAMES) {
    const entry = entries.get(section)
    if (entry?.value.kind !== 'map') continue
    entries.set(section, { ...entry, value: renamed(entry.value, section, session) })
  }
  return { ...root, entries }
}

function renamed(map: MapNode, section: Section, session: Session): MapNode {
  const entries = new Map<string, Entry>()
  for (const [key, entry] of map.entries) {
    const path = [section, key]
    const id = session.spelling.canonical(section, key, { position: entry.at, path })
    const known = entries.get(id)
    if (known !== undefined) {
      const message = `"${key}" and "${id}" are the same ${SECTIONS[section]}, which is already configured on line ${known.at.line}`
      session.errors.push({ position: entry.at, path, message })
    }
    entries.set(id, entry)
  }
  return { ...map, entries }
}

export function readSections(root: MapNode, session: Session): Sections {
  const read = SECTION_NAMES.map((section) => [
    section,
    readSection(root.entries.get(section)?.value, section, session),
  ])
  return Object.fromEntries(read) as Sections
}

function readSection(node: Node | undefined, section: Section, session: Session): Declared {
  const ids = new Map<string, Position>()
  const components = new Map<string, ComponentConfig>()
  if (node === undefined || isNull(node)) return { ids, components, isWhole: true }
  if (node.kind !== 'map') {
    if (node.kind !== 'broken') {
      const message = `expected a map of ${section} by id, found ${shown(node, false)}`
      session.errors.push({ position: node.at, path: [section], message })
    }
    return { ids, components, isWhole: false }
  }
  const types = spellings(session.registry, section)
  for (const [id, entry] of node.entries) {
    ids.set(id, entry.at)
    const component = readComponent(id, entry, { section, types, session })
    if (component !== undefined) components.set(id, component)
  }
  return { ids, components, isWhole: true }
}

interface Place {
  readonly section: Section
  readonly types: ReadonlyMap<string, AnyDefinition>
  readonly session: Session
}

function readComponent(key: string, { at, value }: Entry, place: Place): ComponentConfig | undefined {
  const { section, types, session } = place
  const path = [section, key]
  const id = parseId(key)
  if (typeof id === 'string') {
    session.errors.push({ position: at, path, message: id })
    return undefined
  }
  const definition = types.get(id.type)
  if (definition === undefined) {
    session.errors.push({ position: at, path, message: unknownType(key, id.type, place) })
    return undefined
  }
  if (value.kind === 'broken') return undefined
  const canonical = readReferences(value, { schema: definition.config, path: [section, key] }, session)
  const { isValid, config, raw, problems } = check(canonical, {
    schema: definition.config,
    unsupported: definition.unsupported,
    path,
    at,
  })
  session.errors.push(...problems)
  if (!isValid) return undefined
  const { kind, type } = definition
  if (definition.kind === 'connector') {
    readTargets(canonical, definition.pipelinesOf?.(config) ?? [], at, [section, key], session)
  }
  const print = fingerprint([kind, key, raw])
  return Object.freeze({
    kind,
    id: key,
    type,
    name: id.name,
    definition,
    config: freeze(config),
    raw: freeze(raw),
    position: at,
    fingerprint: print,
  })
}

/** Of the Collector's components that every configuration has, those that are not components here. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['batch', '; exporters batch by themselves, so remove this and its references'],
])

function unknownType(id: string, type: string, { section, types, session }: Place): string {
  const valid = (session.registry[section] as readonly AnyDefinition[]).map((each) => each.type).toSorted()
  const message = `unknown type: ${JSON.stringify(type)} for id: ${JSON.stringify(id)} (valid values: [${valid.join(', ')}])`
  const elsewhere = SECTION_NAMES.filter((other) => spellings(session.registry, other).has(type))
  if (elsewhere.length > 0) {
    return `${message}; ${type} is ${elsewhere.map((other) => `one of the ${other}`).join(' and ')}`
  }
  const near = nearest(type, [...valid, ...types.keys()])
  return `${message}${near === undefined ? (INSTEAD.get(type) ?? '') : `; did you mean "${near}"?`}`
}
