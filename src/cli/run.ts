/** `weir run`: starts the pipelines and keeps them running until a signal, or until the sources have ended. */
import { resolve } from 'node:path'
import { formatProblem, type LoadResult } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { resolveStateDir } from '../storage/state-dir.ts'
import { problemText } from './arguments.ts'
import type { Io } from './io.ts'
import { parseRunArguments } from './run-arguments.ts'
import { Session } from './session.ts'
import { type FileWatch, watchFiles } from './watch.ts'

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
  const { drain } = parsed
  let watch: FileWatch | undefined
  const load = (): LoadResult => {
    const result = loadConfig(parsed.sources, io.registry, io.env)
    watch?.set(result.files)
    return result
  }
  const first = load()
  const { config, warnings, files } = first
  if (config === undefined) {
    io.stderr(problemText(first))
    return 1
  }

  // Signals count from here on: one that comes during the start is followed after it.
  let session: Session | undefined
  const { promise: stopped, resolve: stop } = Promise.withResolvers<Stop>()
  const reload = (why: string): void => session?.reload(why)
  listen({ stop: (why, limitMs) => stop({ why, limitMs }), reload })

  try {
    const flag = parsed.stateDir === undefined ? undefined : resolve(io.cwd, parsed.stateDir)
    const stateDir = resolveStateDir(flag, io.env)
    session = await Session.open({ load, config, stateDir, drain, stderr: io.stderr })
  } catch (error) {
    io.stderr(`weir run: ${(error as Error).message}\n`)
    return 1
  }
  const { log } = session
  for (const warning of warnings) log.warn(formatProblem(warning))
  if (parsed.watch) {
    const onError = (error: unknown): void => log.warn('A directory of the configuration is not watched.', { error })
    watch = watchFiles(files, () => reload('a file of the configuration changed'), onError)
  }
  if (drain) void session.ended().then(() => stop({ why: 'every source has ended', limitMs: undefined }))
  const { why, limitMs } = await stopped
  watch?.close()
  return session.shutDown(why, limitMs)
}
