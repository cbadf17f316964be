/** Chooses, for each feature, the best hook that this kernel offers. */
import type { Environment } from './environment.ts'
import { CORE, HOOKS, type Hook, RAW, SIGNALS, type Signal } from './hooks.ts'
import type { KernelTypes } from './kernel-types.ts'
import type { Program } from './object.ts'

export interface HookState {
  readonly feature: string
  readonly signal: Signal
  /** What watches it; undefined when nothing can. */
  readonly hook: string | undefined
  /** Why nothing can, or why not the better one. */
  readonly reason?: string
  /** What this hook does not see. */
  readonly blind?: string
  readonly programs: readonly string[]
  readonly config: readonly ('has_file_lsm' | 'has_path_lsm')[]
}

/** Ways into the kernel that can be passed over: some hosts have reasons. */
export const AVOIDABLE = ['fentry', 'kprobe'] as const
export type HookKind = (typeof AVOIDABLE)[number]

/** What a trial told about a kind of program: undefined = it works, else why not. */
export interface Trials {
  readonly trampoline: string | undefined
}

type Exists = (path: string) => boolean

/** Why a program cannot be loaded here; undefined when it should. */
export function obstacle(
  program: Program | undefined,
  name: string,
  environment: Environment,
  trials: Trials,
  exists: Exists,
): string | undefined {
  if (program === undefined) return `this architecture has no ${name}`
  const [kind = '', ...rest] = program.section.split('/')
  const target = rest.join('/')
  switch (kind) {
    case 'tp_btf':
      return environment.types.hasTracepoint(target) ? undefined : `this kernel has no tracepoint ${target}`
    case 'tracepoint':
      return exists(`${environment.tracefs}/events/${target}/id`)
        ? undefined
        : `this kernel has no tracepoint ${target}`
    case 'fentry':
    case 'fexit':
      return trials.trampoline ?? missingFunction(environment.types, target)
    case 'kprobe':
    case 'kretprobe':
      if (!environment.hasKprobes) return 'this kernel has no kprobes'
      return missingFunction(environment.types, target)
    case 'cgroup':
    case 'cgroup_skb':
      return environment.cgroup2 === undefined ? 'cgroup2 is not mounted' : undefined
    default:
      return undefined
  }
}

function unwanted(program: Program | undefined, avoid: readonly HookKind[]): string | undefined {
  const [kind] = program?.section.split('/') ?? []
  const found = avoid.find(
    (each) => each === kind || (each === 'fentry' && kind === 'fexit') || (each === 'kprobe' && kind === 'kretprobe'),
  )
  return found === undefined ? undefined : `${found} is to be avoided`
}

function missingFunction(types: KernelTypes, name: string): string | undefined {
  return types.hasFunction(name) ? undefined : `this kernel has no function ${name}`
}

export interface PlanOptions {
  readonly environment: Environment
  readonly programs: ReadonlyMap<string, Program>
  readonly trials: Trials
  readonly exists: Exists
  /** Bits of `SIGNALS` that are wanted. */
  readonly signals: number
  readonly rawSyscalls: boolean
  readonly avoid: readonly HookKind[]
  /** Programs that the kernel refused, with the reason. */
  readonly refused: ReadonlyMap<string, string>
}

export function plan(options: PlanOptions): HookState[] {
  const wanted = HOOKS.filter(({ signal }) => (options.signals & SIGNALS[signal]) !== 0)
  const features = new Set(wanted.map(({ feature }) => feature))
  const chosen = [...CORE, ...(options.rawSyscalls ? [RAW] : [])].map((hook) => choose([hook], options))
  for (const feature of features) {
    chosen.push(
      choose(
        wanted.filter((hook) => hook.feature === feature),
        options,
      ),
    )
  }
  return chosen
}

function choose(hooks: readonly Hook[], options: PlanOptions): HookState {
  const { environment, programs, trials, exists, refused, avoid } = options
  const why = (name: string): string | undefined =>
    refused.get(name) ??
    unwanted(programs.get(name), avoid) ??
    obstacle(programs.get(name), name, environment, trials, exists)
  const reasons: string[] = []
  for (const { feature, signal, hook, programs: needed, optional = [], config = [], blind } of hooks) {
    const reason = needed.map(why).find((each) => each !== undefined)
    if (reason !== undefined) {
      reasons.push(`${hook}: ${reason}`)
      continue
    }
    return {
      feature,
      signal,
      hook,
      ...(reasons.length > 0 && { reason: reasons.join('; ') }),
      ...(blind !== undefined && { blind }),
      programs: [...needed, ...optional.filter((name) => why(name) === undefined)],
      config,
    }
  }
  const { feature, signal } = hooks[0] as Hook
  return { feature, signal, hook: undefined, reason: reasons.join('; '), programs: [], config: [] }
}
