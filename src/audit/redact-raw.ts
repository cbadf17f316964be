/**
 * What may be kept of a line that is no audit event, for the dead-letter file. Nothing is known of its structure, so
 * this errs on the side of too little: the beginning tells which event it was, the rest is not worth a secret.
 */

import { redactValue } from './redact-object.ts'
import { isSensitiveName, REDACTED, redactText } from './redact-text.ts'
import { bounded } from './text.ts'

const MAX_RAW = 4096
/** Everything from here on may be an API object that nobody can parse. */
const BODY = /"(?:requestObject|responseObject|data|stringData|binaryData|spec|status)"\s*:/i

/** The line as text, bounded and without secrets. */
export function redactRaw(line: string): string {
  const parsed = parse(line)
  if (parsed !== undefined) return bounded(stringify(redactValue(parsed, mentionsSecrets(line))), MAX_RAW)
  const head = line.slice(0, 4 * MAX_RAW)
  const start = head.trimStart()
  // A line that starts in the middle of an object has lost the names of what it holds.
  if (!start.startsWith('{') && /":\s*["{[]/.test(head)) return bounded(maskValues(head), MAX_RAW)
  const body = BODY.exec(head)
  const kept = body === null ? head : `${head.slice(0, body.index)}[${line.length - body.index} more]`
  return bounded(redactText(maskSensitive(kept)), MAX_RAW)
}

/** A bounded line, with its secrets: for those who asked for them. */
export function boundedRaw(line: string): string {
  return bounded(line, MAX_RAW)
}

function mentionsSecrets(line: string): boolean {
  return /"resource"\s*:\s*"secrets"/.test(line)
}

function parse(line: string): unknown {
  try {
    const value = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return REDACTED // Deeper than the stack.
  }
}

const MEMBER = /"([^"\\]{1,64})"\s*:\s*"(?:[^"\\]|\\.)*"?/g

function maskSensitive(text: string): string {
  return text.replace(MEMBER, (whole, name: string) => (isSensitiveName(name) ? `"${name}":"${REDACTED}"` : whole))
}

const WORD = /[^\s{}[\],:"]{3,}/g

/** Nobody knows where a string begins and ends here, so every word goes that is not the name of a member. */
function maskValues(text: string): string {
  return text.replace(WORD, (word, at: number) => (text.startsWith('":', at + word.length) ? word : REDACTED))
}
