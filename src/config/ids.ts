/** Component and pipeline ids: `type[/name]`, by the Collector's grammar (component/identifiable.go). */
import type { AnyDefinition, Kind, Registry } from '../component.ts'
import type { Problem } from './config.ts'

export const SECTIONS = {
  receivers: 'receiver',
  processors: 'processor',
  exporters: 'exporter',
  connectors: 'connector',
  extensions: 'extension',
} as const satisfies Record<string, Kind>
export type Section = keyof typeof SECTIONS
export const SECTION_NAMES = Object.keys(SECTIONS) as Section[]

export interface Id {
  readonly type: string
  readonly name: string | undefined
}

const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/
const NAME = /^[^\p{Z}\p{C}\p{S}]{1,1024}$/u

/** The id, or a sentence that says what is wrong with it. */
export function parseId(text: string): Id | string {
  if (text.trim() === '') return 'id must not be empty'
  const slash = text.indexOf('/')
  const type = (slash < 0 ? text : text.slice(0, slash)).trim()
  const name = slash < 0 ? undefined : text.slice(slash + 1).trim()
  const shown = JSON.stringify(text.slice(0, 80))
  if (type === '') return `in ${shown} id: the part before / should not be empty`
  if (name === '') return `in ${shown} id: the part after / should not be empty`
  if (!TYPE.test(type)) {
    return `invalid character(s) in type ${JSON.stringify(type.slice(0, 80))}: a letter, then at most 62 letters, digits and underscores`
  }
  if (name !== undefined && !NAME.test(name)) {
    return `invalid character(s) in name ${JSON.stringify(name.slice(0, 80))}: at most 1024 characters, no spaces and no symbols such as $ + = < >`
  }
  return { type, name }
}

export function formatId({ type, name }: Id): string {
  return name === undefined ? type : `${type}/${name}`
}

/** Every spelling of every type of a section, old ones too. */
export function spellings(registry: Registry, section: Section): ReadonlyMap<string, AnyDefinition> {
  const result = new Map<string, AnyDefinition>()
  for (const definition of registry[section] as readonly AnyDefinition[]) {
    for (const alias of definition.aliases ?? []) result.set(alias, definition)
  }
  for (const definition of registry[section] as readonly AnyDefinition[]) result.set(definition.type, definition)
  return result
}

/** Turns ids into their canonical spelling, and remembers which old spellings were met. */
export interface Spelling {
  /** The text itself where it is no id or of an unknown type. */
  canonical(section: Section, text: string, where: Omit<Problem, 'message'>): string
  /** One for each old spelling, at the first place it was met. */
  warnings(): Problem[]
}

export function createSpelling(registry: Registry): Spelling {
  const tables = new Map(SECTION_NAMES.map((section) => [section, spellings(registry, section)]))
  const met = new Map<string, Problem>()
  return {
    canonical(section, text, where) {
      const id = parseId(text)
      if (typeof id === 'string') return text
      const definition = tables.get(section)?.get(id.type)
      if (definition === undefined) return formatId(id)
      const { type, kind } = definition
      if (type !== id.type && !met.has(`${kind}/${id.type}`)) {
        const message = `"${id.type}" is a deprecated name of the ${kind} "${type}"; write "${type}"`
        met.set(`${kind}/${id.type}`, { ...where, message })
      }
      return formatId({ ...id, type })
    },
    warnings: () => [...met.values()],
  }
}
