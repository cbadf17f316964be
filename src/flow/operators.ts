/** Lifts functions over records to operators over batches, so that a component cannot lose an ack. */
import { Observable, type OperatorFunction } from 'rxjs'
import type { LogRecord } from '../records/record.ts'
import { DELIVERED } from './ack.ts'
import type { Batch } from './batch.ts'

/** What an operator reports about records that go no further. */
export interface RecordCounters {
  /** Dropped on purpose, by configuration. */
  filtered(count: number, reason: string): void
  /** Lost: should have been delivered and will not be. */
  lost(count: number, reason: string, error?: unknown): void
}

/**
 * Lifts a record function to batches. It returns the record to keep (itself, usually changed in
 * place), or undefined to drop it on purpose, which is delivery: the source is told all is well,
 * because nothing it could do would change the answer.
 *
 * A record that makes it throw costs itself, counted as lost; not its batch and not the stream.
 */
export function mapRecords(
  counters: RecordCounters,
  transform: (record: LogRecord) => LogRecord | undefined,
  reason = 'filtered',
): OperatorFunction<Batch, Batch> {
  return mapBatches((records) => {
    let filtered = 0
    let kept: LogRecord[] | undefined // Allocated only when the batch changes: most batches pass whole.
    for (let i = 0; i < records.length; i++) {
      const record = records[i] as LogRecord
      let result: LogRecord | undefined
      try {
        result = transform(record)
        if (result === undefined) filtered += 1
      } catch (error) {
        counters.lost(1, 'processor_error', error)
      }
      if (kept !== undefined) {
        if (result !== undefined) kept.push(result)
      } else if (result !== record) {
        kept = records.slice(0, i)
        if (result !== undefined) kept.push(result)
      }
    }
    if (filtered > 0) counters.filtered(filtered, reason)
    return kept ?? records
  })
}

/** Lifts a function over a batch's records. A batch that comes back empty settles `delivered`. */
export function mapBatches(
  transform: (records: readonly LogRecord[]) => readonly LogRecord[],
): OperatorFunction<Batch, Batch> {
  return (source) =>
    new Observable((out) =>
      source.subscribe({
        next(batch) {
          let records: readonly LogRecord[]
          try {
            records = transform(batch.records)
          } catch (error) {
            out.error(error) // The supervisor settles the batch and rebuilds the operator.
            return
          }
          if (records.length === 0) batch.ack.settle(DELIVERED)
          else out.next(records === batch.records ? batch : { records, ack: batch.ack, bytes: batch.bytes })
        },
        error: (error) => out.error(error),
        complete: () => out.complete(),
      }),
    )
}
