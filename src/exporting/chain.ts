/**
 * What stands between a pipeline and an exporter: gathering, a bounded number of consumers, delivery.
 *
 * The queue in memory is RxJS's own: it cannot grow past what the budget admitted. An acknowledgement
 * waits for the destination, so a dead destination slows its source and nothing else.
 */
import { mergeMap, Subject, tap } from 'rxjs'
import type { Outcome } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import { coalesce, type Pressure } from '../flow/coalesce.ts'
import type { Delivery } from './deliver.ts'
import type { DeliverySettings } from './settings.ts'

export interface Chain {
  /** Takes a batch over: from here on the chain owns its ack. */
  push(batch: Batch): void
  /** Batches that wait, and requests on their way. */
  readonly waiting: number
  readonly inFlight: number
  /** Sends what is held. Resolves when every batch has settled. What comes later settles `failed`. */
  close(): Promise<void>
}

export function createChain(
  delivery: Delivery,
  { sending_queue }: DeliverySettings,
  pressure: Pressure,
  signal: AbortSignal,
): Chain {
  const { batch, num_consumers } = sending_queue
  const entry = new Subject<Batch>()
  let isClosed = false
  let waiting = 0
  let inFlight = 0
  const { promise: closed, resolve } = Promise.withResolvers<void>()

  entry
    .pipe(
      coalesce({
        minRecords: batch.min_size,
        maxRecords: batch.max_size,
        maxBytes: batch.max_bytes,
        waitMs: batch.flush_timeout,
        pressure,
      }),
      tap(() => {
        waiting += 1
      }),
      mergeMap(async ({ records, ack }) => {
        waiting -= 1
        inFlight += 1
        const outcome = await delivery.deliver(records, signal).catch(failed)
        inFlight -= 1
        ack.settle(outcome)
      }, num_consumers),
    )
    .subscribe({ complete: resolve })

  return {
    push(one) {
      if (isClosed) one.ack.settle(failed(new Error('the exporter is closed')))
      else entry.next(one)
    },
    get waiting() {
      return waiting
    },
    get inFlight() {
      return inFlight
    },
    close() {
      isClosed = true
      entry.complete()
      return closed
    },
  }
}

// Only a dead-letter file that could not be written until the end makes a delivery throw.
function failed(error: Error): Outcome {
  return { kind: 'failed', error }
}
