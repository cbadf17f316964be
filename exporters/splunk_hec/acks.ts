/**
 * Indexer acknowledgment: Splunk numbers the requests of a channel, and says of which the events are indexed.
 * One question asks for all that wait; Splunk forgets a number once it has said yes.
 */
import { RetryLaterError } from '../../src/exporting/errors.ts'

/** Resolves with the numbers among `ids` that are indexed. */
export type AskAcks = (ids: readonly number[]) => Promise<readonly number[]>

export interface Acks {
  /** Resolves when the request is indexed; a RetryLaterError when it was not in time. */
  wait(id: number): Promise<void>
  close(): void
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly until: number
}

export interface AcksOptions {
  readonly ask: AskAcks
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly onError: (error: Error) => void
}

export function createAcks({ ask, intervalMs, timeoutMs, onError }: AcksOptions): Acks {
  const waiting = new Map<number, Waiting>()
  let timer: NodeJS.Timeout | undefined

  const settle = (id: number, error?: Error): void => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve()
    else one?.reject(error)
  }
  const poll = async (): Promise<void> => {
    try {
      for (const id of await ask([...waiting.keys()])) settle(id)
    } catch (error) {
      onError(error as Error)
    }
    const now = Date.now()
    for (const [id, { until }] of waiting) {
      if (now >= until) settle(id, new RetryLaterError('the indexer did not acknowledge the events in time'))
    }
    timer = undefined
    schedule()
  }
  const schedule = (): void => {
    if (waiting.size > 0) timer ??= setTimeout(poll, intervalMs)
  }
  return {
    wait(id) {
      // Splunk starts again at 0 when it restarts: whoever waited for this number waits for nothing any more.
      settle(id, new RetryLaterError('Splunk gave the number of an acknowledgment again'))
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiting.set(id, { resolve, reject, until: Date.now() + timeoutMs })
      schedule()
      return promise
    },
    close() {
      clearTimeout(timer)
      for (const id of [...waiting.keys()]) settle(id, new RetryLaterError('the exporter is stopped'))
    },
  }
}
