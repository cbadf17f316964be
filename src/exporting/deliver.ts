/**
 * Brings one batch of records to one destination, for as long as it takes.
 *
 * An exporter only makes single attempts; what becomes of a refusal is decided here, alike for all:
 * try again, halve, pick out the poison, hold, or give up into the dead-letter file.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeadLetter, Exporter, Health } from '../component.ts'
import { DELIVERED, type Outcome, worse } from '../flow/ack.ts'
import type { LogRecord } from '../records/record.ts'
import { backoffMs } from './backoff.ts'
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from './errors.ts'
import type { DeliverySettings } from './settings.ts'

/** What delivery tells the host. */
export interface DeliveryHooks {
  sent(records: number): void
  /** Refused for good without being named, so that there is nothing to put into the dead-letter file. */
  refusedUnnamed(records: number, error: Error): void
  retrying(reason: string, error: Error, waitMs: number): void
  reject(letters: readonly DeadLetter[]): Promise<void>
  health(status: Health, reason?: string): void
}

export type DeliverRecords = (records: readonly LogRecord[], signal: AbortSignal) => Promise<Outcome>

/** Builds the function that delivers. It never rejects; `failed` means that `signal` ended it. */
export function createDelivery(
  exporter: Exporter,
  { timeout, retry_on_failure: retry }: DeliverySettings,
  hooks: DeliveryHooks,
): DeliverRecords {
  const attempt = async (records: readonly LogRecord[], signal: AbortSignal): Promise<void> => {
    const limited = timeout > 0 ? AbortSignal.any([signal, AbortSignal.timeout(timeout)]) : signal
    await Promise.race([exporter.export(records, limited), aborted(limited)])
    hooks.sent(records.length)
    hooks.health('ok')
  }

  const discard = async (records: readonly LogRecord[], reason: string, error: Error): Promise<Outcome> => {
    await hooks.reject(records.map((record) => ({ reason, error: error.message, record })))
    return { kind: 'rejected', error }
  }

  const halves = async (records: readonly LogRecord[], signal: AbortSignal): Promise<Outcome> => {
    const middle = records.length >> 1
    const first = await deliver(records.slice(0, middle), signal)
    return worse(first, await deliver(records.slice(middle), signal))
  }

  // Undefined means: try the remaining records again later.
  const settle = (records: readonly LogRecord[], error: Error, signal: AbortSignal): Promise<Outcome> | undefined => {
    if (error instanceof TooLargeError) {
      return records.length > 1 ? halves(records, signal) : discard(records, 'too_large', error)
    }
    if (error instanceof RejectedError) {
      return error.bisect && records.length > 1 ? halves(records, signal) : discard(records, error.reason, error)
    }
    return undefined
  }

  const takePartial = async (records: readonly LogRecord[], error: PartialError): Promise<Outcome> => {
    const { rejected, rejectedCount, retry: again } = error
    hooks.sent(records.length - rejected.length - rejectedCount - again.length)
    if (rejectedCount > 0) hooks.refusedUnnamed(rejectedCount, error)
    if (rejected.length > 0) await hooks.reject(rejected)
    return rejected.length + rejectedCount > 0 ? { kind: 'rejected', error } : DELIVERED
  }

  const deliver: DeliverRecords = async (records, signal) => {
    const startedAt = Date.now()
    let rest = records
    let worst: Outcome = DELIVERED
    for (let tries = 0; ; tries++) {
      let error: Error
      try {
        await attempt(rest, signal)
        return worst
      } catch (thrown) {
        error = thrown instanceof Error ? thrown : new Error(String(thrown))
      }
      if (error instanceof PartialError) {
        worst = worse(worst, await takePartial(rest, error))
        rest = error.retry
        if (rest.length === 0) return worst
      }
      const settled = settle(rest, error, signal)
      if (settled !== undefined) return worse(worst, await settled)
      if (signal.aborted) return { kind: 'failed', error }
      const waitMs = backoffMs(retry, tries, error instanceof RetryLaterError ? error.retryAfterMs : 0)
      if (givesUp(startedAt, waitMs)) return worse(worst, await discard(rest, 'retries_exhausted', error))
      report(error, waitMs)
      if (!(await pause(waitMs, signal))) return { kind: 'failed', error }
    }
  }

  const givesUp = (startedAt: number, waitMs: number): boolean =>
    !retry.enabled || (retry.max_elapsed_time > 0 && Date.now() + waitMs - startedAt > retry.max_elapsed_time)

  const report = (error: Error, waitMs: number): void => {
    const held = error instanceof HoldError
    hooks.retrying(held ? 'held' : error.name === 'TimeoutError' ? 'timeout' : 'unavailable', error, waitMs)
    hooks.health(held ? 'permanent' : 'recoverable', error.message)
  }

  return deliver
}

// An exporter that does not heed its signal must not hold up the shutdown.
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** False when `signal` ended the wait. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}
