/** One pipeline at work: processors in a row, each supervised and counted, then the sinks. */
import { type Observable, Subject, tap } from 'rxjs'
import type { Processor } from '../component.ts'
import type { Batch } from '../flow/batch.ts'
import { supervise } from '../flow/supervise.ts'
import type { Sink } from './fan-out.ts'
import type { Runtime } from './runtime.ts'

export interface NamedProcessor {
  readonly id: string
  readonly processor: Processor
}

export interface Pipeline extends Sink {
  readonly id: string
  /** Lets operators flush what they hold. Resolves when they have. */
  close(): Promise<void>
}

export function createPipeline(
  id: string,
  processors: readonly NamedProcessor[],
  sink: Sink,
  { metrics, log }: Pick<Runtime, 'metrics' | 'log'>,
): Pipeline {
  const entry = new Subject<Batch>()
  const { promise: closed, resolve } = Promise.withResolvers<void>()

  let stream: Observable<Batch> = entry
  for (const { id: component, processor } of processors) {
    const labels = { processor: component, otel_signal: 'logs' }
    const onError = (error: unknown): void => {
      metrics.add('weir_operator_rebuilds', 1, { component })
      log.error('A processor broke and was rebuilt; its batches will be sent again.', {
        'otelcol.component.id': component,
        'otelcol.pipeline.id': id,
        error,
      })
    }
    stream = stream.pipe(
      tap((batch) => metrics.add('otelcol_processor_incoming_items', batch.records.length, labels)),
      supervise(() => processor.operator(), onError),
      tap((batch) => metrics.add('otelcol_processor_outgoing_items', batch.records.length, labels)),
    )
  }
  stream.subscribe({ next: (batch) => sink.push(batch), complete: resolve })

  return {
    id,
    push: (batch) => entry.next(batch),
    close() {
      entry.complete()
      return closed
    },
  }
}
