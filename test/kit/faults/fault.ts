/** What a fault comes to: the row of the table in docs/delivery.md. */
export interface FaultResult {
  readonly fault: string
  readonly records: number
  /** Records that neither arrived nor were reported. */
  readonly missing: number
  /** Arrivals beyond the first of each record. */
  readonly duplicates: number
  /** Records that a destination refused for good, each counted with its reason, or that a rotation destroyed unread. */
  readonly reported: number
  readonly note: string
}

/** How large a trial is. */
export interface Size {
  readonly records: number
  readonly kills: number
}

/** For every commit, and for `npm run test:full`. */
export const SMALL: Size = { records: 5_000, kills: 8 }
export const FULL: Size = { records: 50_000, kills: 30 }

export interface Fault {
  readonly name: string
  run(size: Size): Promise<FaultResult>
}
