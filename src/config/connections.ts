/** What must hold between pipelines: connectors join two, nothing goes in circles, nothing is forgotten. */
import type { PipelineConfig, Reference } from './config.ts'
import type { Pipelines } from './pipelines.ts'
import type { Sections } from './sections.ts'
import type { Session } from './session.ts'

export function checkConnections(sections: Sections, { pipelines, isWhole }: Pipelines, session: Session): void {
  refuseAmbiguous(sections, session)
  if (!isWhole) return
  refuseHalfConnected(sections, [...pipelines.values()], session)
  refuseCycles([...pipelines.values()], session)
}

/** One id must not be a connector and something else at once. */
function refuseAmbiguous({ connectors, receivers, exporters }: Sections, { errors }: Session): void {
  for (const [id, position] of connectors.ids) {
    for (const [kind, others] of [['receiver', receivers.ids] as const, ['exporter', exporters.ids] as const]) {
      if (!others.has(id)) continue
      const message =
        `ambiguous ID: Found both "${id}" ${kind} and "${id}" connector. Change one of the components' IDs ` +
        `to eliminate ambiguity (e.g. rename "${id}" connector to "${id}/connector")`
      errors.push({ position, path: ['connectors', id], message })
    }
  }
}

const names = (pipelines: readonly PipelineConfig[]): string => `[${pipelines.map(({ id }) => id).join(', ')}]`
const lists = (references: readonly Reference[], id: string): boolean =>
  references.some((each) => each.kind === 'connector' && each.id === id)

function refuseHalfConnected({ connectors }: Sections, pipelines: readonly PipelineConfig[], session: Session): void {
  for (const [id, position] of connectors.ids) {
    const into = pipelines.filter(({ exporters }) => lists(exporters, id))
    const outOf = pipelines.filter(({ receivers }) => lists(receivers, id))
    const say = (message: string): void =>
      void session.errors.push({ position, path: ['connectors', id], message, isMissing: true })
    if (into.length > 0 && outOf.length === 0) {
      say(
        `connector "${id}" used as exporter in ${names(into)} pipeline but not used in any supported receiver pipeline`,
      )
    }
    if (into.length === 0 && outOf.length > 0) {
      say(
        `connector "${id}" used as receiver in ${names(outOf)} pipeline but not used in any supported exporter pipeline`,
      )
    }
  }
}

/** Follows connectors from every pipeline; one that is met again on the way is in a circle. */
function refuseCycles(pipelines: readonly PipelineConfig[], session: Session): void {
  const done = new Set<PipelineConfig>()
  const visit = (pipeline: PipelineConfig, way: readonly (PipelineConfig | string)[]): void => {
    const start = way.indexOf(pipeline)
    if (start >= 0) {
      const circle = [...way.slice(start), pipeline].map((each) => (typeof each === 'string' ? each : each.id))
      const message = `cycle detected: records would go round for ever through ${circle.join(' -> ')}`
      session.errors.push({ position: pipeline.position, path: ['service', 'pipelines', pipeline.id], message })
      return
    }
    if (done.has(pipeline)) return
    for (const { kind, id } of pipeline.exporters) {
      const next = kind === 'connector' ? pipelines.filter(({ receivers }) => lists(receivers, id)) : []
      for (const each of next) visit(each, [...way, pipeline, `${id} (connector)`])
    }
    done.add(pipeline)
  }
  for (const pipeline of pipelines) visit(pipeline, [])
}

/** Warns of components that nothing uses: they are not started. */
export function warnUnused(
  sections: Sections,
  { pipelines }: Pipelines,
  extensions: readonly Reference[],
  session: Session,
): void {
  const all = [...pipelines.values()]
  const used = new Set(
    [...all.flatMap((each) => [...each.receivers, ...each.processors, ...each.exporters]), ...extensions].map(
      ({ kind, id }) => `${kind}s/${id}`,
    ),
  )
  for (const [section, { ids }] of Object.entries(sections)) {
    const where = section === 'extensions' ? 'service::extensions' : 'any pipeline'
    for (const [id, position] of ids) {
      if (used.has(`${section}/${id}`)) continue
      session.warnings.push({ position, path: [section, id], message: `is configured but not used in ${where}` })
    }
  }
}
