/**
 * The words every component is written in.
 *
 * A component is one definition: its YAML key, its schema (from which validation, documentation and
 * editor support are made) and a function that builds an instance. The host owns lifetimes: it calls
 * `start` before anything flows (exporters first, receivers last) and `stop` in the order of the flow,
 * so that whoever drains finds a living consumer behind it.
 */
import type { OperatorFunction } from 'rxjs'
import type { z } from 'zod'
import type { Batch } from './flow/batch.ts'
import type { Gate } from './flow/gate.ts'
import type { Intake } from './flow/intake.ts'
import type { RecordCounters } from './flow/operators.ts'
import type { LogRecord } from './records/record.ts'
import type { Store, StoreOwner } from './storage/store.ts'
import type { Logger } from './telemetry/logger.ts'

export type Kind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'

/** The Collector's levels. Every level below `stable` may change its configuration in a minor release. */
export type Stability = 'development' | 'alpha' | 'beta' | 'stable' | 'deprecated'

/** What a receiver does when the answer is no, printed in its page. */
export type Delivery =
  /** Reads the same records again: a checkpoint advances only past what was acknowledged. */
  | 'replay'
  /** Answers its client after the outcome, so that the client sends again. */
  | 'respond'
  /** Cannot wait: what finds no room is shed and counted. */
  | 'lossy'

export type Health = 'ok' | 'recoverable' | 'permanent'

/** Something that will never be delivered, on its way to the dead-letter file. */
export interface DeadLetter {
  /** Stable, machine-readable: `malformed`, `poison`, `too_large`. */
  readonly reason: string
  /** What was wrong, in words. */
  readonly error: string
  /** The record, where it became one. */
  readonly record?: LogRecord
  /** The raw input, where it did not. Bounded by the receiver. */
  readonly raw?: string
  /** Where the raw input came from, e.g. `/var/log/audit.log:10234`. */
  readonly source?: string
}

