/** What became of a request, before it is put into the words of HTTP or gRPC. */

export type ReplyKind =
  /** Every destination has the records, or they are in the dead-letter file: never send them again. */
  | 'taken'
  /** No room in time: send again later. */
  | 'full'
  /** Not now: send again later. */
  | 'unavailable'
  /** Cannot be read: never send it again. */
  | 'invalid'
  /** Too many records in one request: send them in smaller ones. */
  | 'too_large'
  | 'unauthenticated'

export interface Reply {
  readonly kind: ReplyKind
  /** For `taken` a warning, or nothing; for everything else what is wrong. */
  readonly message: string
  readonly retryAfterMs?: number
}

export const TAKEN: Reply = { kind: 'taken', message: '' }

/** Thrown where a request goes no further. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reply: Reply
  constructor(reply: Reply) {
    super(reply.message)
    this.reply = reply
  }
}

/** Clients that all come back at once would find no room again: they are told different times. */
export function soon(ms: number): number {
  return Math.round(ms * (1 + Math.random()))
}
