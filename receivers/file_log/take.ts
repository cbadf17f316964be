/** Turns pages of lines into batches of records. */
import type { Context, DeadLetter } from '../../src/component.ts'
import { createCutWarnings } from '../../src/files/cut-warnings.ts'
import type { FileRef, Page, TakePage } from '../../src/files/page.ts'
import { DELIVERED, type Outcome, worse } from '../../src/flow/ack.ts'
import type { Intake } from '../../src/flow/intake.ts'
import { internScope } from '../../src/records/interning.ts'
import type { HrTime, LogRecord } from '../../src/records/record.ts'
import { SEVERITY } from '../../src/records/severity.ts'
import { nowHrTime } from '../../src/records/time.ts'
import type { FileLogOptions } from './config.ts'
import { criReader } from './cri.ts'
import { jsonReader } from './json.ts'
import { createOrigins, type Origin } from './origin.ts'
import { textReader } from './text.ts'

/** What one file's lines are read with. It may hold the beginning of a record from one page to the next. */
export interface LineReader {
  read(line: string, offset: number, out: Output): void
  /** Hands on what is held. */
  flush(out: Output): void
  /** Forgets what is held: it will be read again. */
  reset(): void
  /** Where what is held begins, if anything is. */
  readonly heldFrom: number | undefined
}

/** Where a reader puts what it made of a page. */
export interface Output {
  /** A record that begins at `offset`, which the caller may go on to fill. */
  record(body: string, offset: number): LogRecord
  reject(error: string, raw: string, offset: number): void
  /** Bytes of a record that were dropped because it is too long. */
  truncated(bytes: number): void
}

interface FileState {
  readonly reader: LineReader
  ref: FileRef
  origin: Origin
  /** Where the last page ended. */
  end: number
}

const SCOPE = internScope('weir.file_log')
const MAX_RAW = 4096
const READERS = { text: textReader, json: jsonReader, cri: criReader } as const
/** Files whose state is kept in mind; what is forgotten is made anew, at the price of a held record. */
const MAX_FILES = 10_000

export function takePages(options: FileLogOptions, context: Context, intake: Intake): TakePage {
  const origins = createOrigins(options)
  const files = new Map<string, FileState>()
  const cut = createCutWarnings(context)
  const newReader = (): LineReader => READERS[options.format](options)

  const stateOf = (page: Page): FileState => {
    const { file } = page
    const known = files.get(file.id)
    if (known === undefined) {
      const made: FileState = { reader: newReader(), ref: file, origin: origins(file), end: page.start }
      if (files.size >= MAX_FILES) files.delete(files.keys().next().value as string)
      files.set(file.id, made)
      return made
    }
    if (known.ref !== file) {
      known.ref = file
      known.origin = origins(file)
    }
    if (page.start < known.end) known.reader.reset() // Read again, from an earlier place.
    return known
  }

  return async (page, signal) => {
    const state = stateOf(page)
    const { reader } = state
    const output = createOutput(page, state.origin, options, cut)
    if (page.lines.length === 0) reader.flush(output)
    else readLines(page, reader, output)
    state.end = page.end
    const safe = reader.heldFrom
    const { records, letters } = output
    const bytes = Math.max(page.end - page.start, output.bodyBytes)
    const receipt = records.length > 0 ? await intake.admit(records, bytes, signal) : undefined
    const outcome = settle(receipt?.outcome ?? Promise.resolve(DELIVERED), letters, context)
    return safe === undefined ? { outcome } : { outcome, safe }
  }
}

function readLines(page: Page, reader: LineReader, output: Output): void {
  const { lines } = page
  const offsets = page.offsets()
  for (let i = 0; i < lines.length; i++) reader.read(lines[i] as string, offsets[i] as number, output)
}

/** Lines that are none of ours are rejected with the rest of their page, once that needs not be sent again. */
async function settle(delivery: Promise<Outcome>, letters: readonly DeadLetter[], context: Context): Promise<Outcome> {
  const outcome = await delivery
  const [first] = letters
  if (first === undefined || outcome.kind === 'failed') return outcome
  try {
    await context.reject(letters)
    return worse(outcome, { kind: 'rejected', error: new Error(first.error) })
  } catch (error) {
    return { kind: 'failed', error: error as Error }
  }
}

interface PageOutput extends Output {
  readonly records: LogRecord[]
  readonly letters: DeadLetter[]
  readonly bodyBytes: number
}

function createOutput(
  page: Page,
  origin: Origin,
  options: FileLogOptions,
  cut: (path: string, bytes: number) => void,
): PageOutput {
  const observed: HrTime = nowHrTime()
  const records: LogRecord[] = []
  const letters: DeadLetter[] = []
  const { id, path } = page.file
  const withOffset = options.include_file_record_offset
  let bodyBytes = 0
  return {
    records,
    letters,
    get bodyBytes() {
      return bodyBytes
    },
    record(body, offset) {
      bodyBytes += body.length
      const attributes: LogRecord['attributes'] = { ...origin.attributes, 'log.record.uid': `${id}:${offset}` }
      if (withOffset) attributes['log.file.record_offset'] = offset
      const record: LogRecord = {
        hrTime: observed,
        hrTimeObserved: observed,
        eventName: 'log',
        severityNumber: SEVERITY.info,
        severityText: 'INFO',
        body,
        attributes,
        resource: origin.resource,
        instrumentationScope: SCOPE,
        droppedAttributesCount: 0,
      }
      records.push(record)
      return record
    },
    reject: (error, raw, offset) =>
      void letters.push({ reason: 'malformed', error, raw: raw.slice(0, MAX_RAW), source: `${path}:${offset}` }),
    truncated: (bytes) => cut(path, bytes),
  }
}
