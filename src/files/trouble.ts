/** Files that cannot be opened or read: said once, counted once, healthy again when they can. */
import type { Context } from '../component.ts'
import type { Damage } from './damage.ts'

export interface Trouble {
  report(path: string, error: unknown): void
  /** The rest of a compressed file is lost: to be said once for each state of the file. */
  spoilt(path: string, damage: Damage): void
  /** The path can be read. */
  clear(path: string): void
  /** No other path is asked for any more. */
  keepOnly(paths: ReadonlySet<string>): void
}

const WRONG: Readonly<Record<Damage['kind'], string>> = {
  not_gzip: 'is not gzip',
  truncated: 'ends in the middle of a gzip member',
  corrupt: 'is corrupt gzip',
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
    spoilt(path, { kind, lostBytes: bytes, code }) {
      const what = `${path} ${WRONG[kind]}`
      open.set(path, code)
      context.count('weir_file_lost_bytes', bytes, { reason: 'corrupt' })
      context.log.warn(`${what}; ${bytes} compressed bytes are lost, what comes before them is read.`, {
        path,
        bytes,
        reason: kind,
        code,
      })
      context.health('recoverable', `${what}: replace it, or take it out of "include"`)
    },
    clear,
    keepOnly(paths) {
      for (const path of open.keys()) if (!paths.has(path)) clear(path)
    },
  }
}
