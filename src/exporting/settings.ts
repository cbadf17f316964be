/**
 * The keys every exporter shares: `timeout`, `retry_on_failure` and `sending_queue`, as in the
 * Collector's exporterhelper, with defaults that lose nothing: retries never end by themselves.
 */
import { z } from 'zod'
import { byteSize, duration } from '../config/values.ts'

const retry = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether a failed request is sent again.'),
  initial_interval: duration().prefault('1s').describe('Wait before the first retry.'),
  max_interval: duration().prefault('30s').describe('Longest wait between retries.'),
  multiplier: z.number().min(1).default(2).describe('Growth of the wait from one retry to the next.'),
  randomization_factor: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Share of each wait that is random; 1 is full jitter.'),
  max_elapsed_time: duration()
    .prefault('0')
    .describe('Give up after this long and write the records to the dead-letter file; 0 never gives up.'),
})

const batch = z.strictObject({
  flush_timeout: duration()
    .prefault('200ms')
    .describe('Send a batch this long after its first record arrived, full or not.'),
  min_size: z.int().min(1).default(500).describe('Send a batch once it holds this many records.'),
  max_size: z.int().min(0).default(2000).describe('Never send more records than this at once; 0 means no limit.'),
  max_bytes: byteSize().prefault('1MiB').describe('Send a batch once its records took this much room at admission.'),
})

const queue = z.strictObject({
  enabled: z
    .literal(true)
    .default(true)
    .describe('The queue in memory is always on: what waits in it is bounded by the budget.'),
  num_consumers: z.int().min(1).max(1000).default(4).describe('Requests on their way at once.'),
  batch: batch.prefault({}).describe('How records are gathered into requests.'),
})

/** Spread into an exporter's `z.strictObject`. */
export function deliverySettings(defaults: { timeout: string }) {
  return {
    timeout: duration().prefault(defaults.timeout).describe('Longest time one request may take; 0 means no limit.'),
    retry_on_failure: retry.prefault({}).describe('What happens when the destination does not take a batch.'),
    sending_queue: queue.prefault({}).describe('What stands between the pipeline and the destination.'),
  }
}

/** Keys of the Collector's `sending_queue` that have no meaning here, for `unsupported`. */
export const UNSUPPORTED_QUEUE_KEYS: Readonly<Record<string, string>> = {
  'sending_queue.queue_size': 'the queue is bounded in bytes by service::memory::budget; leave it out',
  'sending_queue.sizer': 'the queue is bounded in bytes by service::memory::budget; leave it out',
  'sending_queue.block_on_overflow': 'a full pipeline always slows its source and never drops; leave it out',
  'sending_queue.wait_for_result': 'an acknowledgement always waits for the destination; leave it out',
  'sending_queue.storage':
    'a queue on disk is not available; sources are acknowledged after delivery instead, so nothing is lost',
  'sending_queue.batch.sizer': 'use min_size and max_size for records and max_bytes for bytes',
  'sending_queue.batch.partition': 'batches are not partitioned; leave it out',
}

const settings = z.object(deliverySettings({ timeout: '0' }))

export type DeliverySettings = z.output<typeof settings>

// An exporter that offers no queue writes to something near, where a small batch costs little and waiting is seen.
const NEAR: DeliverySettings = settings.parse({ sending_queue: { batch: { flush_timeout: '20ms' } } })

/** The shared keys of a parsed exporter configuration; where a component does not offer one, what suits a file or a terminal. */
export function settingsOf(config: unknown): DeliverySettings {
  const given = (typeof config === 'object' && config !== null ? config : {}) as Partial<DeliverySettings>
  return {
    timeout: given.timeout ?? NEAR.timeout,
    retry_on_failure: given.retry_on_failure ?? NEAR.retry_on_failure,
    sending_queue: given.sending_queue ?? NEAR.sending_queue,
  }
}
