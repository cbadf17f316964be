/** Kinds of values that configurations share: durations, sizes, secrets. Each reads text and yields plain numbers. */
import { z } from 'zod'

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/

/** `1m30s` -> 90000. Undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (!DURATION.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit as string] as number)
  }
  return total
}

/**
 * A duration in Go's notation (`200ms`, `1m30s`, also `7d`), in milliseconds once read.
 * A bare number is refused, except 0: the Collector takes it for nanoseconds, which nobody means.
 */
export function duration() {
  return z
    .union([z.string(), z.literal(0)])
    .transform((text, context) => {
      const millis = parseDuration(String(text))
      if (millis !== undefined) return millis
      context.addIssue({
        code: 'custom',
        message: `expected a duration with a unit, such as 500ms, 5s or 1m30s, found "${text}"`,
      })
      return z.NEVER
    })
    .meta({ format: 'duration', type: 'string' })
}

const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i

/** `1MiB` -> 1048576, `1MB` -> 1000000, `512` -> 512. Undefined when the text is not a size. */
export function parseByteSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim())
  if (match === null) return undefined
  const power = ' kmgt'.indexOf((match[2] || ' ').toLowerCase())
  return Math.round(Number(match[1]) * (match[3] ? 1024 : 1000) ** power)
}

/** A number of bytes: plain, or with a unit (`64KiB`, `1MB`). */
export function byteSize() {
  return z
    .union([z.int().nonnegative(), z.string()])
    .transform((value, context) => {
      const bytes = typeof value === 'number' ? value : parseByteSize(value)
      if (bytes !== undefined) return bytes
      context.addIssue({
        code: 'custom',
        message: `expected a size in bytes, such as 65536, 64KiB or 1MB, found "${value}"`,
      })
      return z.NEVER
    })
    .meta({ format: 'byte-size' })
}

/** A string that no log, dump or error message may show. `print-config` prints `[REDACTED]`. */
export function secret() {
  return z.string().meta({ secret: true })
}

/**
 * The id of an extension or a pipeline. It must be configured; an extension's old name becomes its present one, an
 * extension must be listed in `service::extensions`, a pipeline that a connector names must list that connector.
 */
export function reference(to: 'extension' | 'pipeline') {
  return z.string().min(1).meta({ reference: to })
}

/** A glob such as `/var/log/*.log`. Not checked here: whoever matches files knows what it can match. */
export function glob() {
  return z.string().min(1).meta({ format: 'glob' })
}

const WHOLE_FLAGS = /^\(\?([ims]+)\)/
const NAMED_GROUP = /(?<!\\)\(\?P</g

/**
 * JavaScript's expression for a pattern in the syntax of the Collector (Go's RE2) as far as both have it: also
 * `(?P<name>…)`, and flags for the whole at its beginning, such as `(?i)`. Throws when it is none.
 */
export function parseRegex(text: string): RegExp {
  const [lead = '', flags = ''] = WHOLE_FLAGS.exec(text) ?? []
  return new RegExp(text.slice(lead.length).replace(NAMED_GROUP, '(?<'), `u${[...new Set(flags)].join('')}`)
}

/** What `parseRegex` reads as this expression. */
export function formatRegex({ source, flags }: RegExp): string {
  const whole = flags.replaceAll(/[^ims]/g, '')
  return whole === '' ? source : `(?${whole})${source}`
}

/** A pattern, checked when the configuration is read. Yields the compiled expression. */
export function regex() {
  return z
    .string()
    .transform((text, context) => {
      try {
        return parseRegex(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: `not a regular expression: ${(error as Error).message}` })
        return z.NEVER
      }
    })
    .meta({ format: 'regex' })
}
