/** One pipeline at work: processors in a row, each supervised and counted, then the sinks. */
import { type Observable, type OperatorFunction, Subject, tap } from 'rxjs'
import type { Processor } from '../component.ts'
import type { Outcome } from '../flow/ack.ts'
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
  /** Lets operators flush what they hold. Resolves when they have. What comes later settles `failed`. */
  close(): Promise<void>
}

/** Throws what a processor throws when its operator cannot be made. */
export function createPipeline(
  id: string,
  processors: readonly NamedProcessor[],
  sink: Sink,
  { metrics, log }: Pick<Runtime, 'metrics' | 'log'>,
): Pipeline {
  const entry = new Subject<Batch>()
  let isClosed = false
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
      supervise(eagerly(processor), onError),
      tap((batch) => metrics.add('otelcol_processor_outgoing_items', batch.records.length, labels)),
    )
  }
  stream.subscribe({ next: (batch) => sink.push(batch), complete: resolve })

  return {
    id,
    push(batch) {
      if (isClosed) batch.ack.settle(CLOSED)
      else entry.next(batch)
    },
    close() {
      isClosed = true
      entry.complete()
      return closed
    },
  }
}

const CLOSED: Outcome = { kind: 'failed', error: new Error('the pipeline is closed') }

/** Makes the first operator now, so that one which cannot be made refuses the start. */
function eagerly(processor: Processor): () => OperatorFunction<Batch, Batch> {
  let first: OperatorFunction<Batch, Batch> | undefined = processor.operator()
  return () => {
    const operator = first ?? processor.operator()
    first = undefined
    return operator
  }
}
