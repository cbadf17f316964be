/**
 * The dead-letter file: one JSON object a line for everything that never will be delivered, with the
 * reason beside it. Written and flushed to disk before the source may forget the record.
 */
import { constants, type FileHandle, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeadLetter } from '../component.ts'
import { recordToJson } from '../records/json.ts'

export interface DeadLetterFile {
  /** Resolves with the bytes written once they are on disk. Rejects when the disk refuses. */
  write(component: string, letters: readonly DeadLetter[]): Promise<number>
  /**
   * Puts everything that was written so far aside, for a replay. Returns the paths, oldest first; what an interrupted
   * replay has left is among them. The caller removes each once it is done with it.
   */
  take(): Promise<readonly string[]>
  /** Writes lines again that a replay could do nothing with. */
  keep(lines: readonly string[]): Promise<void>
  close(): Promise<void>
}

export interface DeadLetterOptions {
  readonly directory: string
  /** The file is renamed to `….1`, replacing an older one, when it grows past this. */
  readonly maxBytes: number
  /** Hears of the older file that a rotation replaced: its records are gone. */
  readonly onDiscard?: (bytes: number) => void
}

const NAME = 'dead-letter.jsonl'
const TAKEN = /^dead-letter\.taken-\d+-\d\.jsonl$/

/** Opens the file on first use, so that a run without a dead letter leaves none behind. */
export function deadLetterFile({ directory, maxBytes, onDiscard }: DeadLetterOptions): DeadLetterFile {
  const path = join(directory, NAME)
  let handle: FileHandle | undefined
  let size = 0
  let last: Promise<unknown> = Promise.resolve()

  const append = async (text: string): Promise<number> => {
    const bytes = Buffer.from(text)
    if (handle !== undefined && size > 0 && size + bytes.length > maxBytes) await rotate()
    if (handle === undefined) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants
      handle = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
      size = (await handle.stat()).size
    }
    try {
      await handle.appendFile(bytes)
      await handle.datasync()
    } catch (error) {
      // Half of it may be there (a full disk): what is written later must not stand behind half a line.
      await handle.truncate(size).catch(() => {})
      throw error
    }
    size += bytes.length
    return bytes.length
  }

  const rotate = async (): Promise<void> => {
    await handle?.close()
    handle = undefined
    const older = await stat(`${path}.1`).catch(() => undefined)
    await rename(path, `${path}.1`)
    if (older !== undefined) onDiscard?.(older.size)
  }

  // One at a time: lines of two writers must not be mixed.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  const take = async (): Promise<string[]> => {
    await handle?.close()
    handle = undefined
    const present: readonly string[] = await readdir(directory).catch(() => [])
    // Named by the time, in microseconds, so that their order is that of their names.
    const stem = `dead-letter.taken-${String(Math.round((performance.timeOrigin + performance.now()) * 1000)).padStart(17, '0')}`
    for (const [i, name] of [`${NAME}.1`, NAME].entries()) {
      if (present.includes(name)) await rename(join(directory, name), join(directory, `${stem}-${i}.jsonl`))
    }
    return (await readdir(directory).catch(() => [])).filter((name) => TAKEN.test(name)).sort()
  }

  return {
    write: (component, letters) => inTurn(() => append(letters.map((letter) => lineOf(component, letter)).join(''))),
    take: async () => (await inTurn(take)).map((name) => join(directory, name)),
    async keep(lines) {
      if (lines.length > 0) await inTurn(() => append(lines.map((line) => `${line}\n`).join('')))
    },
    async close() {
      await last
      await handle?.close()
      handle = undefined
    },
  }
}

function lineOf(component: string, { reason, error, record, raw, source }: DeadLetter): string {
  const head = JSON.stringify({ time: new Date().toISOString(), component, reason, error, source, raw })
  return record === undefined ? `${head}\n` : `${head.slice(0, -1)},"record":${recordToJson(record)}}\n`
}
