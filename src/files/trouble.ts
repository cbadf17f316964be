/** Files that cannot be opened or read: said once, counted once, healthy again when they can. */
import type { Context } from '../component.ts'

export interface Trouble {
  report(path: string, error: unknown): void
  /** The path can be read. */
  clear(path: string): void
  /** No other path is asked for any more. */
  keepOnly(paths: ReadonlySet<string>): void
}

export function createTrouble(context: Pick<Context, 'log' | 'health' | 'count'>): Trouble {
  const open = new Map<string, string>()
  const clear = (path: string): void => {
    if (open.delete(path) && open.size === 0) context.health('ok')
  }
  return {
    report(path, error) {
      const { code, message } = error as NodeJS.ErrnoException
      const what = code ?? message
      if (open.get(path) === what) return
      open.set(path, what)
      context.count('weir_file_errors', 1, { error: code ?? 'other' })
      context.log.warn(`Cannot read ${path} (${what}); trying again until it can be read.`, { path, error })
      context.health('recoverable', `cannot read ${path} (${what}): check that it exists and that Weir may read it`)
    },
    clear,
    keepOnly(paths) {
      for (const path of open.keys()) if (!paths.has(path)) clear(path)
    },
  }
}
