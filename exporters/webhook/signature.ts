/** What lets a receiver know that a request is ours, and new: an HMAC over the time and the body. */
import { createHash, createHmac } from 'node:crypto'
import type { LogRecord } from '../../src/records/record.ts'

export interface Signing {
  readonly header: string
  readonly timestampHeader: string
  /** Asked for each request: the secret may stand in a file that is exchanged. */
  readonly secret: () => Promise<string>
}

/** `sha256=` and the HMAC of `<seconds since 1970>.<body>` in hexadecimal. */
export function signatureOf(secret: string, seconds: number, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')}`
}

export async function signatureHeaders(signing: Signing, body: string): Promise<Record<string, string>> {
  const seconds = Math.floor(Date.now() / 1000)
  const signature = signatureOf(await signing.secret(), seconds, body)
  return { [signing.header]: signature, [signing.timestampHeader]: String(seconds) }
}

const PLAIN = /^[\x21-\x7e]{1,255}$/

/** The same for the same records, however often they are sent. Undefined when one has no id. */
export function idempotencyKey(records: readonly LogRecord[]): string | undefined {
  const ids = records.map(({ attributes }) => attributes['log.record.uid'])
  if (!ids.every((id) => typeof id === 'string' && id !== '')) return undefined
  const [only] = ids
  // Ids may come from whoever sends records: one that no header can hold is hashed.
  if (ids.length === 1 && typeof only === 'string' && PLAIN.test(only)) return only
  return createHash('sha256').update(JSON.stringify(ids)).digest('hex')
}
