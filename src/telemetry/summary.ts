/** What a run came to, in numbers and in words. */
import type { MetricName } from './metrics.ts'
import type { MetricRegistry } from './registry.ts'

interface Loss {
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
  readonly seconds: number
}

export function summarise(metrics: MetricRegistry, seconds: number): Summary {
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
    seconds,
  }
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

/** True when nothing was rejected or lost: everything was delivered, or dropped on purpose. */
export function isWhole({ rejected, lost, lostBytes }: Summary): boolean {
  return rejected.length === 0 && lost.length === 0 && lostBytes === 0
}

/** A few aligned lines for a person. */
export function summaryText(summary: Summary): string {
  const { read, sent, filtered, rejected, lost, lostBytes, seconds } = summary
  const rate = seconds > 0 ? Math.round(read / seconds) : 0
  const lines = [`${count(read)} events read in ${seconds.toFixed(1)} s (${count(rate)} events/s)`]
  for (const [exporter, records] of sent) lines.push(`${count(records)} delivered to ${exporter}`)
  lines.push(...lossLines('filtered on purpose', filtered))
  lines.push(...lossLines('rejected, see the dead-letter file', rejected))
  lines.push(...lossLines('LOST', lost))
  if (lostBytes > 0) lines.push(`${count(lostBytes)} bytes LOST in a rotation before they could be read`)
  if (isWhole(summary)) lines.push('nothing rejected, nothing lost')
  return lines.join('\n')
}

function lossLines(what: string, losses: readonly Loss[]): string[] {
  return losses.map(({ component, reason, records }) => `${count(records)} ${what} by ${component}: ${reason}`)
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
