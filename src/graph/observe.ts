/** Counts what happens at the doors and in the chains, so that no component has to count itself. */
import type { Context } from '../component.ts'
import type { Chain, ChainHooks } from '../exporting/chain.ts'
import type { DeliveryHooks } from '../exporting/deliver.ts'
import type { QueueSettings } from '../exporting/settings.ts'
import type { Budget } from '../flow/budget.ts'
import type { IntakeObserver } from '../flow/intake.ts'
import type { HealthBoard } from '../telemetry/health.ts'
import type { MetricRegistry } from '../telemetry/registry.ts'
import { REFUSED_UNNAMED } from '../telemetry/summary.ts'

/** Counts a receiver's admissions and outcomes. */
export function intakeObserver(
  receiver: string,
  budget: Budget,
  metrics: MetricRegistry,
): { readonly observer: IntakeObserver; readonly forget: () => void } {
  const labels = { receiver, transport: '' }
  const forget = metrics.onCollect(() => {
    metrics.set('weir_budget_used_bytes', budget.used, { receiver })
    metrics.set('weir_budget_limit_bytes', budget.limit, { receiver })
  })
  const observer: IntakeObserver = {
    accepted: (records) => metrics.add('otelcol_receiver_accepted_log_records', records, labels),
    refused: (records) => metrics.add('otelcol_receiver_refused_log_records', records, labels),
    settled(records, { kind }) {
      metrics.add('weir_receiver_outcomes', records, { receiver, outcome: kind })
      if (kind === 'failed') metrics.add('otelcol_receiver_failed_log_records', records, labels)
    },
  }
  return { observer, forget }
}

/** Shows a chain's queue. Returns the removal. */
export function observeChain(
  exporter: string,
  chain: Chain,
  queue: QueueSettings,
  metrics: MetricRegistry,
): () => void {
  const labels = { exporter, data_type: 'logs' }
  const { queue_size = 0, sizer } = queue
  return metrics.onCollect(() => {
    const { batches, records, bytes, oldestAt, inFlight } = chain.stats
    metrics.set('otelcol_exporter_queue_size', batches, labels)
    metrics.set('otelcol_exporter_queue_capacity', sizer === 'requests' ? queue_size : 0, labels)
    metrics.set('otelcol_exporter_in_flight_requests', inFlight, labels)
    metrics.set('weir_exporter_queue_records', records, { exporter })
    metrics.set('weir_exporter_queue_bytes', bytes, { exporter })
    metrics.set('weir_exporter_queue_oldest_seconds', oldestAt > 0 ? (Date.now() - oldestAt) / 1000 : 0, { exporter })
  })
}

/** Counts and reports what becomes of an exporter's batches. */
export function deliveryHooks(exporter: string, context: Context, metrics: MetricRegistry): DeliveryHooks {
  const refused = (count: number): void => metrics.add('otelcol_exporter_send_failed_log_records', count, { exporter })
  return {
    sent: (records) => metrics.add('otelcol_exporter_sent_log_records', records, { exporter }),
    refusedUnnamed(count, error) {
      refused(count)
      const reason = REFUSED_UNNAMED
      metrics.add('weir_component_rejected_records', count, { component: exporter, kind: 'exporter', reason })
      context.log.warn('The destination refused records without naming them.', { count, error })
    },
    retrying(reason, error, waitMs) {
      metrics.add('weir_exporter_retries', 1, { exporter, reason })
      context.log.warn('Exporting failed. Will retry.', { error, wait_ms: Math.round(waitMs) })
    },
    async reject(letters) {
      await context.reject(letters)
      refused(letters.length)
    },
    health: (status, reason) => context.health(status, reason),
  }
}

/** What the queue of an exporter is called where health is told. */
export function queueKey(exporter: string): string {
  return `queue:${exporter}`
}

/** Counts what falls out of an exporter's queue, and reports how the queue is. */
export function chainHooks(
  exporter: string,
  context: Context,
  { metrics, health }: { readonly metrics: MetricRegistry; readonly health: HealthBoard },
): ChainHooks {
  return {
    lose(records, reason) {
      metrics.add('otelcol_exporter_enqueue_failed_log_records', records, { exporter })
      context.lost(records, reason)
    },
    queueHealth(status, reason) {
      if (health.report(queueKey(exporter), status, reason) && reason !== undefined)
        context.log.error(reason, { status })
    },
    reject: (letters) => context.reject(letters),
  }
}
