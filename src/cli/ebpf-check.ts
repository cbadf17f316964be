/** `weir ebpf check`: a line for each thing that can be watched, with the hook that would be used here. */
import { Sensor, SensorError } from '../ebpf/kernel/sensor.ts'
import { parseFlags } from './arguments.ts'
import type { Io } from './io.ts'

type HookState = Awaited<ReturnType<typeof Sensor.check>>[number]

/** Exit codes: 0 everything can be watched, 1 something cannot, or nothing at all. */
export async function check(args: string[], io: Io): Promise<number> {
  const { json } = parseFlags('ebpf check', args, { json: { type: 'boolean', default: false } })
  let hooks: readonly HookState[]
  try {
    hooks = Sensor.check()
  } catch (error) {
    if (!(error instanceof SensorError)) throw error
    if (json) io.stdout(`${JSON.stringify({ error: error.message }, undefined, 2)}\n`)
    else io.stderr(`${error.message}\n`)
    return 1
  }
  const missing = hooks.filter(({ hook }) => hook === undefined)
  io.stdout(json ? `${JSON.stringify(hooks.map(plain), undefined, 2)}\n` : text(hooks))
  return missing.length === 0 ? 0 : 1
}

function plain({ signal, feature, hook, reason, blind }: HookState): object {
  const remedy = hook === undefined || reason !== undefined ? remedyOf(reason) : undefined
  return { signal, feature, hook: hook ?? null, reason, not_seen: blind, remedy }
}

const HEADINGS = ['SIGNAL', 'FEATURE', 'HOOK']

function text(hooks: readonly HookState[]): string {
  const rows = hooks.map(({ signal, feature, hook }) => [signal, feature, hook ?? 'NOT AVAILABLE'])
  const widths = HEADINGS.map((_, i) => Math.max(...[HEADINGS, ...rows].map((row) => (row[i] as string).length)))
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padEnd(widths[i] as number)).join('  ')
  const lines = [line(HEADINGS).trimEnd()]
  for (const [i, { hook, reason, blind }] of hooks.entries()) {
    lines.push(line(rows[i] as string[]).trimEnd())
    if (hook === undefined) lines.push(`    not seen because: ${firstLine(reason)}`)
    else if (reason !== undefined) lines.push(`    not the better hook because: ${firstLine(reason)}`)
    if (blind !== undefined) lines.push(`    does not see: ${blind}`)
  }
  const missing = hooks.filter(({ hook }) => hook === undefined)
  const remedies = new Set(hooks.flatMap(({ reason }) => remedyOf(reason) ?? []))
  lines.push('')
  for (const remedy of remedies) lines.push(`To see more: ${remedy}`)
  lines.push(
    missing.length === 0
      ? 'Everything can be watched on this host.'
      : `${missing.length} of ${hooks.length} cannot be watched on this host: ${missing.map(({ feature }) => feature).join(', ')}.`,
  )
  return `${lines.join('\n')}\n`
}

function firstLine(reason: string | undefined): string {
  return reason?.split('\n')[0] ?? 'no hook was found'
}

/** What would change it; undefined where nothing would but another kernel. */
function remedyOf(reason: string | undefined): string | undefined {
  if (reason === undefined) return undefined
  if (reason.includes('cgroup2 is not mounted'))
    return 'mount cgroup2 (mount -t cgroup2 none /sys/fs/cgroup/unified), or set cgroup_root to where it is.'
  if (reason.includes('refuses fentry') || reason.includes('no kprobes'))
    return 'a kernel with CONFIG_FUNCTION_TRACER, CONFIG_DYNAMIC_FTRACE and CONFIG_KPROBES, whose host allows fentry or kprobes.'
  if (reason.includes('no tracepoint syscalls/sys_exit_init_module'))
    return 'a kernel with CONFIG_MODULES; without it there are no modules to load.'
  if (reason.includes('no tracepoint syscalls/')) return 'a kernel with CONFIG_FTRACE_SYSCALLS.'
  return undefined
}
