/** Says that lines are being cut: once for each file and minute, with how much it was. */
import type { Context } from '../component.ts'

const EVERY_MS = 60_000
const MAX_FILES = 4096

interface Cut {
  bytes: number
  saidAt: number
}

/** Counts bytes that were dropped from lines longer than `max_log_size`, and warns of them. */
export function createCutWarnings(
  { log, count }: Pick<Context, 'log' | 'count'>,
  now: () => number = Date.now,
): (path: string, bytes: number) => void {
  const files = new Map<string, Cut>()
  return (path, bytes) => {
    count('weir_file_truncated_bytes', bytes)
    const cut = files.get(path) ?? { bytes: 0, saidAt: Number.NEGATIVE_INFINITY }
    cut.bytes += bytes
    if (files.size >= MAX_FILES && !files.has(path)) files.delete(files.keys().next().value as string)
    files.set(path, cut)
    if (now() - cut.saidAt < EVERY_MS) return
    cut.saidAt = now()
    log.warn(
      `Lines of ${path} are longer than max_log_size; ${cut.bytes} bytes were cut off so far. Raise max_log_size to keep them.`,
      { path, bytes: cut.bytes },
    )
  }
}
