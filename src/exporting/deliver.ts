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

interface Again {
  readonly records: readonly LogRecord[]
  readonly error: Error
}

/** What one attempt came to: the outcome of what is done with, and what is to be tried again. */
interface Verdict {
  readonly outcome: Outcome
  readonly again?: Again
}

/** One exporter's delivery. `deliver` never rejects; the outcome `failed` means that the signal ended it. */
export class Delivery {
  readonly #exporter: Exporter
  readonly #settings: DeliverySettings
  readonly #hooks: DeliveryHooks
  readonly #leaving = new AbortController()

  constructor(exporter: Exporter, settings: DeliverySettings, hooks: DeliveryHooks) {
    this.#exporter = exporter
    this.#settings = settings
    this.#hooks = hooks
  }

  /** From now on an attempt that fails is the last one: for records that somebody has on disk. */
  leave(): void {
    this.#leaving.abort(new Error('the exporter is being stopped'))
  }

  async deliver(records: readonly LogRecord[], signal: AbortSignal): Promise<Outcome> {
    const startedAt = Date.now()
    let rest = records
    let worst: Outcome = DELIVERED
    for (let tries = 0; ; tries++) {
      const { outcome, again } = await this.#attempt(rest, signal)
      worst = worse(worst, outcome)
      if (again === undefined) return worst
      const end = await this.#waitForRetry(again, tries, startedAt, signal)
      if (end !== undefined) return worse(worst, end)
      rest = again.records
    }
  }

  async #attempt(records: readonly LogRecord[], signal: AbortSignal): Promise<Verdict> {
    const { timeout } = this.#settings
    const limited = timeout > 0 ? AbortSignal.any([signal, AbortSignal.timeout(timeout)]) : signal
    try {
      await Promise.race([this.#exporter.export(records, limited), aborted(limited)])
    } catch (thrown) {
      return this.#judge(records, thrown instanceof Error ? thrown : new Error(String(thrown)), signal)
    }
    this.#hooks.sent(records.length)
    this.#hooks.health('ok')
    return { outcome: DELIVERED }
  }

  async #judge(records: readonly LogRecord[], error: Error, signal: AbortSignal): Promise<Verdict> {
    if (error instanceof PartialError) {
      const outcome = await this.#takePartial(records, error)
      if (error.retry.length > 0) return { outcome, again: { records: error.retry, error: error.why ?? error } }
      // Where all were left out the destination was not asked.
      if (error.filtered < records.length) this.#hooks.health('ok')
      return { outcome }
    }
    const tooLarge = error instanceof TooLargeError
    if (!tooLarge && !(error instanceof RejectedError)) return { outcome: DELIVERED, again: { records, error } }
    if (records.length > 1 && (tooLarge || error.bisect)) return { outcome: await this.#halves(records, signal) }
    return { outcome: await this.#discard(records, tooLarge ? 'too_large' : error.reason, error) }
  }

  async #takePartial(records: readonly LogRecord[], error: PartialError): Promise<Outcome> {
    const { rejected, retry, filtered } = error
    const others = records.length - rejected.length - retry.length - filtered
    // A destination may count wrongly, but it cannot refuse more than it was given.
    const unnamed = Math.min(error.rejectedCount, others)
    // Where all are refused there is no doubt which ones.
    if (unnamed === records.length) return this.#discard(records, 'refused_by_destination', error)
    this.#hooks.sent(others - unnamed)
    if (unnamed > 0) this.#hooks.refusedUnnamed(unnamed, error)
    if (rejected.length > 0) await this.#hooks.reject(rejected)
    return rejected.length + unnamed > 0 ? { kind: 'rejected', error } : DELIVERED
  }

  async #halves(records: readonly LogRecord[], signal: AbortSignal): Promise<Outcome> {
    const middle = records.length >> 1
    const first = await this.deliver(records.slice(0, middle), signal)
    return worse(first, await this.deliver(records.slice(middle), signal))
  }

  async #discard(records: readonly LogRecord[], reason: string, error: Error): Promise<Outcome> {
    await this.#hooks.reject(records.map((record) => ({ reason, error: error.message, record })))
    return { kind: 'rejected', error }
  }

  // Undefined means: go on. An outcome means: the end has come for these records.
  async #waitForRetry(
    { records, error }: Again,
    tries: number,
    startedAt: number,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const leaving = this.#leaving.signal
    if (signal.aborted || leaving.aborted) return { kind: 'failed', error }
    const { retry_on_failure: retry } = this.#settings
    const waitMs = backoffMs(retry, tries, error instanceof RetryLaterError ? error.retryAfterMs : 0)
    const late = retry.max_elapsed_time > 0 && Date.now() + waitMs - startedAt > retry.max_elapsed_time
    if (!retry.enabled || late) return this.#discard(records, 'retries_exhausted', error)
    this.#hooks.retrying(retryReason(error), error, waitMs)
    this.#hooks.health(error instanceof HoldError ? 'permanent' : 'recoverable', error.message)
    return (await pause(waitMs, AbortSignal.any([signal, leaving]))) ? undefined : { kind: 'failed', error }
  }
}

function retryReason(error: Error): string {
  if (error instanceof HoldError) return 'held'
  return error.name === 'TimeoutError' ? 'timeout' : 'unavailable'
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
