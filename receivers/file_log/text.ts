/** Lines of text: each is a record, or several are joined to one. */
import type { FileLogOptions } from './config.ts'
import type { LineReader, Output } from './take.ts'

export function textReader(options: FileLogOptions): LineReader {
  return options.multiline === undefined ? singleLines(options) : joinedLines(options)
}

type Trim = (text: string) => string

function trimmer(options: FileLogOptions): Trim {
  const { preserve_leading_whitespaces: leading, preserve_trailing_whitespaces: trailing } = options
  if (leading && trailing) return (text) => text
  if (leading) return (text) => text.trimEnd()
  return trailing ? (text) => text.trimStart() : (text) => text.trim()
}

function singleLines(options: FileLogOptions): LineReader {
  const trim = trimmer(options)
  return {
    heldFrom: undefined,
    read(line, offset, out) {
      const body = trim(line)
      if (body !== '') out.record(body, offset) // Empty lines are no records, as in the Collector.
    },
    flush() {},
    reset() {},
  }
}

function joinedLines(options: FileLogOptions): LineReader {
  const { line_start_pattern: start, line_end_pattern: end, omit_pattern: isOmitted } = options.multiline ?? {}
  const begins = start && new RegExp(`^(?:${start.source})`, start.flags)
  const trim = trimmer(options)
  const isTruncating = options.max_log_size_behavior === 'truncate'
  let held: string[] = []
  let heldBytes = 0
  let from: number | undefined

  const reset = (): void => {
    held = []
    heldBytes = 0
    from = undefined
  }
  const flush = (out: Output): void => {
    const body = trim(held.join('\n'))
    if (from !== undefined && body !== '') out.record(body, from)
    reset()
  }
  const hold = (line: string, offset: number, out: Output): void => {
    const bytes = Buffer.byteLength(line) + 1
    if (from !== undefined && heldBytes + bytes > options.max_log_size) {
      if (isTruncating) {
        out.truncated(bytes)
        return
      }
      flush(out)
    }
    from ??= offset
    held.push(line)
    heldBytes += bytes
  }
  return {
    get heldFrom() {
      return from
    },
    read(line, offset, out) {
      const begun = begins?.exec(line)
      if (begun) flush(out)
      const ended = end?.exec(line)
      const match = isOmitted ? (begun ?? ended) : undefined
      const text = match ? line.slice(0, match.index) + line.slice(match.index + match[0].length) : line
      hold(text, offset, out)
      if (ended) flush(out)
    },
    flush,
    reset,
  }
}
