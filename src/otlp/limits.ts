/** What a request may make of us. Requests come from anywhere: a byte on the wire can cost a hundred in memory. */
export interface DecodeLimits {
  /** More records in one request are refused as a whole. */
  readonly maxRecords: number
  /** Attributes of one record; those beyond are left out and counted as dropped. */
  readonly maxAttributes: number
  /** Everything that is in one record, at every level; what is beyond is left out and counted as dropped. */
  readonly maxValues: number
  /** Levels of lists and maps within a value; what is deeper is left out and counted as dropped. */
  readonly maxDepth: number
  /** Hears how much was left out of a request. */
  readonly onCut?: (values: number) => void
}

/** For requests that we made ourselves: only nesting is bounded, as the encoders bound it. */
export const OWN_LIMITS: DecodeLimits = {
  maxRecords: Number.POSITIVE_INFINITY,
  maxAttributes: Number.POSITIVE_INFINITY,
  maxValues: Number.POSITIVE_INFINITY,
  maxDepth: 32,
}

/** The largest count that the encoders write. */
const MAX_COUNT = 2 ** 31 - 1

/** A count that a sender claims, plus what was left out here. */
export function droppedCount(claimed: number, cut: number): number {
  return Math.min(MAX_COUNT, claimed + cut)
}

/** Severity numbers go from 1 to 24; 0 means "not specified", which is what anything else comes to. */
export function knownSeverity(number: number): number {
  return number >= 1 && number <= 24 ? number : 0
}

/** More records than a request may hold: a sender with smaller batches is welcome. */
export class TooManyRecordsError extends RangeError {
  override readonly name = 'TooManyRecordsError'
  constructor(limit: number) {
    super(`the request has more than ${limit} records: send smaller batches`)
  }
}
