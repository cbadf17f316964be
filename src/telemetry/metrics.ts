/**
 * Every metric Weir emits, in one table. `docs/metrics.md` is made from it.
 *
 * Names that the OpenTelemetry Collector has keep its spelling (and, like its Prometheus reader, carry no
 * `_total` and no unit), so that existing dashboards and alerts work; names of ours start with `weir_`.
 */

export interface MetricSpec {
  readonly kind: 'counter' | 'gauge'
  readonly unit: string
  readonly labels: readonly string[]
  readonly help: string
}

const counter = (unit: string, labels: readonly string[], help: string): MetricSpec => ({
  kind: 'counter',
  unit,
  labels,
  help,
})
const gauge = (unit: string, labels: readonly string[], help: string): MetricSpec => ({
  kind: 'gauge',
  unit,
  labels,
  help,
})

const RECEIVER = ['receiver', 'transport'] as const
const PROCESSOR = ['processor', 'otel_signal'] as const
const EXPORTER = ['exporter'] as const
const QUEUE = ['exporter', 'data_type'] as const
const COMPONENT = ['component', 'kind', 'reason'] as const

export const METRICS = {
  otelcol_receiver_accepted_log_records: counter('{records}', RECEIVER, 'Records admitted to the pipelines.'),
  otelcol_receiver_refused_log_records: counter('{records}', RECEIVER, 'Records that found no room in the pipelines.'),
  otelcol_receiver_failed_log_records: counter(
    '{records}',
    RECEIVER,
    'Records admitted whose journey ended in a failure: a replaying source sends them again.',
  ),
  otelcol_processor_incoming_items: counter('{records}', PROCESSOR, 'Records given to a processor.'),
  otelcol_processor_outgoing_items: counter('{records}', PROCESSOR, 'Records a processor passed on.'),
  otelcol_processor_memory_limiter_accepted_log_records: counter(
    '{records}',
    ['processor'],
    'Records that passed while memory was not short, or were on their way already.',
  ),
  weir_memory_limiter_closings: counter('{closings}', ['processor'], 'Times the doors of receivers were shut.'),
  weir_memory_limited: gauge(
    '1',
    ['processor'],
    '1 while memory is short and the doors of receivers are shut, else 0.',
  ),
  otelcol_exporter_sent_log_records: counter('{records}', EXPORTER, 'Records the destination has acknowledged.'),
  otelcol_exporter_send_failed_log_records: counter(
    '{records}',
    EXPORTER,
    'Records the destination refused for good, or that were given up.',
  ),
  otelcol_exporter_enqueue_failed_log_records: counter(
    '{records}',
    EXPORTER,
    'Records that found no room in the queue of an exporter.',
  ),
  otelcol_exporter_queue_size: gauge('{batches}', QUEUE, 'Batches waiting for a consumer.'),
  otelcol_exporter_queue_capacity: gauge(
    '{batches}',
    QUEUE,
    'Most batches that may wait; 0 where the budget of bytes is the only bound.',
  ),
  weir_exporter_queue_records: gauge('{records}', EXPORTER, 'Records that wait in the queue of an exporter.'),
  weir_exporter_queue_bytes: gauge(
    'By',
    EXPORTER,
    'Bytes that wait in the queue of an exporter: on disk compressed, in memory as admitted.',
  ),
  weir_exporter_queue_oldest_seconds: gauge('s', EXPORTER, 'How long the oldest batch has been in a queue on disk.'),
  weir_queue_orphaned_records: gauge(
    '{records}',
    ['queue'],
    'Records on disk of an exporter that is not configured any more.',
  ),
  otelcol_exporter_in_flight_requests: gauge('{requests}', QUEUE, 'Requests on their way.'),
  otelcol_process_uptime: counter('s', [], 'Seconds since the start.'),
  otelcol_process_cpu_seconds: counter('s', [], 'CPU time of the process, user and system.'),
  otelcol_process_memory_rss: gauge('By', [], 'Resident memory.'),
  otelcol_process_runtime_heap_alloc_bytes: gauge('By', [], 'JavaScript heap in use.'),
  otelcol_process_runtime_total_sys_memory_bytes: gauge('By', [], 'JavaScript heap plus memory outside it.'),
  otelcol_fileconsumer_open_files: gauge('{files}', ['receiver'], 'Files held open.'),
  otelcol_fileconsumer_reading_files: gauge('{files}', ['receiver'], 'Files being read.'),
  weir_file_errors: counter('{errors}', ['receiver', 'error'], 'Files that could not be opened or read, by errno.'),
  weir_file_bytes_read: counter('By', ['receiver'], 'Bytes read from followed files.'),
  weir_file_truncated_bytes: counter('By', ['receiver'], 'Bytes cut from lines longer than max_log_size.'),
  weir_file_lost_bytes: counter(
    'By',
    ['receiver', 'reason'],
    'Bytes of files that could not be read: destroyed by a rotation (`deleted`, `truncated`), or compressed ones behind damage (`corrupt`).',
  ),
  weir_receiver_outcomes: counter(
    '{records}',
    ['receiver', 'outcome'],
    'How journeys ended: delivered, rejected or failed.',
  ),
  weir_receiver_requests: counter(
    '{requests}',
    ['receiver', 'transport', 'status'],
    'Requests that a receiver answered, by status; `gone` where the client did not wait for the answer.',
  ),
  weir_receiver_cut_values: counter(
    '{values}',
    ['receiver'],
    'Attributes and values that were left out of records because a request had too many, or nested too deep.',
  ),
  weir_receiver_restarts: counter('{restarts}', ['receiver'], 'Times a receiver was started again after an error.'),
  weir_ebpf_hook: gauge(
    '1',
    ['receiver', 'signal', 'feature', 'hook'],
    '1 for what the eBPF sensor watches, by the hook it uses; 0 with the hook `none` for what this kernel does not let it see.',
  ),
  weir_ebpf_events: counter('{records}', ['receiver', 'type'], 'Records taken out of the rings of the kernel.'),
  weir_ebpf_lost: counter(
    '{records}',
    ['receiver', 'type', 'reason', 'stage'],
    'Records that the kernel side tried to send and that did not get through: `kernel` (the ring was full, no buffer was free), `decode` (not understood) or `intake` (the pipelines had no room).',
  ),
  weir_ebpf_filtered: counter(
    '{events}',
    ['receiver', 'type', 'reason'],
    'What the kernel side did not report, as it was told: `filtered` by rules and signals, `folded` into the count of another record, `throttled` by a budget.',
  ),
  weir_ebpf_incomplete: counter(
    '{records}',
    ['receiver', 'type', 'flaw'],
    'Records with something missing: memory that could not be read, text that was cut, a process that the kernel gave no storage for.',
  ),
  weir_ebpf_given_up: counter(
    '{objects}',
    ['receiver', 'what'],
    'What was known and had to be forgotten because a table was full: processes, streams.',
  ),
  weir_ebpf_ring_fill_ratio: gauge('1', ['receiver', 'ring'], 'How full a ring was when last looked at, 0 to 1.'),
  weir_ebpf_sequence_gaps: gauge('{records}', ['receiver', 'ring'], 'Records that the numbering says are missing.'),
  weir_ebpf_heartbeats_missed: gauge(
    '{heartbeats}',
    ['receiver'],
    'Heartbeats in a row that did not come back from the kernel.',
  ),
  weir_ebpf_watched_files: gauge('{files}', ['receiver'], 'Sensitive files that the kernel side knows by their inode.'),
  weir_ebpf_backlog_records: gauge('{records}', ['receiver'], 'Records that wait for room in the pipelines.'),
  weir_component_filtered_records: counter('{records}', COMPONENT, 'Records dropped on purpose, by configuration.'),
  weir_component_lost_records: counter('{records}', COMPONENT, 'Records lost that should have been delivered.'),
  weir_component_rejected_records: counter(
    '{records}',
    COMPONENT,
    'Records that never can be delivered; they are in the dead-letter file.',
  ),
  weir_dead_letter_bytes: counter('By', [], 'Bytes written to the dead-letter file.'),
  weir_dead_letter_discarded_bytes: counter(
    'By',
    [],
    'Bytes of dead letters that were deleted because their file had grown to its limit twice.',
  ),
  weir_exporter_retries: counter('{requests}', ['exporter', 'reason'], 'Requests that will be sent again, by cause.'),
  weir_exporter_sent_bytes: counter('By', EXPORTER, 'Bytes sent to the destination, after compression.'),
  weir_exporter_partial_unknown: counter(
    '{records}',
    ['exporter', 'reason'],
    'Records of requests of which the destination has an unknown part: it refused some (`refused_in_part`; all are in the dead-letter file), or its answer could not be read (`unreadable_answer`; they count as sent).',
  ),
  weir_exporter_deduplicated_records: counter(
    '{records}',
    EXPORTER,
    'Records that the destination had already, known by their ids: delivered, and stored once.',
  ),
  weir_exporter_names_refused: counter(
    '{records}',
    ['exporter', 'part'],
    'Records whose own dataset or namespace is not in the list of those allowed; they went to the default.',
  ),
  weir_elasticsearch_failure_store: counter(
    '{records}',
    ['exporter', 'result'],
    'What Elasticsearch said of its failure store: `used` for documents that are in it, `failed` or `not_enabled` for refused ones.',
  ),
  weir_attributes_kept_on_record: counter(
    '{attributes}',
    ['processor'],
    'Values that a resource was to take from a record and that stayed on the record: too many different ones.',
  ),
  weir_redaction_matches: counter(
    '{matches}',
    ['processor', 'rule'],
    'What redaction replaced or removed, by the detector or list that found it.',
  ),
  weir_operator_rebuilds: counter(
    '{rebuilds}',
    ['component'],
    'Times a processor was rebuilt after its stream ended in an error.',
  ),
  weir_budget_used_bytes: gauge('By', ['receiver'], 'Bytes admitted and not settled.'),
  weir_budget_limit_bytes: gauge('By', ['receiver'], 'Most bytes that may be on their way.'),
  weir_event_loop_delay_seconds: gauge('s', ['quantile'], 'Delay of the event loop since the last scrape.'),
  weir_config_reloads: counter('{reloads}', ['result'], 'Reloads of the configuration: applied, unchanged or refused.'),
  weir_component_healthy: gauge('1', ['component', 'kind'], '1 while a component is healthy, else 0.'),
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS
