import type { LogRecord } from '../records/record.ts'
import { type Ack, forkAck } from './ack.ts'

/**
 * The unit that flows. Whoever holds a batch must do exactly one of three things:
 * pass it on, derive others from it, or settle its ack.
 */
export interface Batch {
  readonly records: readonly LogRecord[]
  readonly ack: Ack
  /** Bytes this batch took from the budget, estimated once at admission. */
  readonly bytes: number
}

/** Cuts a batch into pieces of at most `size` records; the parent settles when every piece has. */
export function splitBatch(batch: Batch, size: number): Batch[] {
  const { records, ack, bytes } = batch
  if (records.length <= size) return [batch]
  const count = Math.ceil(records.length / size)
  const share = bytes / records.length
  return forkAck(ack, count).map((part, i) => {
    const slice = records.slice(i * size, (i + 1) * size)
    return { records: slice, ack: part, bytes: Math.round(share * slice.length) }
  })
}
