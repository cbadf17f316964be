/** What a run came to, in numbers and in words. */
import type { MetricName } from './metrics.ts'
import type { MetricRegistry } from './registry.ts'

/** The reason of records that a destination refused by number only: they are in no dead-letter file. */
export const REFUSED_UNNAMED = 'refused_unnamed'

/** The reason of records of which the destination has an unknown part: all are in the dead-letter file. */
const UNKNOWN_PARTIAL = 'unknown_partial'

/** Records of one component that ended otherwise than delivered. */
export interface Loss {
  readonly component: string
  readonly kind: string
  readonly reason: string
  readonly records: number
}

export interface Summary {
  /** Everything a receiver saw: what it admitted, and what it filtered, rejected or lost at its door. */
  readonly read: number
  readonly accepted: number
  /** Records by exporter that their destination acknowledged. */
  readonly sent: ReadonlyMap<string, number>
  readonly filtered: readonly Loss[]
  readonly rejected: readonly Loss[]
  readonly lost: readonly Loss[]
  /** Bytes of files that a rotation destroyed before they could be read, where that could be seen. */
  readonly lostBytes: number
  /** Bytes cut from lines that were longer than allowed. */
  readonly cutBytes: number
  /** Records, counted as sent, of requests whose answer could not be read. */
  readonly unread: number
  /** Admitted, but neither delivered nor rejected when the time for it was over. */
  readonly pending: number
  /** Records by exporter that are in its queue on disk. */
  readonly leftOnDisk: ReadonlyMap<string, number>
  readonly seconds: number
}

/** `pending` is what the shutdown cut off. */
export function summarise(
  metrics: MetricRegistry,
  seconds: number,
  pending = 0,
  leftOnDisk: ReadonlyMap<string, number> = new Map(),
): Summary {
  const filtered = lossesOf(metrics, 'weir_component_filtered_records')
  const rejected = lossesOf(metrics, 'weir_component_rejected_records')
  const lost = lossesOf(metrics, 'weir_component_lost_records')
  const atTheDoor = [...filtered, ...rejected, ...lost].filter(({ kind }) => kind === 'receiver')
  const accepted = metrics.sum('otelcol_receiver_accepted_log_records')
  return {
    read: atTheDoor.reduce((total, { records }) => total + records, accepted),
    accepted,
    sent: new Map(
      metrics.list('otelcol_exporter_sent_log_records').map(({ labels, value }) => [labels['exporter'] ?? '', value]),
    ),
    filtered,
    rejected,
    lost,
    lostBytes: metrics.sum('weir_file_lost_bytes'),
    cutBytes: metrics.sum('weir_file_truncated_bytes'),
    unread: metrics
      .list('weir_exporter_partial_unknown')
      .filter(({ labels }) => labels['reason'] === 'unreadable_answer')
      .reduce((total, { value }) => total + value, 0),
    pending,
    leftOnDisk,
    seconds,
  }
}

/** Everything since the start that did not arrive and should have: rejected, and lost. */
export function losses(metrics: MetricRegistry): Loss[] {
  return [...lossesOf(metrics, 'weir_component_rejected_records'), ...lossesOf(metrics, 'weir_component_lost_records')]
}

function lossesOf(metrics: MetricRegistry, name: MetricName): Loss[] {
  return metrics
    .list(name)
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => ({
      component: labels['component'] ?? '',
      kind: labels['kind'] ?? '',
      reason: labels['reason'] ?? '',
      records: value,
    }))
}

/** True when everything was delivered, or dropped on purpose. */
export function isWhole({ rejected, lost, lostBytes, unread, pending }: Summary): boolean {
  return rejected.length === 0 && lost.length === 0 && lostBytes === 0 && unread === 0 && pending === 0
}

/** A few aligned lines for a person. */
export function summaryText(summary: Summary): string {
  const { read, sent, filtered, rejected, lost, lostBytes, cutBytes, unread, pending, leftOnDisk, seconds } = summary
  const rate = seconds > 0 ? Math.round(read / seconds) : 0
  const lines = [`${count(read)} events read in ${seconds.toFixed(1)} s (${count(rate)} events/s)`]
  for (const [exporter, records] of sent) lines.push(`${count(records)} delivered to ${exporter}`)
  for (const loss of filtered) lines.push(lossLine('filtered on purpose', loss))
  for (const loss of rejected) lines.push(`${lossLine('rejected', loss)} (${whereabouts(loss)})`)
  if (unread > 0) lines.push(`${count(unread)} of those delivered got an answer that could not be read: see the log`)
  for (const loss of lost) lines.push(lossLine('LOST', loss))
  if (lostBytes > 0) lines.push(`${count(lostBytes)} bytes of files LOST: see weir_file_lost_bytes and the log`)
  if (cutBytes > 0) lines.push(`${count(cutBytes)} bytes cut from lines longer than max_log_size`)
  if (pending > 0) lines.push(`${count(pending)} not delivered in time; sources that replay send them again`)
  for (const [exporter, records] of leftOnDisk) {
    lines.push(`${count(records)} wait on disk for ${exporter}, and are sent after the next start`)
  }
  if (isWhole(summary)) lines.push('nothing rejected, nothing lost')
  return lines.join('\n')
}

function whereabouts({ reason }: Loss): string {
  if (reason === REFUSED_UNNAMED) return 'the destination did not say which'
  if (reason === UNKNOWN_PARTIAL) return 'the destination has some of them; all are in the dead-letter file'
  return 'see the dead-letter file'
}

function lossLine(what: string, { component, reason, records }: Loss): string {
  return `${count(records)} ${what} by ${component}: ${reason}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
