/** `weir ebpf trace`: a line for each event as it happens, without any configuration, until Ctrl-C. */
import { SIGNALS, type Signal } from '../ebpf/kernel/hooks.ts'
import { SensorError } from '../ebpf/kernel/sensor.ts'
import { openSession } from '../ebpf/sensing/open.ts'
import type { Report } from '../ebpf/sensing/parts.ts'
import { NO_RULES } from '../ebpf/sensing/rules.ts'
import { DEFAULT_WATCH } from '../ebpf/sensing/watch-list.ts'
import { EVENT_NAMES } from '../records/event-names.ts'
import { recordToJson } from '../records/json.ts'
import type { LogRecord } from '../records/record.ts'
import { SEVERITY } from '../records/severity.ts'
import { hrTimeToRfc3339 } from '../records/time.ts'
import { createLogger } from '../telemetry/logger.ts'
import { parseFlags, UsageError } from './arguments.ts'
import type { Io } from './io.ts'

const MIB = 2 ** 20

/** Events of signals whose names do not begin with the signal's. */
const OWN_NAMES: Partial<Record<Signal, readonly string[]>> = {
  process: ['process.exec', 'process.exec_failed', 'process.fork', 'process.exit'],
  ptrace: ['process.ptrace'],
  signal: ['process.signal'],
  fd_redirect: ['process.fd_redirect'],
  syscall: ['process.syscall'],
}

export interface Selection {
  /** Bits of `SIGNALS` that are needed. */
  readonly signals: number
  readonly shows: (record: LogRecord) => boolean
}

/** Of `exec,dns,file.open`: names of signals, names of events, or the last part of those. */
export function selectionOf(list: string | undefined): Selection {
  if (list === undefined) return { signals: 0xffffffff, shows: isTelling }
  const names = new Set<string>()
  let signals: number = SIGNALS.process
  for (const word of list.split(',').map((each) => each.trim())) {
    const found = eventsOf(word)
    if (found.length === 0)
      throw new UsageError(
        `weir ebpf trace: there is no signal and no event "${word}"; signals are ${Object.keys(SIGNALS).join(', ')}, events for example exec, open, connect`,
      )
    for (const name of found) {
      names.add(name)
      signals |= signalBits(name)
    }
  }
  return { signals, shows: ({ eventName }) => names.has(eventName) || eventName.startsWith('sensor.') }
}

/** Without a choice: not every file that is read, and not every folder in which a program was looked for. */
function isTelling({ eventName, severityNumber, attributes }: LogRecord): boolean {
  if (eventName === 'process.fork' || eventName === 'process.exit') return false
  if (eventName === 'process.exec_failed' && attributes['error.type'] === 'ENOENT') return false
  return severityNumber >= SEVERITY.info
}

function eventsOf(word: string): string[] {
  const all: readonly string[] = EVENT_NAMES
  if (Object.hasOwn(SIGNALS, word)) return all.filter((name) => isOf(word as Signal, name))
  return all.filter((name) => (name === word || name.endsWith(`.${word}`)) && signalBits(name) !== 0)
}

function isOf(signal: Signal, eventName: string): boolean {
  return OWN_NAMES[signal]?.includes(eventName) ?? eventName.startsWith(`${signal}.`)
}

function signalBits(eventName: string): number {
  return Object.entries(SIGNALS).reduce((bits, [name, bit]) => (isOf(name as Signal, eventName) ? bits | bit : bits), 0)
}

export async function trace(args: string[], io: Io): Promise<number> {
  const { signal, json } = parseFlags('ebpf trace', args, {
    signal: { type: 'string', short: 's' },
    json: { type: 'boolean', default: false },
  })
  const { signals, shows } = selectionOf(signal)
  const line = json ? jsonLine : textLine
  const log = createLogger({ level: 'warn', encoding: 'console', write: (text) => io.stderr(`${text}\n`) })
  const rules = { include: NO_RULES, exclude: NO_RULES }
  const stop = new AbortController()
  const end = (): void => stop.abort()
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  process.stdout.on('error', end)
  try {
    const session = openSession(
      { config: { signals }, rings: { critical: 4 * MIB, bulk: 16 * MIB }, rules, watch: DEFAULT_WATCH },
      { report: SILENT, log, deliver: (records) => io.stdout(records.filter(shows).sort(byTime).map(line).join('')) },
    )
    try {
      await session.start()
      await session.run(stop.signal)
    } finally {
      await session.end()
    }
    return 0
  } catch (error) {
    if (!(error instanceof SensorError)) throw error
    io.stderr(`${error.message}\n`)
    return 1
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
    process.stdout.off('error', end)
  }
}

/** The two rings are read one after the other. */
function byTime({ hrTime: one }: LogRecord, { hrTime: other }: LogRecord): number {
  return one[0] - other[0] || one[1] - other[1]
}

const SILENT: Report = { lost() {}, filtered() {}, count() {}, gauge() {}, health() {} }

function textLine({ hrTime, eventName, body }: LogRecord): string {
  const time = hrTimeToRfc3339(hrTime).slice(11, 23)
  return `${time}  ${eventName.padEnd(16)}  ${visible(String(body))}\n`
}

function jsonLine(record: LogRecord): string {
  return `${visible(recordToJson(record))}\n`
}

/** What programs are called is up to whoever starts them: it must not draw on the terminal, or forge a line. */
function visible(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
