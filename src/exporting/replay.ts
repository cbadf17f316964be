/**
 * Sends dead letters again: to the exporter that could not deliver them, or to another.
 *
 * A file is removed once each of its lines was delivered, refused anew (which writes a new letter), or kept because
 * nothing can be done with it. A replay that is interrupted begins its file again the next time.
 */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { createAck, type Outcome } from '../flow/ack.ts'
import { recordFromJson } from '../records/from-json.ts'
import type { LogRecord } from '../records/record.ts'
import type { Chain } from './chain.ts'
import type { DeadLetterFile } from './dead-letter.ts'

export interface ReplayOptions {
  readonly letters: Pick<DeadLetterFile, 'take' | 'keep'>
  readonly chainOf: (exporter: string) => Pick<Chain, 'push'> | undefined
  /** The exporter that gets all of them, instead of the one that each was meant for. */
  readonly to?: string | undefined
}

export interface ReplayResult {
  /** Records by exporter that it has taken: its destination has them, or its queue on disk. */
  readonly delivered: ReadonlyMap<string, number>
  /** Refused again: they are in the dead-letter file with the new reason. */
  readonly rejected: number
  /** Kept in the dead-letter file, by reason. */
  readonly kept: ReadonlyMap<string, number>
}

interface Letter {
  readonly line: string
  readonly record: LogRecord
}

const BATCH = 500
const BATCH_BYTES = 2 ** 20

/** Throws when the dead-letter file cannot be read or written; nothing is lost then. */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const one = new Replay(options)
  for (const path of await options.letters.take()) {
    await one.file(path)
    await rm(path)
  }
  return one
}

class Replay implements ReplayResult {
  readonly #options: ReplayOptions
  readonly #groups = new Map<string, { letters: Letter[]; bytes: number }>()
  readonly delivered = new Map<string, number>()
  readonly kept = new Map<string, number>()
  rejected = 0

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /** Resolves when something has become of each of its lines. */
  async file(path: string): Promise<void> {
    const input = createReadStream(path)
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') await this.#line(line)
    }
    for (const exporter of [...this.#groups.keys()]) await this.#flush(exporter)
  }

  async #line(line: string): Promise<void> {
    const letter = parse(line)
    if (typeof letter === 'string') {
      await this.#keep([line], letter)
      return
    }
    const exporter = this.#options.to ?? letter.exporter
    const group = this.#groups.get(exporter) ?? { letters: [], bytes: 0 }
    this.#groups.set(exporter, group)
    group.letters.push(letter)
    group.bytes += line.length
    if (group.letters.length >= BATCH || group.bytes >= BATCH_BYTES) await this.#flush(exporter)
  }

  async #flush(exporter: string): Promise<void> {
    const { letters, bytes } = this.#groups.get(exporter) ?? { letters: [], bytes: 0 }
    this.#groups.delete(exporter)
    const lines = letters.map(({ line }) => line)
    const chain = this.#options.chainOf(exporter)
    if (chain === undefined) {
      await this.#keep(lines, `there is no exporter "${exporter}" in the configuration; name another with --to`)
      return
    }
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    // The lines are removed after this: a final answer.
    chain.push({ records: letters.map(({ record }) => record), bytes, ack: createAck(resolve, true) })
    const { kind } = await promise
    if (kind === 'delivered') this.delivered.set(exporter, (this.delivered.get(exporter) ?? 0) + lines.length)
    else if (kind === 'rejected') this.rejected += lines.length
    else await this.#keep(lines, `"${exporter}" was stopped before they were delivered`)
  }

  async #keep(lines: readonly string[], why: string): Promise<void> {
    await this.#options.letters.keep(lines)
    this.kept.set(why, (this.kept.get(why) ?? 0) + lines.length)
  }
}

/** The letter, or why nothing can be done with it. */
function parse(line: string): (Letter & { readonly exporter: string }) | string {
  try {
    const { component, record } = JSON.parse(line) as { component?: unknown; record?: unknown }
    if (record === undefined) return 'they never became records: mend the source and let it be read again'
    const exporter = /^exporter:(.+)$/.exec(String(component))?.[1] ?? ''
    return { line, record: recordFromJson(record), exporter }
  } catch (error) {
    return `not a dead letter: ${(error as Error).message.slice(0, 100)}`
  }
}
