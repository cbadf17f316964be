import { Observable, type OperatorFunction, Subject } from 'rxjs'
import { createAck, type Outcome } from './ack.ts'
import type { Batch } from './batch.ts'

/**
 * Keeps a pipeline alive around an operator whose stream may end in an error.
 *
 * When it does, every batch that the operator was given and that has not settled yet settles
 * `failed` (its source sends it again), `onError` hears why, and a fresh operator takes over.
 * Batches that had already left the operator may arrive as well: that is a duplicate, never a loss.
 */
export function supervise(
  create: () => OperatorFunction<Batch, Batch>,
  onError: (error: unknown) => void,
): OperatorFunction<Batch, Batch> {
  return (source) =>
    new Observable((out) => {
      const open = new Set<(outcome: Outcome) => void>()
      let entry = new Subject<Batch>()

      const connect = (): void => {
        entry = new Subject()
        const broken = (error: unknown): void => {
          onError(error)
          connect()
          const failed: Outcome = { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) }
          for (const settle of [...open]) settle(failed)
        }
        let operator: OperatorFunction<Batch, Batch>
        try {
          operator = create()
        } catch (error) {
          out.error(error)
          return
        }
        entry.pipe(operator).subscribe({
          next: (batch) => out.next(batch),
          error: broken,
          complete: () => out.complete(),
        })
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
          open.add(settle)
          // `createAck` keeps "settled twice is a bug" for the operator itself; `settle` alone may come second.
          entry.next({ records: batch.records, bytes: batch.bytes, ack: createAck(settle) })
        },
        error: (error) => out.error(error),
        complete: () => entry.complete(),
      })
    })
}
