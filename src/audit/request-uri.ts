/** The request URI: its path, what its query asks for, and both without credentials. */
import { boundedCache } from '../records/bounded-cache.ts'
import { isSensitiveName, REDACTED, redactArguments, redactText } from './redact-text.ts'
import { bounded, LIMITS } from './text.ts'

const MAX_PARAMETERS = 64
const MAX_VALUE = 512
// Parameters worth taking apart: by name, or because the name itself is written in escapes.
const SENSITIVE_QUERY = /token|secret|passw|pwd|key|sig|auth|cred|jwt|code|command=|(?:^|&)[^=&]{0,64}%/i
// The same few queries (`timeout=10s`) come again and again.
const needsRedaction = boundedCache<boolean>(1024, (query) => SENSITIVE_QUERY.test(query), 64)

export interface RequestUri {
  /** As the client sent it, bounded and redacted. */
  readonly text: string
  /** The part before the query, bounded and redacted, still in escapes. */
  readonly path: string
  /** The part after `?`, as sent; empty without one. For `queryValues` alone: it is not redacted. */
  readonly query: string
}

/** Takes a request URI apart. `redact: false` keeps credentials. */
export function readRequestUri(sent: string, redact: boolean): RequestUri {
  // Twice what is kept: what redaction shortens may make room for what follows.
  const uri = sent.length > 2 * LIMITS.uri ? bounded(sent, 2 * LIMITS.uri) : sent
  const mark = uri.indexOf('?')
  if (mark < 0) {
    const path = bounded(redact ? redactText(uri) : uri, LIMITS.uri)
    return { text: path, path, query: '' }
  }
  const query = uri.slice(mark + 1)
  const path = uri.slice(0, mark)
  if (!redact) return { text: bounded(uri, LIMITS.uri), path: bounded(path, LIMITS.uri), query }
  const shownQuery = needsRedaction(query) ? redactQuery(query) : query
  return {
    text: bounded(redactText(`${path}?${shownQuery}`), LIMITS.uri),
    path: bounded(redactText(path), LIMITS.uri),
    query,
  }
}

/** A whole URI without credentials, for the raw form of an event. */
export function redactUri(uri: string): string {
  return readRequestUri(uri, true).text
}

/** Every value of one query parameter, decoded, at most `most`. */
export function queryValues(query: string, name: string, most: number): string[] {
  const values: string[] = []
  if (!query.includes(`${name}=`)) return values
  for (const parameter of query.split('&', MAX_PARAMETERS)) {
    if (values.length >= most) break
    if (parameter.startsWith(`${name}=`)) values.push(bounded(decode(parameter.slice(name.length + 1)), MAX_VALUE))
  }
  return values
}

/** What stands between `%` escapes and `+`, or the text as it is where the escapes are broken. */
export function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function redactQuery(query: string): string {
  const parameters = query.split('&')
  const command: string[] = []
  const names = parameters.map((parameter) => {
    const equals = parameter.indexOf('=')
    const name = decode(equals < 0 ? parameter : parameter.slice(0, equals))
    if (name === 'command' && equals >= 0) command.push(decode(parameter.slice(equals + 1)))
    return name
  })
  const hidden = redactArguments(command)
  let at = 0
  return parameters
    .map((parameter, i) => {
      const name = names[i] as string
      const equals = parameter.indexOf('=')
      if (equals < 0) return parameter
      if (name === 'command') return redactCommand(parameter, command[at] as string, hidden[at++] as string)
      if (isSensitiveName(name)) return `${parameter.slice(0, equals)}=${REDACTED}`
      const value = decode(parameter.slice(equals + 1))
      const clean = redactText(value)
      return clean === value ? parameter : `${parameter.slice(0, equals)}=${encode(clean)}`
    })
    .join('&')
}

function redactCommand(parameter: string, word: string, hidden: string): string {
  return word === hidden ? parameter : `command=${hidden === REDACTED ? REDACTED : encode(hidden)}`
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(encodeURIComponent(REDACTED), REDACTED)
}
