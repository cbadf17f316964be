/**
 * Decides what is connected to what. Pure: configuration in, plan out.
 *
 * The unit is an island: pipelines that share a receiver, an exporter or a connector, directly or through
 * others. Islands do not touch, so that a reload can exchange one and leave the rest running.
 */

import type {
  ConnectorDefinition,
  ExporterDefinition,
  ExtensionDefinition,
  ProcessorDefinition,
  ReceiverDefinition,
} from '../component.ts'
import type { ComponentConfig, Config, PipelineConfig } from '../config/config.ts'
import { storageFingerprint } from './storage.ts'

export interface Island {
  /** In the order of the flow: whoever feeds another by a connector comes first. */
  readonly pipelines: readonly PipelineConfig[]
  readonly receivers: readonly ComponentConfig<ReceiverDefinition>[]
  readonly connectors: readonly ComponentConfig<ConnectorDefinition>[]
  readonly exporters: readonly ComponentConfig<ExporterDefinition>[]
  readonly processors: ReadonlyMap<string, ComponentConfig<ProcessorDefinition>>
  /** Equal exactly when nothing in the island has changed. */
  readonly fingerprint: string
}

export interface Plan {
  readonly islands: readonly Island[]
  /** In starting order. */
  readonly extensions: readonly ComponentConfig<ExtensionDefinition>[]
}

export function planGraph(config: Config): Plan {
  const extensions = config.service.extensions.map(({ id }) => must(config.extensions, id))
  const islands = groupPipelines([...config.pipelines.values()]).map((pipelines) => planIsland(config, pipelines))
  return { islands, extensions }
}

function planIsland(config: Config, pipelines: readonly PipelineConfig[]): Island {
  const ids = (list: 'receivers' | 'processors' | 'exporters', kind: string): string[] => [
    ...new Set(pipelines.flatMap((one) => one[list].filter((each) => each.kind === kind).map((each) => each.id))),
  ]
  const receivers = ids('receivers', 'receiver').map((id) => must(config.receivers, id))
  const connectors = ids('exporters', 'connector').map((id) => must(config.connectors, id))
  const exporters = ids('exporters', 'exporter').map((id) => must(config.exporters, id))
  const processors = ids('processors', 'processor').map((id) => must(config.processors, id))
  const parts = [...receivers, ...processors, ...connectors, ...exporters, ...pipelines]
  return {
    pipelines: inFlowOrder(pipelines),
    receivers,
    connectors,
    exporters,
    processors: new Map(processors.map((one) => [one.id, one])),
    fingerprint: [
      ...parts.map((one) => one.fingerprint),
      ...[...receivers, ...exporters].map((one) => storageFingerprint(one.config, config)),
    ]
      .sort()
      .join('\n'),
  }
}

function must<T>(map: ReadonlyMap<string, T>, id: string): T {
  const found = map.get(id)
  if (found === undefined) throw new Error(`the configuration was validated, but ${id} is missing`)
  return found
}

/** Ids of everything a pipeline shares with others. Processors are never shared: each pipeline has its own. */
function touches(pipeline: PipelineConfig): string[] {
  return [...pipeline.receivers, ...pipeline.exporters].map(({ kind, id }) => `${kind}:${id}`)
}

function groupPipelines(pipelines: readonly PipelineConfig[]): PipelineConfig[][] {
  let groups: { members: PipelineConfig[]; shared: Set<string> }[] = []
  for (const pipeline of pipelines) {
    const mine = touches(pipeline)
    const related = groups.filter(({ shared }) => mine.some((id) => shared.has(id)))
    const merged = {
      members: [...related.flatMap(({ members }) => members), pipeline],
      shared: new Set([...related.flatMap(({ shared }) => [...shared]), ...mine]),
    }
    groups = [...groups.filter((group) => !related.includes(group)), merged]
  }
  return groups.map(({ members }) => members)
}

function inFlowOrder(pipelines: readonly PipelineConfig[]): PipelineConfig[] {
  const ordered: PipelineConfig[] = []
  const feeds = (from: PipelineConfig, to: PipelineConfig): boolean =>
    from.exporters.some((out) => out.kind === 'connector' && to.receivers.some((into) => into.id === out.id))
  const visit = (pipeline: PipelineConfig): void => {
    if (ordered.includes(pipeline)) return
    for (const other of pipelines) if (feeds(other, pipeline)) visit(other) // Validation refused cycles.
    ordered.push(pipeline)
  }
  for (const pipeline of pipelines) visit(pipeline)
  return ordered
}

/** The pipelines that records of a receiver (or connector) come to, through connectors as well. */
export function pipelinesBehind({ pipelines }: Pick<Island, 'pipelines'>, id: string): PipelineConfig[] {
  const found = new Set<PipelineConfig>()
  const visit = (source: string): void => {
    for (const pipeline of pipelines.filter(({ receivers }) => receivers.some((one) => one.id === source))) {
      if (found.has(pipeline)) continue
      found.add(pipeline)
      for (const { id: next } of pipeline.exporters.filter(({ kind }) => kind === 'connector')) visit(next)
    }
  }
  visit(id)
  return [...found]
}
