import { createAck, type Outcome } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import { EMPTY_RESOURCE, internScope } from '../../src/records/interning.ts'
import type { Attributes, LogRecord } from '../../src/records/record.ts'

let clock = 0

/** A record with sensible defaults: tests state only what they are about. */
export function record(attributes: Attributes = {}, rest: Partial<LogRecord> = {}): LogRecord {
  clock += 1
  return {
    hrTime: [1_700_000_000, clock],
    hrTimeObserved: [1_700_000_001, clock],
    eventName: 'log',
    severityNumber: 9,
    severityText: 'INFO',
    body: 'hello',
    attributes,
    resource: EMPTY_RESOURCE,
    instrumentationScope: internScope('test'),
    droppedAttributesCount: 0,
    ...rest,
  }
}

export interface TrackedBatch extends Batch {
  readonly outcomes: readonly Outcome[]
}

/** A batch that remembers how it was settled. */
export function tracked(...records: LogRecord[]): TrackedBatch {
  const outcomes: Outcome[] = []
  return { records, outcomes, bytes: records.length * 100, ack: createAck((outcome) => outcomes.push(outcome)) }
}
