/**
 * What a `_bulk` answer means for each record: the table in docs/components/exporters/elasticsearch.md.
 *
 * The status of the request says little: with 200 every item has a status of its own, in the order of the request.
 */
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { type PostResponse, retryAfterMs } from '../../src/net/http-post.ts'
import type { LogRecord } from '../../src/records/record.ts'

/** What is worth counting of an accepted request. */
export interface Tally {
  deduplicated: number
  /** Documents that the server put aside because its mapping or pipeline did not take them. */
  failureStore: { used: number; failed: number; not_enabled: number }
}

/** Only what is read, and a status for every item, or the items would lose their places. */
export const FILTER_PATH =
  'errors,items.*.status,items.*.failure_store,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason'

interface Item {
  readonly status: number
  readonly failure_store?: string
  readonly error?: {
    readonly type?: string
    readonly reason?: string
    readonly caused_by?: { readonly reason?: string }
  }
}

type Rejected = PartialError['rejected'][number]

/** Throws unless the destination has every record. `isRepeatable`: a record that is sent twice is stored once. */
export function judge(
  records: readonly LogRecord[],
  response: PostResponse,
  isRepeatable: boolean,
  tally: Tally,
): void {
  const { status, body, isCut } = response
  if (status < 200 || status > 299) throw refusal(response)
  const items = isCut ? undefined : readItems(body, records.length)
  if (items === undefined) throw unreadable(body, isRepeatable)
  judgeItems(records, items, tally)
}

function readItems(body: Buffer, expected: number): readonly Item[] | undefined {
  const answer = parse(body)
  const list = answer?.['items']
  if (!Array.isArray(list) || list.length !== expected) return undefined
  const items = list.map((one) => Object.values(asMap(one) ?? {})[0] as Item | undefined)
  return items.every((item) => Number.isInteger(item?.status)) ? (items as Item[]) : undefined
}

/** Nobody knows which documents were taken. With ids, sending again stores none twice. */
function unreadable(body: Buffer, isRepeatable: boolean): Error {
  const start = JSON.stringify(body.toString('latin1', 0, 80))
  const message = `the answer is not one to a _bulk request: ${start}`
  if (isRepeatable) return new RetryLaterError(message)
  return new HoldError(`${message}; sending again may store documents twice, because dedupe is false`)
}

/** What items came to, gathered. */
class Gathered {
  readonly retry: LogRecord[] = []
  readonly rejected: Rejected[] = []
  why: RetryLaterError | HoldError | undefined

  add(record: LogRecord, item: Item, tally: Tally): void {
    const fate = fateOf(item)
    if (fate === 'delivered') return
    if (fate === 'deduplicated') tally.deduplicated += 1
    else if (fate === 'rejected') this.rejected.push(rejection(record, item))
    else this.#keep(record, item, fate)
  }

  #keep(record: LogRecord, item: Item, fate: 'again' | 'held'): void {
    this.retry.push(record)
    // One that only a person can mend counts more than any that mend themselves.
    const isWorse = fate === 'held' && !(this.why instanceof HoldError)
    if (this.why === undefined || isWorse) this.why = keeps(item, fate)
  }
}

function judgeItems(records: readonly LogRecord[], items: readonly Item[], tally: Tally): void {
  const gathered = new Gathered()
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as Item
    if (item.failure_store !== undefined) countFailureStore(item, tally)
    if (item.status !== 201) gathered.add(records[i] as LogRecord, item, tally)
  }
  const { rejected, retry, why } = gathered
  if (rejected.length === 0 && why === undefined) return
  const message = why?.message ?? (rejected[0] as Rejected).error
  throw new PartialError(message, { rejected, retry, ...(why === undefined ? {} : { why }) })
}

type Fate = 'delivered' | 'deduplicated' | 'rejected' | 'again' | 'held'

/**
 * Refusals with status 400 that say nothing against the document. Only what a server writes before any text of the
 * document may count here: an event must not be able to hold up all others.
 */
const NO_PIPELINE = /^pipeline with id \[/
const HELD_TYPES = new Set(['index_closed_exception', 'invalid_index_name_exception', 'index_not_found_exception'])

function fateOf({ status, error }: Item): Fate {
  if (status >= 200 && status < 300) return 'delivered'
  if (status === 409) return 'deduplicated'
  if (status === 429 || status >= 500) return 'again'
  if (status === 401 || status === 403 || status === 404) return 'held'
  if (HELD_TYPES.has(error?.type ?? '') || NO_PIPELINE.test(error?.reason ?? '')) return 'held'
  return 'rejected'
}

function describe({ status, error }: Item): string {
  const cause = error?.caused_by?.reason
  const reason = error?.reason ?? 'no reason given'
  const text = `${status} ${error?.type ?? 'error'}: ${reason}${cause === undefined ? '' : ` (${cause})`}`
  return text.slice(0, 1000)
}

function keeps(item: Item, fate: 'again' | 'held'): RetryLaterError | HoldError {
  const message = `the destination did not take a document: ${describe(item)}`
  return fate === 'held' ? new HoldError(message) : new RetryLaterError(message)
}

/** Types of errors as reasons that metrics may bear: a destination must not make labels. */
const REASONS = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'mapper_exception',
  'strict_dynamic_mapping_exception',
  'illegal_argument_exception',
  'illegal_state_exception',
  'parse_exception',
  'x_content_parse_exception',
  'json_parse_exception',
  'routing_missing_exception',
  'ingest_processor_exception',
  'script_exception',
  'fail_processor_exception',
  'max_bytes_length_exceeded_exception',
])

function rejection(record: LogRecord, item: Item): Rejected {
  const type = item.error?.type ?? ''
  const reason = REASONS.has(type) ? type : item.status === 413 ? 'too_large' : 'document_refused'
  return { record, reason, error: describe(item) }
}

function countFailureStore({ failure_store: store }: Item, { failureStore }: Tally): void {
  if (store === 'used' || store === 'failed' || store === 'not_enabled') failureStore[store] += 1
}

const AGAIN = new Set([408, 425, 429])
const POISONED = new Set([400, 422])
const TOO_LARGE = 413

/** A refusal of the request as a whole. */
function refusal({ status, headers, body }: PostResponse): Error {
  const message = `the destination answered ${status}: ${reasonOf(body)}`
  if (status === TOO_LARGE) return new TooLargeError(message)
  if (AGAIN.has(status) || status >= 500) {
    return new RetryLaterError(message, { retryAfterMs: retryAfterMs(headers['retry-after']) })
  }
  if (POISONED.has(status)) return new RejectedError(message, { reason: `http_${status}`, bisect: true })
  // 401, 403, 404, 405, 406, redirects: a mistake in somebody's configuration, not in the records.
  return new HoldError(message)
}

function reasonOf(body: Buffer): string {
  const error = parse(body.subarray(0, 64 * 1024))?.['error']
  const { type, reason } = asMap(error) ?? {}
  const text = typeof error === 'string' ? error : typeof reason === 'string' ? `${type}: ${reason}` : ''
  return text.slice(0, 500) || 'no reason given'
}

type JsonMap = Readonly<Record<string, unknown>>

function asMap(value: unknown): JsonMap | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : undefined
}

function parse(body: Buffer): JsonMap | undefined {
  try {
    return asMap(JSON.parse(body.toString('utf8')))
  } catch {
    return undefined
  }
}
