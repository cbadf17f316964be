/**
 * What a configuration becomes once it is read: immutable values with the place each came from.
 *
 * `loadConfig` (in `load.ts`) never throws for anything a user can write: it returns either a configuration
 * or the list of everything that is wrong with it.
 */
import type {
  AnyDefinition,
  ConnectorDefinition,
  ExporterDefinition,
  ExtensionDefinition,
  Kind,
  ProcessorDefinition,
  ReceiverDefinition,
  Registry,
} from '../component.ts'
import type { Level } from '../telemetry/logger.ts'

/** Where something was written. A value that has no line of its own (`--set a.b`) has line and column 0. */
export interface Position {
  /** The file as the user named it, or `env:NAME`, `--config yaml`, `--set a.b`. */
  readonly source: string
  /** From 1; 0 where lines mean nothing. */
  readonly line: number
  readonly column: number
}

/** Something a user should know about the configuration: wrong (an error) or doubtful (a warning). */
export interface Problem {
  readonly position: Position
  /** `['receivers', 'file_log', 'include']`; empty for the whole file. */
  readonly path: readonly string[]
  /** What was expected, what was found, how to mend it. Never holds the value of a secret. */
  readonly message: string
}
export type ConfigError = Problem
export type ConfigWarning = Problem

/** A value as YAML knows it, after merging and expansion. */
export type Raw = string | number | boolean | null | readonly Raw[] | { readonly [key: string]: Raw }

export interface ComponentConfig<D extends AnyDefinition = AnyDefinition> {
  readonly kind: D['kind']
  /** Canonical: `file_log/containers`, also where the file says `filelog/containers`. */
  readonly id: string
  readonly type: string
  /** What follows the slash. */
  readonly name: string | undefined
  readonly definition: D
  /** What the schema made of it: the argument for `definition.create`. */
  readonly config: unknown
  /** What the user wrote, expanded, without defaults. May hold secrets: never print it as it is. */
  readonly raw: Raw
  /** Where its id stands. */
  readonly position: Position
  /** Changes exactly when kind, id or raw value change. */
  readonly fingerprint: string
}

/** One entry of a pipeline's list. Nothing is ambiguous: an id is never both a connector and something else. */
export interface Reference<K extends Kind = Kind> {
  readonly kind: K
  readonly id: string
  readonly position: Position
}

export interface PipelineConfig {
  /** `logs` or `logs/name`. */
  readonly id: string
  readonly receivers: readonly Reference<'receiver' | 'connector'>[]
  readonly processors: readonly Reference<'processor'>[]
  readonly exporters: readonly Reference<'exporter' | 'connector'>[]
  readonly position: Position
  /** Changes exactly when its id or one of its lists changes (not when a component in it does). */
  readonly fingerprint: string
}

export interface ServiceConfig {
  /** In the order of `service::extensions`, in which they start. */
  readonly extensions: readonly Reference<'extension'>[]
  readonly shutdownTimeoutMs: number
  readonly logs: {
    readonly level: Level
    readonly encoding: 'console' | 'json'
    /** Where the log is sent besides stderr, by OTLP over HTTP. */
    readonly destinations: readonly {
      readonly endpoint: string
      readonly headers: Readonly<Record<string, string>>
    }[]
  }
  readonly metrics: {
    readonly level: 'none' | 'basic' | 'normal' | 'detailed'
    /** Where Prometheus may pull; empty when the level is `none`. */
    readonly readers: readonly { readonly host: string; readonly port: number }[]
  }
  /** Attributes of Weir's own telemetry; null suppresses one that is set by default. */
  readonly resource: Readonly<Record<string, string | number | boolean | null>>
  /** Bytes of records in flight; undefined: derived from the machine or cgroup. */
  readonly memoryBudget: number | undefined
  /** What the user wrote, expanded, without defaults and without pipelines. */
  readonly raw: Raw
  /** Changes exactly when something outside the pipelines changes. */
  readonly fingerprint: string
}

/** Components by canonical id, in the order of the file; also those that no pipeline uses (each has a warning). */
export interface Config {
  readonly receivers: ReadonlyMap<string, ComponentConfig<ReceiverDefinition>>
  readonly processors: ReadonlyMap<string, ComponentConfig<ProcessorDefinition>>
  readonly exporters: ReadonlyMap<string, ComponentConfig<ExporterDefinition>>
  readonly connectors: ReadonlyMap<string, ComponentConfig<ConnectorDefinition>>
  readonly extensions: ReadonlyMap<string, ComponentConfig<ExtensionDefinition>>
  readonly pipelines: ReadonlyMap<string, PipelineConfig>
  readonly service: ServiceConfig
}

/** What to read, as the command line gives it. */
export interface ConfigSources {
  /** Each a path, `file:path`, `env:NAME` or `yaml:text`; later ones win. */
  readonly configs: readonly string[]
  /** Each `a.b.c=value` or `a::b::c=value`; appended last. */
  readonly sets?: readonly string[]
  /** Relative paths start here; default: the working directory of the process. */
  readonly cwd?: string
}

export interface LoadResult {
  /** Undefined exactly when there are errors. */
  readonly config: Config | undefined
  /** Sorted by source and position. */
  readonly errors: readonly ConfigError[]
  readonly warnings: readonly ConfigWarning[]
  /** Absolute paths of every file that was read or asked for, includes too: what `--watch` watches. */
  readonly files: readonly string[]
}

export type LoadConfig = (
  sources: ConfigSources,
  registry: Registry,
  env: Readonly<Record<string, string | undefined>>,
) => LoadResult

/** `configs/a.yaml:12:7: receivers::file_log::include: expected …`, on one line. */
export function formatProblem({ position, path, message }: Problem): string {
  const place = position.line > 0 ? `${position.source}:${position.line}:${position.column}` : position.source
  return printable(path.length > 0 ? `${place}: ${path.join('::')}: ${message}` : `${place}: ${message}`)
}

/** Keys may hold anything; what a terminal would take for a command is written as an escape. */
function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
