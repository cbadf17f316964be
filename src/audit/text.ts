/** What is done to every string that a request may have supplied, before it becomes part of a record. */

/** Most characters of an attribute, by what it holds. */
export const LIMITS = {
  name: 512,
  agent: 1024,
  uri: 4096,
  message: 2048,
  value: 2048,
  body: 1024,
  raw: 1_048_576,
} as const

/** A well-formed string of at most `max` characters and a mark that says how many were cut. */
export function bounded(text: string, max: number): string {
  return text.length <= max ? text.toWellFormed() : cut(text, max)
}

/** The same for a value that may be anything; undefined unless it is a string with something in it. */
export function boundedText(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value !== '' ? bounded(value, max) : undefined
}

/** A name as a sentence can bear it. */
export function short(text: string): string {
  return text.length <= 256 ? text : `${text.slice(0, 256)}…`
}

function cut(text: string, max: number): string {
  return `${text.slice(0, max).toWellFormed()}…[${text.length - max} more]`
}
