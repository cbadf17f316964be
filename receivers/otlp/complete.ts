/** Gives records of requests what every record of ours has: a name, a severity, times and an identity. */
import { hash } from 'node:crypto'
import type { HrTime, LogRecord } from '../../src/records/record.ts'
import { SEVERITY, severityName } from '../../src/records/severity.ts'
import { severityOf } from '../../src/records/severity-names.ts'

const UID = 'log.record.uid'
/** A longer identity is none: it would be kept in tables of its own by destinations. */
const MAX_UID = 256

/**
 * `body` is the request as it was before it was packed: a client that sends it again sends the same bytes, so that
 * an identity made from them makes duplicates known.
 */
export function completeRecords(records: readonly LogRecord[], body: Uint8Array, observed: HrTime): void {
  let stem: string | undefined
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord
    complete(record, observed)
    if (!isIdentity(record.attributes[UID])) {
      stem ??= hash('sha256', body, 'base64url').slice(0, 22)
      record.attributes[UID] = `${stem}:${i}`
    }
  }
}

function complete(record: LogRecord, observed: HrTime): void {
  if (record.eventName === '') record.eventName = 'log'
  if (record.severityNumber === 0) record.severityNumber = severityOf(record.severityText)?.number ?? SEVERITY.info
  if (record.severityText === '') record.severityText = severityName(record.severityNumber)
  if (isUnknown(record.hrTimeObserved)) record.hrTimeObserved = observed
  if (isUnknown(record.hrTime)) record.hrTime = record.hrTimeObserved
}

function isUnknown([seconds, nanos]: HrTime): boolean {
  return seconds === 0 && nanos === 0
}

function isIdentity(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_UID
}
