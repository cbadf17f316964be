/** The generated log as a sequence of lines: endless, or as many as asked for. */
import { attackCalls } from './attack.ts'
import { createCluster } from './cluster.ts'
import { type Call, type Clock, type Level, writeCall } from './event.ts'
import { createRandom, type Random } from './random.ts'
import { everyday } from './scenes.ts'

export interface GenerateOptions {
  /** How many events (lines). */
  readonly events: number
  readonly seed: number
  /** Weave the marked attack into the middle of the log. */
  readonly attack?: boolean
  /** Levels that the audit policy knows; a call of another one is written at the next lower, or not at all. */
  readonly levels?: readonly Level[]
  /** Time of the first event. */
  readonly start?: Date
  /** Requests a second, on average: how fast the log's clock goes. */
  readonly rate?: number
}

const ORDER: readonly Level[] = ['None', 'Metadata', 'Request', 'RequestResponse']
const START = new Date('2026-11-02T03:00:00Z')

/** Lines of an audit log, without their newlines: the same for the same options. */
export function* auditLines(options: GenerateOptions): Generator<string> {
  let left = options.events
  if (left <= 0 || !(options.levels ?? ORDER).some((level) => level !== 'None')) return
  for (const line of endless(options)) {
    yield line
    left -= 1
    if (left <= 0) return
  }
}

function* endless(options: GenerateOptions): Generator<string> {
  const { events, levels = ORDER, start = START, rate = 200 } = options
  const random = createRandom(options.seed)
  const cluster = createCluster(random)
  const clock: Clock = { micros: start.getTime() * 1000 }
  const ongoing = new Ongoing()
  const attack = options.attack ? attackCalls(cluster, random) : []
  for (let written = 0; ; ) {
    const isAttack = attack.length > 0 && written >= events / 2 && random.chance(attackChance(events, written, attack))
    for (const call of isAttack ? [attack.shift() as Call] : everyday(random)(cluster, random)) {
      clock.micros += gap(random, rate)
      const lines = [...told(call, levels, written, clock, random, ongoing), ...ongoing.due(written)]
      yield* lines
      written += lines.length
    }
  }
}

/** The lines of a call that are written now; those of its end wait in `ongoing`. */
function told(
  call: Call,
  levels: readonly Level[],
  written: number,
  clock: Clock,
  random: Random,
  ongoing: Ongoing,
): string[] {
  const level = lower(call.level, levels)
  if (level === 'None') return []
  const now: string[] = []
  for (const { line, after } of writeCall({ ...call, level }, clock, random)) {
    if (after > 0) ongoing.add(written + after, line)
    else now.push(line)
  }
  return now
}

/** Spreads what is left of the attack over the first part of what is left of the log. */
function attackChance(events: number, written: number, attack: readonly Call[]): number {
  return Math.min(1, (attack.length * 6) / (events - written) + 0.02)
}

function gap(random: Random, rate: number): number {
  return 1 + Math.floor((-Math.log(1 - random.next()) * 1_000_000) / rate)
}

function lower(level: Level, known: readonly Level[]): Level {
  for (let i = ORDER.indexOf(level); i > 0; i--) if (known.includes(ORDER[i] as Level)) return ORDER[i] as Level
  return 'None'
}

/** Ends of long-running requests, by the number of the event after which they come. */
class Ongoing {
  readonly #byEvent = new Map<number, string[]>()
  #seen = 0

  add(event: number, line: string): void {
    const lines = this.#byEvent.get(event)
    if (lines === undefined) this.#byEvent.set(event, [line])
    else lines.push(line)
  }

  /** What was to come until this event; past the end of everything, nothing. */
  due(event: number): string[] {
    const found: string[] = []
    for (; this.#seen <= event; this.#seen++) {
      const lines = this.#byEvent.get(this.#seen)
      if (lines === undefined) continue
      found.push(...lines)
      this.#byEvent.delete(this.#seen)
    }
    return found
  }
}
