import { Observable, type OperatorFunction, Subject } from 'rxjs'
import { createAck, type Outcome } from './ack.ts'
import type { Batch } from './batch.ts'

/**
 * Keeps a pipeline alive around an operator whose stream may end in an error.
 *
 * When it does (or ends before its source has), every batch that the operator was given and that has not settled
 * yet settles `failed` (its source sends it again), `onError` hears why, and the next batch finds a fresh operator.
 * Batches that had already left the operator may arrive as well: that is a duplicate, never a loss.
 */
export function supervise(
  create: () => OperatorFunction<Batch, Batch>,
  onError: (error: unknown) => void,
): OperatorFunction<Batch, Batch> {
  return (source) =>
    new Observable((out) => {
      const open = new Set<(outcome: Outcome) => void>()
      let failure: Outcome | undefined
      let isOver = false
      let entry: Subject<Batch> | undefined

      const broken = (thrown: unknown): void => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown))
        entry = undefined
        failure = { kind: 'failed', error }
        onError(error)
        for (const settle of [...open]) settle(failure)
        if (isOver) out.complete()
      }
      const connect = (): void => {
        const fresh = new Subject<Batch>()
        entry = fresh
        try {
          fresh.pipe(create()).subscribe({
            next: (batch) => out.next(batch),
            error: broken,
            complete: () => (isOver ? out.complete() : broken(new Error('the stream ended before its source'))),
          })
        } catch (error) {
          broken(error)
        }
      }

      connect()
      return source.subscribe({
        next(batch) {
          let settled = false
          const settle = (outcome: Outcome): void => {
            if (settled) return
            settled = true
            open.delete(settle)
            batch.ack.settle(outcome)
          }
          if (entry === undefined) connect()
          if (entry === undefined) {
            settle(failure as Outcome)
            return
          }
          open.add(settle)
          // `createAck` keeps "settled twice is a bug" for the operator itself; `settle` alone may come second.
          entry.next({ records: batch.records, bytes: batch.bytes, ack: createAck(settle, batch.ack.isFinal) })
        },
        error: (error) => out.error(error),
        complete() {
          isOver = true
          if (entry === undefined) out.complete()
          else entry.complete()
        },
      })
    })
}
