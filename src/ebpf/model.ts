/**
 * From the bytes of kernel records to log records: who (process, ancestors, user, container), what, and how bad.
 * Knows nothing of libbpf; works as well on recorded bytes.
 */
import type { LogRecord } from '../records/record.ts'
import type { ContainerSeen } from './container/containers.ts'
import type { NameSource } from './container/pods.ts'
import type { RingMemory } from './memory.ts'
import { createTranslator } from './translate.ts'

export interface ModelOptions {
  /** Name of the node; also the first part of exec ids. */
  readonly node: string
  /** /proc/sys/kernel/random/boot_id: makes ids unique over restarts of the machine. */
  readonly bootId: string
  /** Further attributes of the resource of every record: `host.name`, `host.id`, `k8s.cluster.name`. */
  readonly resource?: Readonly<Record<string, string>>
  /** Event names that are not wanted as records; what they teach is learned all the same. */
  readonly suppress?: ReadonlySet<string>
  /** Secrets in arguments are replaced unless this is false. */
  readonly redactArguments?: boolean
  /** Keys of environment variables that are kept, where the kernel side sends them. */
  readonly environment?: ReadonlySet<string>
  /** Names of the watch list's classes by the number that the kernel side was given. */
  readonly watchClasses?: ReadonlyMap<number, string>
  /** The class of a path that is on the watch list by name: for files that were made after it was resolved. */
  readonly watchByPath?: (path: string) => string | undefined
  /** A container was first seen, or its names were learned: what is excluded is decided here. */
  readonly onContainer?: (container: ContainerSeen) => void
  /** Where names of pods come from, instead of their logs. */
  readonly names?: NameSource
  /** Roots of the system that is watched, where this process sees it elsewhere. */
  readonly roots?: {
    readonly proc?: string
    readonly cgroup?: string
    readonly podLogs?: string
    readonly etc?: string
  }
  /** Processes that are remembered; 200,000 unless told otherwise. */
  readonly mostProcesses?: number
  /** Counts what the model gives up: `decode`, `processes_evicted`, `streams_evicted`. */
  readonly lost?: (what: string, count: number) => void
}

export interface Model {
  /** Turns one kernel record into log records pushed onto `out`. Never throws. */
  take(memory: RingMemory, at: number, size: number, out: LogRecord[]): void
  /** Once a second and at the end: timeouts of what is held, clearing of tables. `bootNs` is CLOCK_BOOTTIME. */
  tick(bootNs: number, out: LogRecord[]): void
  /** Wall-clock time minus CLOCK_BOOTTIME, in nanoseconds; to be measured again now and then. */
  setClock(offsetNs: bigint): void
  /** Looks at the cgroups that exist, before the first record. */
  scanCgroups(): void
  readonly sizes: { readonly processes: number; readonly containers: number; readonly streams: number }
}

export function createModel(options: ModelOptions): Model {
  return createTranslator(options)
}
