/** Counts what happens at the doors and in the chains, so that no component has to count itself. */
import type { Context } from '../component.ts'
import type { Chain } from '../exporting/chain.ts'
import type { DeliveryHooks } from '../exporting/deliver.ts'
import type { Budget } from '../flow/budget.ts'
import type { IntakeObserver } from '../flow/intake.ts'
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
export function observeChain(exporter: string, chain: Chain, metrics: MetricRegistry): () => void {
  const labels = { exporter, data_type: 'logs' }
  return metrics.onCollect(() => {
    metrics.set('otelcol_exporter_queue_size', chain.waiting, labels)
    metrics.set('otelcol_exporter_queue_capacity', 0, labels)
    metrics.set('otelcol_exporter_in_flight_requests', chain.inFlight, labels)
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
