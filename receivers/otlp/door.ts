/**
 * What both protocols do with a request: take room before its body is read, read it, and wait for what becomes of
 * its records before it is answered.
 */
import { setMaxListeners } from 'node:events'
import type { Context } from '../../src/component.ts'
import type { Outcome } from '../../src/flow/ack.ts'
import type { Intake, Room } from '../../src/flow/intake.ts'
import { decodeOtlpJson } from '../../src/otlp/decode-json.ts'
import { decodeOtlpProtobuf } from '../../src/otlp/decode-protobuf.ts'
import { Identities } from '../../src/otlp/identities.ts'
import { type DecodeLimits, TooManyRecordsError } from '../../src/otlp/limits.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { nowHrTime } from '../../src/records/time.ts'
import { completeRecords } from './complete.ts'
import { Refusal, type Reply, soon, TAKEN } from './reply.ts'

/** What a request may make of us. A record takes some hundred bytes in memory, however few it has on the wire. */
export const LIMITS: DecodeLimits = { maxRecords: 100_000, maxAttributes: 1024, maxValues: 16_384, maxDepth: 32 }
const BYTES_OF_A_RECORD = 256

/** Wait before a client comes again. */
const FULL_MS = 1000
const FAILED_MS = 5000

export class Door {
  readonly #context: Context
  readonly #admissionMs: number
  readonly #limits: DecodeLimits
  readonly #identities = new Identities()
  readonly #closing = new AbortController()
  readonly #waiting = new Set<AbortController>()
  #intake: Intake | undefined
  #inside = 0
  #onEmpty: (() => void) | undefined

  constructor(context: Context, admissionMs: number) {
    this.#context = context
    this.#admissionMs = admissionMs
    this.#limits = { ...LIMITS, onCut: (values) => context.count('weir_receiver_cut_values', values) }
    // Every open body listens to it.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Aborts when nothing more is taken in. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  open(intake: Intake): void {
    this.#intake = intake
  }

  /** Takes nothing more in. Resolves when every request that was on its way in is in, or was refused. */
  async close(): Promise<void> {
    this.#closing.abort(new Refusal(shutting()))
    for (const one of this.#waiting) one.abort(this.#closing.signal.reason)
    if (this.#inside === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    await promise
  }

  /**
   * Takes room for `bytes` and lets `read` fetch the body; then sends the records on and resolves with what became of
   * them. Never rejects for what a client did: that is a reply. Errors of `read` are passed on, without the room.
   */
  async serve(bytes: number, isJson: boolean, read: (room: Room) => Promise<Uint8Array> | Uint8Array): Promise<Reply> {
    this.#inside += 1
    let outcome: Promise<Outcome> | undefined
    try {
      const room = await this.#room(bytes)
      try {
        outcome = this.#admit(room, await read(room), isJson)
      } finally {
        room.release()
      }
    } catch (error) {
      if (error instanceof Refusal) return error.reply
      throw error
    } finally {
      this.#leave()
    }
    return outcome === undefined ? TAKEN : replyOf(await outcome)
  }

  #leave(): void {
    this.#inside -= 1
    if (this.#inside === 0) this.#onEmpty?.()
  }

  async #room(bytes: number): Promise<Room> {
    const intake = this.#intake
    if (this.#closing.signal.aborted || intake === undefined) throw new Refusal(shutting())
    if (!intake.isOpen) {
      throw new Refusal({
        kind: 'unavailable',
        message: 'memory is short: send again later',
        retryAfterMs: soon(FAILED_MS),
      })
    }
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(new Refusal(full())), this.#admissionMs)
    this.#waiting.add(patience)
    try {
      return await intake.reserve(bytes, patience.signal)
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(patience)
    }
  }

  /** Undefined when there is nothing to send on. */
  #admit(room: Room, body: Uint8Array, isJson: boolean): Promise<Outcome> | undefined {
    // Its pipelines may be closed already.
    this.#closing.signal.throwIfAborted()
    const records = this.#decode(body, isJson)
    if (records.length === 0) return undefined
    completeRecords(records, body, nowHrTime())
    room.resize(Math.max(body.length, records.length * BYTES_OF_A_RECORD))
    return room.admit(records).outcome
  }

  #decode(body: Uint8Array, isJson: boolean): LogRecord[] {
    try {
      return (isJson ? decodeOtlpJson : decodeOtlpProtobuf)(body, this.#limits, this.#identities)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const { message } = error
      // Not as `error`, by which repetitions are told: a sender could fill the log with different ones.
      this.#context.log.warn('A request cannot be read; its client was told why.', { why: message })
      throw new Refusal({ kind: error instanceof TooManyRecordsError ? 'too_large' : 'invalid', message })
    }
  }
}

function full(): Reply {
  return { kind: 'full', message: 'no room: send again later', retryAfterMs: soon(FULL_MS) }
}

function shutting(): Reply {
  return { kind: 'unavailable', message: 'starting or stopping: send again later', retryAfterMs: soon(FULL_MS) }
}

/**
 * Rejected records are in the dead-letter file: nothing is lost that the client could send better, so it is told
 * that all was taken, with a warning.
 */
function replyOf(outcome: Outcome): Reply {
  if (outcome.kind === 'delivered') return TAKEN
  if (outcome.kind === 'rejected') {
    return {
      kind: 'taken',
      message: 'a destination refused some of the records; they are kept in the dead-letter file',
    }
  }
  // Not its error: what destinations say is for whoever runs them.
  return {
    kind: 'unavailable',
    message: 'a destination is not available: send again later',
    retryAfterMs: soon(FAILED_MS),
  }
}
