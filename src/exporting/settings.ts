/**
 * The keys every exporter shares: `timeout`, `retry_on_failure` and `sending_queue`, as in the
 * Collector's exporterhelper, with defaults that lose nothing: retries never end by themselves.
 */
import { z } from 'zod'
import { byteSize, duration, reference } from '../config/values.ts'

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

const OVERFLOW = ['block', 'drop_oldest', 'drop_newest'] as const

const queue = z
  .strictObject({
    enabled: z.literal(true).default(true).describe('There is always a queue: in memory, or with `storage` on disk.'),
    num_consumers: z.int().min(1).max(1000).default(4).describe('Requests on their way at once.'),
    storage: reference('extension')
      .optional()
      .describe(
        'A `file_storage` extension: the queue is on disk, and a source is acknowledged once the disk has its records. Without it the queue is in memory, and a source is acknowledged when the destination has them.',
      ),
    queue_size: byteSize()
      .refine((size) => size > 0, { message: 'expected more than 0' })
      .optional()
      .describe('Most that may wait, in units of `sizer`; no limit besides `max_bytes` when it is left out.'),
    sizer: z
      .enum(['requests', 'items', 'bytes'])
      .default('requests')
      .describe('What `queue_size` counts; items are records.'),
    max_bytes: byteSize()
      .optional()
      .describe(
        'Most bytes that may wait: on disk (compressed, `1GiB` unless given, 0 for no limit), or in memory where `overflow` drops (half of the room that a source has unless given).',
      ),
    max_age: duration()
      .prefault('0')
      .describe('Records that have waited longer are given up, and counted as lost; 0 keeps them for ever.'),
    overflow: z
      .enum(OVERFLOW)
      .default('block')
      .describe(
        'When the queue is full: `block` slows the sources, `drop_oldest` and `drop_newest` give up records, and count them as lost.',
      ),
    batch: batch.prefault({}).describe('How records are gathered into requests, behind the queue.'),
  })
  .refine(
    ({ storage, overflow, queue_size }) => queue_size === undefined || storage !== undefined || overflow !== 'block',
    {
      message:
        'a queue in memory that blocks is bounded by service::memory::budget: leave queue_size out, or set storage or overflow: drop_oldest',
      path: ['queue_size'],
    },
  )
  .refine(
    ({ storage, overflow, max_bytes }) => max_bytes === undefined || storage !== undefined || overflow !== 'block',
    {
      message:
        'a queue in memory that blocks is bounded by service::memory::budget: leave max_bytes out, or set storage or overflow: drop_oldest',
      path: ['max_bytes'],
    },
  )
  .refine(({ storage, overflow, max_age }) => max_age === 0 || storage !== undefined || overflow !== 'block', {
    message:
      'a queue in memory that blocks gives nothing up: leave max_age out, or set storage or overflow: drop_oldest',
    path: ['max_age'],
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
  'sending_queue.block_on_overflow': 'write overflow: block, which is the default, or overflow: drop_newest',
  'sending_queue.wait_for_result': 'without storage an acknowledgement always waits for the destination; leave it out',
  'sending_queue.batch.sizer': 'use min_size and max_size for records and max_bytes for bytes',
  'sending_queue.batch.partition': 'batches are not partitioned; leave it out',
}

const settings = z.object(deliverySettings({ timeout: '0' }))

export type DeliverySettings = z.output<typeof settings>
export type QueueSettings = DeliverySettings['sending_queue']

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
