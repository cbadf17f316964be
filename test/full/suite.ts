/** One suite at full size. */
export interface FullSuite {
  readonly title: string
  /** What was done, in a sentence. */
  readonly what: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** Sentences; none means all is well. */
  readonly failures: readonly string[]
}
