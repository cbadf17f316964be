/** Where one stream becomes several: the ack is forked, and whoever may change records gets copies. */
import { type Ack, DELIVERED, forkAck } from '../flow/ack.ts'
import type { Batch } from '../flow/batch.ts'
import type { RecordCounters } from '../flow/operators.ts'
import { copyRecord, copyRecords, type LogRecord } from '../records/record.ts'

/** Something that takes batches over, acks included. */
export interface Sink {
  push(batch: Batch): void
}

/** Hands each batch to every sink. They share the records, which nobody may change any more. */
export function shareAmong(sinks: readonly Sink[]): Sink {
  const [only] = sinks
  if (only !== undefined && sinks.length === 1) return only
  return {
    push({ records, ack, bytes }) {
      const parts = forkAck(ack, sinks.length)
      for (let i = 0; i < sinks.length; i++) sinks[i]?.push({ records, bytes, ack: parts[i] as Ack })
    },
  }
}

/** Hands each batch to every pipeline; each owns its records. */
export function copyAmong(pipelines: readonly Sink[]): Sink {
  const [first, ...others] = pipelines
  if (first !== undefined && others.length === 0) return first
  return {
    push({ records, ack, bytes }) {
      const parts = forkAck(ack, pipelines.length)
      // Copies are made before the first pipeline may change the originals.
      const copies = others.map(() => copyRecords(records))
      first?.push({ records, bytes, ack: parts[0] as Ack })
      for (let i = 0; i < others.length; i++) {
        others[i]?.push({ records: copies[i] as LogRecord[], bytes, ack: parts[i + 1] as Ack })
      }
    },
  }
}

/** Records go on as copies: for a connector whose records somebody else reads as well. */
export function copying(sink: Sink): Sink {
  return { push: ({ records, ack, bytes }) => sink.push({ records: copyRecords(records), ack, bytes }) }
}

/**
 * Sends each record to the pipelines that `route` names. A batch of which nothing goes anywhere settles
 * `delivered`. A record that several pipelines get is copied for all but the first. One for which `route` throws,
 * or names a pipeline that it does not feed, costs itself, counted as lost.
 */
export function routeAmong(
  route: (record: LogRecord) => readonly string[],
  pipelines: ReadonlyMap<string, Sink>,
  counters: Pick<RecordCounters, 'lost'>,
): Sink {
  const targetsOf = (record: LogRecord): readonly string[] => {
    try {
      const targets = route(record)
      for (const target of targets) if (!pipelines.has(target)) throw new Error(`there is no pipeline "${target}"`)
      return targets
    } catch (error) {
      counters.lost(1, 'connector_error', error)
      return []
    }
  }
  return {
    push({ records, ack, bytes }) {
      const groups = new Map<string, LogRecord[]>()
      for (const record of records) collect(groups, record, targetsOf(record))
      if (groups.size === 0) {
        ack.settle(DELIVERED)
        return
      }
      const parts = forkAck(ack, groups.size)
      let i = 0
      for (const [pipeline, group] of groups) {
        const part = parts[i++] as Ack
        const share = Math.round((bytes * group.length) / records.length)
        pipelines.get(pipeline)?.push({ records: group, ack: part, bytes: share })
      }
    },
  }
}

function collect(groups: Map<string, LogRecord[]>, record: LogRecord, targets: readonly string[]): void {
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i] as string
    const mine = i === 0 ? record : copyRecord(record)
    const group = groups.get(target)
    if (group === undefined) groups.set(target, [mine])
    else group.push(mine)
  }
}
