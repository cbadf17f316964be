/** Ids inside a component's own configuration: `storage: file_storage`, `pipelines: [logs/findings]`. */
import type { Position, Reference } from './config.ts'
import { leaves, type Node, type Path, replaced } from './node.ts'
import type { Pipelines } from './pipelines.ts'
import { alternatives, type Schema, schemasAt } from './schema-walk.ts'
import type { Sections } from './sections.ts'
import type { Session } from './session.ts'

/** An id that a schema marks with `reference()`. */
export interface InnerReference {
  readonly to: 'extension' | 'pipeline'
  readonly id: string
  readonly position: Position
  readonly path: readonly string[]
  /** The connector that holds it, if it is one: the pipeline must then listen to it. */
  readonly connector: string | undefined
}

interface Owner {
  readonly schema: Schema
  /** Section and id. */
  readonly path: readonly [string, string]
}

/** Puts present names in the place of old ones, and remembers every reference for `checkReferences`. */
export function readReferences(root: Node, { schema, path }: Owner, session: Session): Node {
  let node = root
  for (const [below, { value, at, ...leaf }] of leaves(root)) {
    const to = typeof value === 'string' ? referenceAt(schema, below) : undefined
    if (to === undefined) continue
    const whole = [...path, ...below.map(String)]
    const spelled =
      to === 'extension'
        ? session.spelling.canonical('extensions', value as string, { position: at, path: whole })
        : value
    if (spelled !== value) node = replaced(node, below, { ...leaf, at, value: spelled })
    const connector = path[0] === 'connectors' ? path[1] : undefined
    session.references.push({ to, id: spelled as string, position: at, path: whole, connector })
  }
  return node
}

/** Remembers the pipelines that a connector names, each wherever its id stands. */
export function readTargets(
  root: Node,
  names: readonly string[],
  at: Position,
  path: readonly [string, string],
  session: Session,
): void {
  const all = [...leaves(root)]
  for (const id of new Set(names)) {
    const found = all.filter(([, { value }]) => value === id)
    for (const [below, node] of found.length > 0 ? found : [[[], { at }] as const]) {
      session.references.push({
        to: 'pipeline',
        id,
        position: node.at,
        path: [...path, ...below.map(String)],
        connector: path[1],
      })
    }
  }
}

function referenceAt(schema: Schema, path: Path): InnerReference['to'] | undefined {
  const forms = schemasAt(schema, path).flatMap((one) => alternatives(one.schema, one.meta))
  return forms.find(({ meta }) => meta.reference !== undefined)?.meta.reference
}

export function checkReferences(
  sections: Sections,
  { pipelines, isWhole }: Pipelines,
  started: readonly Reference[] | undefined,
  session: Session,
): void {
  for (const reference of session.references) {
    const message =
      reference.to === 'extension'
        ? extensionFault(reference, sections, started)
        : isWhole && pipelineFault(reference, pipelines)
    if (typeof message !== 'string') continue
    session.errors.push({ position: reference.position, path: reference.path, message, isMissing: true })
  }
}

function extensionFault({ id }: InnerReference, { extensions }: Sections, started: readonly Reference[] | undefined) {
  if (!extensions.isWhole) return undefined
  if (!extensions.ids.has(id)) return `references extension "${id}" which is not configured`
  const isStarted = started?.some((each) => each.id === id) ?? true
  return isStarted ? undefined : `references extension "${id}" which is not listed in service::extensions`
}

function pipelineFault({ id, connector }: InnerReference, pipelines: Pipelines['pipelines']): string | undefined {
  const pipeline = pipelines.get(id)
  if (pipeline === undefined) return `references pipeline "${id}" which is not configured`
  const listens = pipeline.receivers.some((each) => each.kind === 'connector' && each.id === connector)
  if (connector === undefined || listens) return undefined
  return `references pipeline "${id}" which does not list "${connector}" among its receivers`
}
