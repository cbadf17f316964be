import { fromEvent, map, merge, Observable, type OperatorFunction } from 'rxjs'
import { joinAcks } from './ack.ts'
import { type Batch, splitBatch } from './batch.ts'
import type { Budget } from './budget.ts'

/** The part of a budget that says whether somebody is waiting for room. */
export type Pressure = Pick<Budget, 'isStarved' | 'starved$'>

/** Pressure of whoever may be upstream: one of them waiting is enough. */
export function anyPressure(all: readonly Pressure[]): Pressure {
  return {
    get isStarved() {
      return all.some((one) => one.isStarved)
    },
    starved$: merge(...all.map((one) => one.starved$)),
  }
}

/** From the moment `signal` aborts nobody may wait for a fuller batch. */
export function pressureOf(signal: AbortSignal): Pressure {
  return {
    get isStarved() {
      return signal.aborted
    },
    starved$: fromEvent(signal, 'abort').pipe(map(() => {})),
  }
}

export interface CoalesceOptions {
  /** Flush once this many records are held. */
  readonly minRecords: number
  /** Never emit more records than this in one batch; 0 means no limit. */
  readonly maxRecords: number
  /** Flush once this many bytes are held. */
  readonly maxBytes: number
  /** Flush this long after the first record arrived. */
  readonly waitMs: number
  /** While someone waits for room, hold nothing: a fuller batch may need records that cannot be admitted. */
  readonly pressure: Pressure
}

/** Merges small batches into larger ones and cuts over-large ones; acks answer to all their parents. */
export function coalesce(options: CoalesceOptions): OperatorFunction<Batch, Batch> {
  const { minRecords, maxRecords, maxBytes, waitMs, pressure } = options
  return (source) =>
    new Observable((out) => {
      let held: Batch[] = []
      let count = 0
      let bytes = 0
      let timer: NodeJS.Timeout | undefined

      const emit = (batch: Batch): void => {
        if (maxRecords === 0 || batch.records.length <= maxRecords) out.next(batch)
        else for (const part of splitBatch(batch, maxRecords)) out.next(part)
      }
      const flush = (): void => {
        clearTimeout(timer)
        timer = undefined
        const [first, ...more] = held
        if (first === undefined) return
        const merged = more.length === 0 ? first : mergeBatches(held, bytes)
        held = []
        count = 0
        bytes = 0
        emit(merged)
      }
      const wouldOverflow = (batch: Batch): boolean =>
        (maxRecords > 0 && count + batch.records.length > maxRecords) || bytes + batch.bytes > maxBytes

      out.add(pressure.starved$.subscribe(flush))
      out.add(() => clearTimeout(timer))
      return source.subscribe({
        next(batch) {
          if (wouldOverflow(batch)) flush()
          held.push(batch)
          count += batch.records.length
          bytes += batch.bytes
          if (count >= minRecords || bytes >= maxBytes || pressure.isStarved) flush()
          else timer ??= setTimeout(flush, waitMs)
        },
        error: (error) => out.error(error),
        complete() {
          flush()
          out.complete()
        },
      })
    })
}

function mergeBatches(parts: readonly Batch[], bytes: number): Batch {
  return {
    records: parts.flatMap((part) => part.records),
    ack: joinAcks(parts.map((part) => part.ack)),
    bytes,
  }
}
