/**
 * Brings one batch to Splunk: in as many requests as its size asks for, around the events that Splunk refuses.
 *
 * Splunk reads a request event by event and stops at the first that it refuses: those before it are taken. Where it
 * stopped is a number that counts from 0 with some codes and from 1 with others, so both neighbours are sent alone:
 * an event is condemned only when it was refused by itself.
 */
import { HoldError, PartialError, type RetryLaterError } from '../../src/exporting/errors.ts'
import type { LogRecord } from '../../src/records/record.ts'
import type { Acks } from './acks.ts'
import { type Answer, asReason, INCORRECT_INDEX } from './answer.ts'
import type { ToEvent } from './event.ts'

export interface SenderOptions {
  readonly toEvent: ToEvent
  readonly maxBytes: number
  /** One request. Rejects on socket errors and timeouts. */
  readonly request: (body: string, signal: AbortSignal) => Promise<Answer>
  /** True for a record that chose its index itself. */
  readonly namesIndex: (record: LogRecord) => boolean
  /** Undefined where an answer is enough. */
  readonly acks: Acks | undefined
  readonly onUnreadable: (records: number) => void
}

interface Event {
  readonly record: LogRecord
  readonly json: string
  readonly bytes: number
}

type Part = readonly Event[]

export class Sender {
  readonly #options: SenderOptions
  readonly #signal: AbortSignal
  readonly #rejected: { record: LogRecord; reason: string; error: string }[] = []
  readonly #retry: LogRecord[] = []
  readonly #acknowledgments: { readonly part: Part; readonly done: Promise<void> }[] = []
  #why: RetryLaterError | HoldError | undefined

  constructor(options: SenderOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  /** Resolves when Splunk has everything, else throws a PartialError or what keeps all of it. */
  async send(records: readonly LogRecord[]): Promise<void> {
    const open = this.#pack(records)
    for (let part = open.shift(); part !== undefined; part = open.shift()) {
      open.unshift(...(await this.#sendPart(part)))
      if (this.#why === undefined) continue
      for (const rest of open.splice(0)) this.#again(rest)
    }
    await this.#awaitAcknowledgments()
    if (this.#rejected.length === 0 && this.#retry.length === 0) return
    const why = this.#why
    if (why !== undefined && this.#retry.length === records.length) throw why
    const message = why?.message ?? this.#rejected[0]?.error ?? ''
    throw new PartialError(message, { rejected: this.#rejected, retry: this.#retry, ...(why && { why }) })
  }

  /** Cuts a batch into requests. An event that no request can hold is condemned here. */
  #pack(records: readonly LogRecord[]): Part[] {
    const { toEvent, maxBytes } = this.#options
    const parts: Event[][] = []
    let room = 0
    for (const record of records) {
      const json = this.#encode(toEvent, record)
      if (json === undefined) continue
      const bytes = Buffer.byteLength(json) + 1
      if (bytes > maxBytes) {
        this.#condemn(record, 'too_large', `the event has ${bytes} bytes, max_content_length_logs is ${maxBytes}`)
        continue
      }
      if (bytes > room) {
        parts.push([])
        room = maxBytes
      }
      parts.at(-1)?.push({ record, json, bytes })
      room -= bytes
    }
    return parts
  }

  #encode(toEvent: ToEvent, record: LogRecord): string | undefined {
    try {
      return toEvent(record)
    } catch (error) {
      this.#condemn(record, 'unencodable', `the record cannot be encoded: ${(error as Error).message}`)
      return undefined
    }
  }

  /** Returns what is still to be sent. */
  async #sendPart(part: Part): Promise<Part[]> {
    const answer = await this.#request(part)
    switch (answer.kind) {
      case 'taken':
        return this.#taken(part, answer)
      case 'invalid':
        return this.#around(part, answer)
      case 'too large':
        if (part.length > 1) return halves(part)
        this.#condemnAll(part, 'too_large', answer.error)
        return []
      case 'later':
        this.#why = asReason(answer.error)
        this.#again(part.slice(this.#surelyTaken(part, answer.number)))
        return []
    }
  }

  async #request(part: Part): Promise<Answer> {
    try {
      return await this.#options.request(part.map(({ json }) => json).join('\n'), this.#signal)
    } catch (error) {
      // A shutdown is nobody's fault: the whole batch is read again.
      if (this.#signal.aborted) throw error
      return { kind: 'later', number: 0, error: error as Error }
    }
  }

  #taken(part: Part, { ackId, isReadable }: Answer & { kind: 'taken' }): Part[] {
    const { acks, onUnreadable } = this.#options
    if (acks === undefined) {
      if (!isReadable) onUnreadable(part.length)
    } else if (ackId === undefined) {
      this.#why = new HoldError('Splunk sent no ackId: the token does not use indexer acknowledgment')
      this.#again(part)
    } else {
      const done = acks.wait(ackId)
      done.catch(() => {}) // Heard below, perhaps after other requests.
      this.#acknowledgments.push({ part, done })
    }
    return []
  }

  /** One event of `part` was refused: leaves out what was taken, and lets those that may be to blame go alone. */
  #around(part: Part, { number, code, error }: Answer & { kind: 'invalid' }): Part[] {
    const [only] = part
    if (part.length === 1 && only !== undefined) {
      if (code === INCORRECT_INDEX && !this.#options.namesIndex(only.record)) {
        this.#why = new HoldError(`${error}: is the index of the configuration allowed for the token?`)
        this.#again(part)
      } else this.#condemn(only.record, `hec_${code}`, error)
      return []
    }
    if (number === undefined || number > part.length) return halves(part)
    const before = Math.max(0, number - 1)
    const unsure = part.slice(this.#surelyTaken(part, number), before)
    const parts = [unsure, part.slice(before, number), part.slice(number, number + 1), part.slice(number + 1)]
    return parts.filter(({ length }) => length > 0)
  }

  /** With acknowledgments nothing is sure: a request that was not taken whole has no number to ask for. */
  #surelyTaken(part: Part, number: number): number {
    return this.#options.acks === undefined && number <= part.length ? Math.max(0, number - 1) : 0
  }

  async #awaitAcknowledgments(): Promise<void> {
    for (const { part, done } of this.#acknowledgments) {
      try {
        await done
      } catch (error) {
        this.#why ??= asReason(error as Error)
        this.#again(part)
      }
    }
  }

  #again(part: Part): void {
    for (const { record } of part) this.#retry.push(record)
  }

  #condemnAll(part: Part, reason: string, error: string): void {
    for (const { record } of part) this.#condemn(record, reason, error)
  }

  #condemn(record: LogRecord, reason: string, error: string): void {
    this.#rejected.push({ record, reason, error })
  }
}

function halves(part: Part): Part[] {
  const middle = part.length >> 1
  return [part.slice(0, middle), part.slice(middle)]
}
