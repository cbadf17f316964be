/** `weir run`: starts the pipelines and keeps them running until a signal, or until the sources have ended. */
import { resolve } from 'node:path'
import { formatProblem, type LoadResult } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { resolveStateDir } from '../storage/state-dir.ts'
import { problemText } from './arguments.ts'
import type { Io } from './io.ts'
import { parseRunArguments } from './run-arguments.ts'
import { Session } from './session.ts'
import { watchFiles } from './watch.ts'

/** What may happen to a running program from outside. */
export interface RunControls {
  /** `limitMs` shortens `service::shutdown_timeout`. */
  stop(why: string, limitMs?: number): void
  reload(why: string): void
}

interface Stop {
  readonly why: string
  readonly limitMs: number | undefined
}

/** Exit codes: 0 all well, 1 could not start, 2 (with `--drain`) something was rejected or lost. */
export async function run(args: string[], io: Io, listen: (controls: RunControls) => void): Promise<number> {
  const parsed = parseRunArguments(args, io.cwd)
  const load = (): LoadResult => loadConfig(parsed.sources, io.registry, io.env)
  const first = load()
  const { config, warnings, files } = first
  if (config === undefined) {
    io.stderr(problemText(first))
    return 1
  }

  const { drain } = parsed
  const flag = parsed.stateDir === undefined ? undefined : resolve(io.cwd, parsed.stateDir)
  let session: Session
  try {
    const stateDir = resolveStateDir(flag, io.env)
    session = await Session.open({ load, config, stateDir, drain, stderr: io.stderr })
  } catch (error) {
    io.stderr(`weir run: ${(error as Error).message}\n`)
    return 1
  }
  for (const warning of warnings) session.log.warn(formatProblem(warning))

  const { promise: stopped, resolve: stop } = Promise.withResolvers<Stop>()
  listen({
    stop: (why, limitMs) => stop({ why, limitMs }),
    reload: (why) => session.reload(why),
  })
  const unwatch = parsed.watch
    ? watchFiles(files, () => session.reload('a file of the configuration changed'))
    : () => {}
  if (drain) void session.ended().then(() => stop({ why: 'every source has ended', limitMs: undefined }))
  const { why, limitMs } = await stopped
  unwatch()
  return session.shutDown(why, limitMs)
}
