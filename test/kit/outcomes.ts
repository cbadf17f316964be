import type { Outcome } from '../../src/flow/ack.ts'

export const FAILED: Outcome = { kind: 'failed', error: new Error('not now') }
export const REJECTED: Outcome = { kind: 'rejected', error: new Error('never') }
