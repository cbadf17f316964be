/** Connectors at work between real pipelines, with destinations that answer as a test wants. */
import type { ConnectorDefinition } from '../../src/component.ts'
import type { Outcome } from '../../src/flow/ack.ts'
import { copyAmong, routeAmong, type Sink } from '../../src/graph/fan-out.ts'
import { createPipeline, type NamedProcessor } from '../../src/graph/pipeline.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { SILENT } from '../../src/telemetry/logger.ts'
import { MetricRegistry } from '../../src/telemetry/registry.ts'
import { type TestContext, testContext } from '../kit/context.ts'

export interface Joined {
  /** The pipeline in front of the connector. */
  readonly entry: Sink
  readonly context: TestContext
  /** What came out at the end of each pipeline behind it. */
  readonly arrived: Readonly<Record<string, LogRecord[]>>
}

/** A pipeline, the connector, and a pipeline behind it for each outcome, named by the key. */
export function joined(
  definition: ConnectorDefinition,
  config: object,
  outcomes: Readonly<Record<string, Outcome>>,
  processors: Readonly<Record<string, NamedProcessor[]>> = {},
): Joined {
  const runtime = { metrics: new MetricRegistry(), log: SILENT }
  const context = testContext()
  const arrived: Record<string, LogRecord[]> = {}
  const behind = Object.entries(outcomes).map(([id, outcome]) => {
    const mine: LogRecord[] = []
    arrived[id] = mine
    const end: Sink = {
      push({ records, ack }) {
        mine.push(...records)
        ack.settle(outcome)
      },
    }
    return createPipeline(id, processors[id] ?? [], end, runtime)
  })
  const { route } = definition.create(definition.config.parse(config), context)
  const fed = new Map(behind.map((pipeline) => [pipeline.id, pipeline]))
  const sink = route === 'all' ? copyAmong(behind) : routeAmong(route, fed, context)
  return { entry: createPipeline('logs/in', [], sink, runtime), context, arrived }
}
