/** Shows values in messages and dumps without giving away what is secret. */
import type { Node } from './node.ts'

export const REDACTED = '[REDACTED]'

const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s@]+@/gi
const QUERY_SECRET = /([?&][\w.-]*(?:token|key|secret|sig|signature|password|auth)[\w.-]*=)[^&#\s]+/gi

/** Hides the user and password of a URL, and parameters that sound secret. */
export function redactUrls(text: string): string {
  if (!text.includes('://')) return text
  return text.replaceAll(USERINFO, `$1${REDACTED}@`).replaceAll(QUERY_SECRET, `$1${REDACTED}`)
}

const MAX_SHOWN = 60

/** `"abc"`, `5`, `a list`: what was found, for people. A secret is named by its kind alone. */
export function shown(node: Node | undefined, isSecret: boolean): string {
  if (node === undefined || node.kind === 'broken') return 'nothing'
  const from = node.via === undefined ? '' : ` (from ${node.via})`
  if (node.kind !== 'scalar') return `${node.kind === 'map' ? 'a map' : 'a list'}${from}`
  const { value } = node
  if (value === null) return nothing(node)
  if (isSecret || node.hidden) return `a ${typeof value}${from}`
  return `${quoted(value)}${from}`
}

function nothing({ via, text }: Node): string {
  if (via === undefined) return 'nothing'
  return `nothing, because ${via} is ${text === undefined ? 'not set' : 'empty'}`
}

function quoted(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(cut(redactUrls(value)))
}

/** The beginning of a text. A quote that is not closed makes a value of half a file. */
export function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** Removes secrets from a sentence that somebody else wrote. */
export function withoutSecrets(message: string, secrets: Iterable<string>): string {
  let result = redactUrls(message)
  for (const secret of secrets) if (secret.length > 2) result = result.replaceAll(secret, REDACTED)
  return result
}
