/** The expressions of the configuration. They may be costly, so they see a bounded part of a value. */
import { isAnyMatching } from '../../src/redaction/scan.ts'

export interface Blocked {
  /** Says whether `allowed_values` spares a text. */
  isAllowed(text: string): boolean
  /** The text with what `blocked_values` matches masked, and what lies beyond `maxScan` characters as a whole. */
  block(text: string): string
}

export interface BlockedOptions {
  readonly blocked: readonly RegExp[]
  readonly allowed: readonly RegExp[]
  readonly maxScan: number
  mask(secret: string): string
  found(rule: string): void
}

export function createBlocked({ blocked, allowed, maxScan, mask, found }: BlockedOptions): Blocked {
  const everywhere = blocked.map((pattern) => new RegExp(pattern.source, `${pattern.flags}g`))
  const hide = (match: string): string => {
    if (match === '') return '' // An expression that matches nothing at all masks nothing.
    found('blocked_values')
    return mask(match)
  }
  return {
    isAllowed: (text) => allowed.length > 0 && text.length <= maxScan && isAnyMatching(allowed, text),
    block(text) {
      if (everywhere.length === 0) return text
      const isLong = text.length > maxScan
      let clean = isLong ? text.slice(0, maxScan).toWellFormed() : text
      for (const pattern of everywhere) clean = clean.replace(pattern, hide)
      if (!isLong) return clean
      found('max_scan_size')
      return `${clean}[REDACTED:unscanned]`
    },
  }
}
