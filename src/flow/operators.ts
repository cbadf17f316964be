/** Lifts functions over records to operators over batches, so that a component cannot lose an ack. */
import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
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
  let filtered = 0
  const attempt = (record: LogRecord): LogRecord | undefined => {
    try {
      const result = transform(record)
      if (result === undefined) filtered += 1
      return result
    } catch (error) {
      counters.lost(1, 'processor_error', error)
      return undefined
    }
  }
  return mapBatches((records) => {
    filtered = 0
    const kept = keep(records, attempt)
    if (filtered > 0) counters.filtered(filtered, reason)
    return kept
  })
}

/** Applies `attempt` to each record. Most batches pass whole: an array is allocated only when one changes. */
function keep(
  records: readonly LogRecord[],
  attempt: (record: LogRecord) => LogRecord | undefined,
): readonly LogRecord[] {
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord
    const result = attempt(record)
    if (result === record) continue
    const kept = records.slice(0, i)
    if (result !== undefined) kept.push(result)
    for (let j = i + 1; j < records.length; j++) {
      const next = attempt(records[j] as LogRecord)
      if (next !== undefined) kept.push(next)
    }
    return kept
  }
  return records
}

/** Lifts a function over a batch's records. A batch that comes back empty settles `delivered`. */
export function mapBatches(
  transform: (records: readonly LogRecord[]) => readonly LogRecord[],
): OperatorFunction<Batch, Batch> {
  const apply = (batch: Batch, out: Subscriber<Batch>): void => {
    const records = transform(batch.records)
    if (records.length === 0) batch.ack.settle(DELIVERED)
    else out.next(records === batch.records ? batch : { records, ack: batch.ack, bytes: batch.bytes })
  }
  return (source) =>
    new Observable((out) =>
      source.subscribe({
        next(batch) {
          try {
            apply(batch, out)
          } catch (error) {
            out.error(error) // The supervisor settles the batch and rebuilds the operator.
          }
        },
        error: (error) => out.error(error),
        complete: () => out.complete(),
      }),
    )
}
