/** What the steps of one load share. */
import type { Registry } from '../component.ts'
import type { Problem } from './config.ts'
import type { Spelling } from './ids.ts'
import type { InnerReference } from './references.ts'

/** An error, and whether it may be only the consequence of a file that could not be read. */
export interface Fault extends Problem {
  readonly isMissing?: boolean
}

export interface Session {
  readonly registry: Registry
  readonly spelling: Spelling
  readonly errors: Fault[]
  readonly warnings: Problem[]
  /** Ids that stand inside components. */
  readonly references: InnerReference[]
}
