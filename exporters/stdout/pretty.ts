/** A record as one line for a person: when, how bad, what, and the sentence. */
import { isFinding } from '../../src/records/event-names.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { severityName } from '../../src/records/severity.ts'
import { hrTimeToRfc3339 } from '../../src/records/time.ts'

const RESET = '\u001b[0m'
const DIM = '\u001b[2m'
const FINDING = '\u001b[1;37;41m'
const CYAN = '\u001b[36m'
const BY_SEVERITY = ['', '\u001b[2m', '\u001b[2m', '\u001b[32m', '\u001b[33m', '\u001b[31m', '\u001b[1;31m'] as const

/** Ends in a newline. Control characters of events are shown, never sent to the terminal. */
export function prettyLine(record: LogRecord, coloured: boolean): string {
  const time = hrTimeToRfc3339(record.hrTime).slice(0, 23).replace('T', ' ')
  const severity = severityName(record.severityNumber).padEnd(6)
  const name = record.eventName.padEnd(18)
  const text = visible(typeof record.body === 'string' ? record.body : (JSON.stringify(record.body) ?? ''))
  if (!coloured) return `${time}  ${severity}  ${isFinding(record.eventName) ? '! ' : '  '}${name}  ${text}\n`
  const tone = BY_SEVERITY[Math.ceil(record.severityNumber / 4)] ?? ''
  const sentence = isFinding(record.eventName) ? `${FINDING} ${text} ${RESET}` : text
  return `${DIM}${time}${RESET}  ${tone}${severity}${RESET}    ${CYAN}${name}${RESET}  ${sentence}\n`
}

/** Newlines and control characters in escaped form: an event must not draw on the terminal or forge a line. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escaped)
}

/** The same JSON, with escapes for what JSON lets pass and a terminal obeys. */
export function harmless(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escaped)
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
