/**
 * Lines that container runtimes write, one stream at a time, long ones in parts.
 *
 * CRI (containerd, CRI-O; kubernetes/design-proposals, "CRI: log management"):
 *   `<RFC 3339 time with nanoseconds> <stdout|stderr> <P|F>[:more tags] <text>`, where P is a part and F the last one.
 * docker json-file: `{"log":"<text>","stream":"stdout","time":"<RFC 3339>"}`, where a part's text has no line end.
 */
import type { HrTime } from '../../src/records/record.ts'
import type { FileLogOptions } from './config.ts'
import type { LineReader, Output } from './take.ts'
import { isWrittenAsTime, parseTime } from './time.ts'

const MAX_TIME = 64

interface Piece {
  readonly stream: Stream
  readonly time: Time
  readonly text: string
  readonly isLast: boolean
}

/** The text of one that no record can have. */
type Time = HrTime | string

type Stream = 'stdout' | 'stderr'

/** A record whose last part has not come. */
interface Open {
  readonly from: number
  readonly time: Time
  text: string
}

export function criReader(options: FileLogOptions): LineReader {
  const { max_log_size: max, max_log_size_behavior: behavior } = options
  const open = new Map<Stream, Open>()

  const emit = (stream: Stream, { text, from, time }: Open, out: Output): void => {
    const record = out.record(text, from)
    if (typeof time === 'string') record.attributes['log.time.original'] = time
    else record.hrTime = time
    record.attributes['log.iostream'] = stream
  }
  const add = (piece: Piece, offset: number, out: Output): void => {
    const { stream, time, text } = piece
    let record = open.get(stream)
    const isTooLong = record !== undefined && record.text.length + text.length > max
    if (record !== undefined && isTooLong && behavior === 'split') {
      emit(stream, record, out)
      record = undefined
    }
    if (record === undefined) record = { from: offset, time, text }
    else if (isTooLong) out.truncated(Buffer.byteLength(text))
    else record.text += text
    if (piece.isLast) {
      open.delete(stream)
      emit(stream, record, out)
    } else open.set(stream, record)
  }
  return {
    get heldFrom() {
      if (open.size === 0) return undefined
      return Math.min(...[...open.values()].map(({ from }) => from))
    },
    read(line, offset, out) {
      if (line === '') return
      const piece = line.charCodeAt(0) === 123 ? parseDocker(line) : parseCri(line)
      if (typeof piece === 'string') out.reject(piece, line, offset)
      else if (piece.isLast && open.size === 0)
        emit(piece.stream, { text: piece.text, from: offset, time: piece.time }, out)
      else add(piece, offset, out)
    },
    flush(out) {
      for (const [stream, record] of open) emit(stream, record, out)
      open.clear()
    },
    reset: () => open.clear(),
  }
}

/** Returns what is wrong with the line where it is none. */
function parseCri(line: string): Piece | string {
  const first = line.indexOf(' ')
  const second = line.indexOf(' ', first + 1)
  if (first < 0 || second < 0) return 'not a CRI line: expected a time, a stream, a tag and a text'
  const stream = line.slice(first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return 'not a CRI line: the stream is neither stdout nor stderr'
  const tag = line.charCodeAt(second + 1)
  if (tag !== 70 && tag !== 80) return 'not a CRI line: the tag is neither F nor P'
  const time = timeOf(line.slice(0, first))
  if (time === undefined) return 'not a CRI line: it does not begin with an RFC 3339 time'
  const third = line.indexOf(' ', second + 1)
  return { stream, time, text: third < 0 ? '' : line.slice(third + 1), isLast: tag === 70 }
}

function timeOf(text: string): Time | undefined {
  return parseTime(text) ?? (text.length <= MAX_TIME && isWrittenAsTime(text) ? text : undefined)
}

function parseDocker(line: string): Piece | string {
  let parsed: { log?: unknown; stream?: unknown; time?: unknown }
  try {
    parsed = JSON.parse(line) as typeof parsed
  } catch (error) {
    return `not a docker json-file line: ${(error as Error).message}`
  }
  const { log, stream } = parsed
  const time = typeof parsed.time === 'string' ? timeOf(parsed.time) : undefined
  if (typeof log !== 'string' || (stream !== 'stdout' && stream !== 'stderr') || time === undefined) {
    return 'not a docker json-file line: expected the keys log, stream and time'
  }
  const isLast = log.endsWith('\n')
  const text = isLast ? log.slice(0, log.endsWith('\r\n') ? -2 : -1) : log
  return { stream, time, text: text.toWellFormed(), isLast }
}
