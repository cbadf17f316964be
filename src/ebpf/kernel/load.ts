/** From the object file to loaded programs: what the machine offers, what is chosen, and what to do when it is refused. */
import { existsSync } from 'node:fs'
import { DEFAULTS, encodeConfig, type KernelConfig } from './config.ts'
import { type Environment, inspect } from './environment.ts'
import { SensorError } from './errors.ts'
import { BpfObject, LoadError, objectPath } from './object.ts'
import { type HookKind, type HookState, plan, type Trials } from './plan.ts'

export interface SensorOptions {
  readonly config: Partial<KernelConfig>
  /** Sizes in bytes: powers of two and multiples of the page size. */
  readonly rings: { readonly critical: number; readonly bulk: number }
  /** Where cgroup2 is mounted; found by itself. */
  readonly cgroupRoot?: string
  readonly rawSyscalls?: boolean
  /** Kinds of hooks that are not tried. */
  readonly avoid?: readonly HookKind[]
  /** Another object file than the one that is shipped. */
  readonly object?: string
}

/** A program that shows whether functions of the kernel may be hooked by fentry at all. */
const TRIAL = 'fentry_module_request'

export interface Loaded {
  readonly environment: Environment
  readonly object: BpfObject
  readonly hooks: readonly HookState[]
}

/** Loads the best programs that this kernel takes; one that is refused costs its feature's next best way. */
export function loadObject(options: SensorOptions): Loaded {
  const environment = withCgroupRoot(inspect(), options.cgroupRoot)
  const path = options.object ?? objectPath(environment.architecture)
  const trials = tryKinds(path, environment)
  const refused = new Map<string, string>()
  // Without logs nobody knows which program it was that failed.
  for (let withLogs = false; ; withLogs = true) {
    const loaded = attempt(options, { environment, path, trials, refused, withLogs })
    if (loaded !== undefined) return loaded
  }
}

interface Attempt {
  readonly environment: Environment
  readonly path: string
  readonly trials: Trials
  /** Programs that the kernel refused, with the reason; another one is added when that is worth another attempt. */
  readonly refused: Map<string, string>
  readonly withLogs: boolean
}

/** Undefined when it should be tried again. */
function attempt(
  options: SensorOptions,
  { environment, path, trials, refused, withLogs }: Attempt,
): Loaded | undefined {
  const object = new BpfObject(path)
  const hooks = plan({
    environment,
    programs: object.programs,
    trials,
    exists: existsSync,
    signals: options.config.signals ?? DEFAULTS.signals,
    rawSyscalls: options.rawSyscalls ?? false,
    avoid: options.avoid ?? [],
    refused,
  })
  demandCore(hooks)
  object.select(new Set(hooks.flatMap(({ programs }) => programs)), withLogs)
  for (const [name, bytes] of Object.entries(options.rings)) object.resize(name, bytes)
  object.configure('.rodata.config', encodeConfig(settled(options.config, environment, hooks)))
  try {
    object.load()
    return { environment, object, hooks }
  } catch (reason) {
    object.close()
    const isNew = reason instanceof LoadError && !refused.has(reason.program)
    if (withLogs && !isNew) throw asSensorError(reason)
    if (isNew) refused.set(reason.program, reason.message.split('\n')[0] as string)
    return undefined
  }
}

function withCgroupRoot(environment: Environment, cgroupRoot: string | undefined): Environment {
  return cgroupRoot === undefined ? environment : { ...environment, cgroup2: cgroupRoot }
}

function settled(config: Partial<KernelConfig>, environment: Environment, hooks: readonly HookState[]): KernelConfig {
  const flags = new Set(hooks.flatMap((hook) => hook.config))
  return {
    ...DEFAULTS,
    cgroupSubsys: environment.cgroupSubsys,
    ...config,
    hasFileLsm: flags.has('has_file_lsm') ? 1 : 0,
    hasPathLsm: flags.has('has_path_lsm') ? 1 : 0,
  }
}

function demandCore(hooks: readonly HookState[]): void {
  const missing = hooks.find(
    ({ feature, hook }) => ['process.lifetime', 'scan', 'heartbeat'].includes(feature) && hook === undefined,
  )
  if (missing !== undefined)
    throw new SensorError(
      `The sensor cannot follow processes on this kernel, without which no event has an owner: ${missing.reason}.`,
    )
}

/** Loads one small program of a kind that some hosts refuse as a matter of policy. */
function tryKinds(path: string, { types }: Environment): Trials {
  if (!types.hasFunction('security_kernel_module_request')) return { trampoline: undefined }
  const object = new BpfObject(path)
  try {
    object.select(new Set([TRIAL]), false)
    for (const ring of ['critical', 'bulk']) object.resize(ring, 65536)
    object.load()
    object.attach(TRIAL)
    return { trampoline: undefined }
  } catch (reason) {
    return { trampoline: `this host refuses fentry programs (${(reason as Error).message.split('\n')[0]})` }
  } finally {
    object.close()
  }
}

function asSensorError(reason: unknown): Error {
  return reason instanceof Error ? new SensorError(reason.message, { cause: reason }) : new SensorError(String(reason))
}