/** What the host lends a component for its lifetime. */
export interface Context extends RecordCounters {
  /** The id in the configuration: `file_log/containers`. */
  readonly id: string
  readonly log: Logger
  /** Durable key-value state of this component alone. */
  readonly store: Store
  /** True while `run --drain`: a source that can end reads what is there, and ends. */
  readonly drain: boolean
  /** For files that belong to one node or one run; always absolute. */
  readonly stateDir: string
  /**
   * Records that will never be delivered. Resolves when they are safe in the dead-letter file, each counted
   * as `rejected` with its reason: only then may the source forget them.
   */
  reject(letters: readonly DeadLetter[]): Promise<void>
  /** Reports a change of health; `reason` says what is wrong and what would mend it. */
  health(status: Health, reason?: string): void
  /** Adds to one of the component's own counters, which the table in `telemetry/metrics.ts` declares. */
  count(metric: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** Sets one of the component's own gauges. */
  gauge(metric: string, value: number, labels?: Readonly<Record<string, string>>): void
}

export interface Lifecycle {
  /** Acquires what the component needs. A rejection ends the program at start, and refuses a reload. */
  start?(signal: AbortSignal): Promise<void>
  /** Safe to call twice and without a start. Aborting `signal` turns it into "now". */
  stop?(signal: AbortSignal): Promise<void>
}

export interface Receiver extends Lifecycle {
  /**
   * Runs until `signal` aborts, or until the source has ended and everything read is acknowledged.
   * A rejection restarts it with backoff.
   */
  run(intake: Intake, signal: AbortSignal): Promise<void>
}

export interface Processor extends Lifecycle {
  /** A fresh operator; called again after one ended in an error. */
  operator(): OperatorFunction<Batch, Batch>
  /** While it is shut, the receivers that feed the processor's pipeline take nothing in. */
  readonly gate?: Gate
}

export interface Exporter extends Lifecycle {
  /**
   * Resolves when the destination has all records. The records are shared and read-only.
   * Throws the errors of `exporting/errors.ts` to say what should happen instead;
   * anything else that is thrown means "try again later".
   * Never called with more batches at once than the chain's consumers. Aborting `signal` ends the attempt.
   */
  export(records: readonly LogRecord[], signal: AbortSignal): Promise<void>
}

export interface Connector extends Lifecycle {
  /**
   * Names, for each record in turn, the pipelines it goes to, each once; none means dropped on purpose
   * (the connector counts it as filtered). `all` hands whole batches to every pipeline that lists the connector.
   * The host copies records where several pipelines get them.
   */
  readonly route: 'all' | ((record: LogRecord) => readonly string[])
}

export interface Extension extends Lifecycle {
  /** Where other components may keep state and queues: there after `start`, until `stop`. */
  readonly storage?: StoreOwner | undefined
}

/** What an extension may see of the running program. */
export interface Host {
  /** Health of every component by `kind/id`, as last reported. */
  health(): ReadonlyMap<string, { readonly status: Health; readonly reason?: string; readonly since: number }>
  /** Records since the start that did not arrive and should have, by component and reason. */
  losses(): readonly { readonly component: string; readonly reason: string; readonly records: number }[]
  /** True between "everything is ready" and the begin of the shutdown. */
  readonly isReady: boolean
  readonly startedAt: number
  /** The embedded store of the state directory. */
  readonly stores: StoreOwner
}

interface Definition<Schema extends z.ZodType, Instance, Ctx extends Context = Context> {
  /** The key users write in YAML, and the name of this file. */
  readonly type: string
  /** Other spellings that are accepted with one warning, e.g. the Collector's older name. */
  readonly aliases?: readonly string[]
  readonly stability: Stability
  /** One sentence, ending in a full stop: the first line of the generated page. */
  readonly summary: string
  readonly config: Schema
  /**
   * Keys of the Collector's component of the same name that cannot be honoured, by dotted path
   * (`*` for any key or index), each with a sentence that says what to do instead.
   */
  readonly unsupported?: Readonly<Record<string, string>>
  /** Each is parsed by a test and printed in the docs. */
  readonly examples: readonly z.input<Schema>[]
  create(config: z.output<Schema>, context: Ctx): Instance
}

// biome-ignore lint/suspicious/noExplicitAny: a list of definitions holds every schema there is.
type AnySchema = z.ZodType<any, any>

export type ReceiverDefinition<S extends AnySchema = AnySchema> = Definition<S, Receiver> & {
  readonly kind: 'receiver'
  readonly delivery: Delivery
  /** True when `run --drain` should wait for its `run` to resolve. */
  readonly ends: boolean
}
export type ProcessorDefinition<S extends AnySchema = AnySchema> = Definition<S, Processor> & {
  readonly kind: 'processor'
}
export type ExporterDefinition<S extends AnySchema = AnySchema> = Definition<S, Exporter> & {
  readonly kind: 'exporter'
}
export type ConnectorDefinition<S extends AnySchema = AnySchema> = Definition<S, Connector> & {
  readonly kind: 'connector'
  /** The pipelines that a configuration names; each must list the connector as a receiver. */
  pipelinesOf?(config: z.output<S>): readonly string[]
}
export type ExtensionDefinition<S extends AnySchema = AnySchema> = Definition<
  S,
  Extension,
  Context & { readonly host: Host }
> & {
  readonly kind: 'extension'
}
export type AnyDefinition =
  | ReceiverDefinition
  | ProcessorDefinition
  | ExporterDefinition
  | ConnectorDefinition
  | ExtensionDefinition

/** Everything that exists, as `components.ts` lists it. */
export interface Registry {
  readonly receivers: readonly ReceiverDefinition[]
  readonly processors: readonly ProcessorDefinition[]
  readonly exporters: readonly ExporterDefinition[]
  readonly connectors: readonly ConnectorDefinition[]
  readonly extensions: readonly ExtensionDefinition[]
}

export function defineReceiver<S extends AnySchema>(
  definition: Omit<ReceiverDefinition<S>, 'kind'>,
): ReceiverDefinition<S> {
  return { kind: 'receiver', ...definition } as ReceiverDefinition<S>
}

export function defineProcessor<S extends AnySchema>(
  definition: Omit<ProcessorDefinition<S>, 'kind'>,
): ProcessorDefinition<S> {
  return { kind: 'processor', ...definition } as ProcessorDefinition<S>
}

export function defineExporter<S extends AnySchema>(
  definition: Omit<ExporterDefinition<S>, 'kind'>,
): ExporterDefinition<S> {
  return { kind: 'exporter', ...definition } as ExporterDefinition<S>
}

export function defineConnector<S extends AnySchema>(
  definition: Omit<ConnectorDefinition<S>, 'kind'>,
): ConnectorDefinition<S> {
  return { kind: 'connector', ...definition } as ConnectorDefinition<S>
}

export function defineExtension<S extends AnySchema>(
  definition: Omit<ExtensionDefinition<S>, 'kind'>,
): ExtensionDefinition<S> {
  return { kind: 'extension', ...definition } as ExtensionDefinition<S>
}
