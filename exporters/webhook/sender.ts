/** Brings the records of one batch to their receiver: one request for each, or one for all. */
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import type { LogRecord } from '../../src/records/record.ts'

export interface SenderOptions {
  readonly batch: 'one' | 'array'
  /** True for what is to be sent. */
  readonly isWanted: (record: LogRecord) => boolean
  /** Called once for records that are left out, when nothing can bring them back. */
  readonly onFiltered: (records: number) => void
  /** JSON of one record. */
  readonly toJson: (record: LogRecord) => string
  /** One request. Resolves when the receiver took it, else throws one of `exporting/errors.ts`. */
  readonly request: (body: string, records: readonly LogRecord[], signal: AbortSignal) => Promise<void>
}

interface Item {
  readonly record: LogRecord
  readonly json: string
}

export async function sendBatch(
  records: readonly LogRecord[],
  options: SenderOptions,
  signal: AbortSignal,
): Promise<void> {
  const wanted = records.filter(options.isWanted)
  const filtered = records.length - wanted.length
  const sending = new Sending(options, signal)
  const items = sending.encode(wanted)
  if (options.batch === 'one') await sending.each(items)
  else await sending.all(items)
  // Counted with the answer, so that a batch that is read again is not counted again.
  if (filtered > 0) options.onFiltered(filtered)
  const { rejected, retry, why } = sending
  if (filtered + rejected.length + retry.length === 0) return
  const message = why?.message ?? rejected[0]?.error ?? 'records were left out on purpose'
  throw new PartialError(message, { filtered, rejected, retry, ...(why && { why }) })
}

class Sending {
  readonly rejected: { record: LogRecord; reason: string; error: string }[] = []
  readonly retry: LogRecord[] = []
  why: RetryLaterError | HoldError | undefined
  readonly #options: SenderOptions
  readonly #signal: AbortSignal

  constructor(options: SenderOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  encode(records: readonly LogRecord[]): Item[] {
    return records.flatMap((record) => {
      try {
        return { record, json: this.#options.toJson(record) }
      } catch (error) {
        this.rejected.push({ record, reason: 'unencodable', error: (error as Error).message })
        return []
      }
    })
  }

  async each(items: readonly Item[]): Promise<void> {
    for (const item of items) await this.#send([item], item.json)
  }

  async all(items: readonly Item[]): Promise<void> {
    if (items.length === 0) return
    const isRefused = await this.#send(items, `[${items.map(({ json }) => json).join(',')}]`)
    if (!isRefused) return
    // One of them is to blame, or there are too many.
    const middle = items.length >> 1
    await this.all(items.slice(0, middle))
    await this.all(items.slice(middle))
  }

  /** Resolves to true when several items were refused for good, and each must be asked for by itself. */
  async #send(items: readonly Item[], body: string): Promise<boolean> {
    const records = items.map(({ record }) => record)
    // A receiver that asks for patience is not asked again for each of the others.
    if (this.why !== undefined) {
      this.retry.push(...records)
      return false
    }
    try {
      await this.#options.request(body, records, this.#signal)
      return false
    } catch (error) {
      if (this.#signal.aborted) throw error
      return this.#refused(records, error as Error)
    }
  }

  #refused(records: readonly LogRecord[], error: Error): boolean {
    const reason = finalReason(error)
    if (reason === undefined) {
      this.why = asReason(error)
      this.retry.push(...records)
      return false
    }
    if (records.length > 1) return true
    for (const record of records) this.rejected.push({ record, reason, error: error.message })
    return false
  }
}

/** Why a record that was alone in its request can never be delivered. Undefined when it may be later. */
function finalReason(error: Error): string | undefined {
  if (error instanceof TooLargeError) return 'too_large'
  return error instanceof RejectedError ? error.reason : undefined
}

function asReason(error: Error): RetryLaterError | HoldError {
  if (error instanceof RetryLaterError || error instanceof HoldError) return error
  return new RetryLaterError(error.message, { cause: error })
}
