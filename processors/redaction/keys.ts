/** What is to be done with an attribute because of its name: worked out once for each name. */
import { boundedCache } from '../../src/records/bounded-cache.ts'
import { isSecretKey } from '../../src/redaction/detectors.ts'
import { isAnyMatching } from '../../src/redaction/scan.ts'
import type { RedactionConfig } from './config.ts'

export interface KeyRule {
  /** Nothing follows from the name: only the value decides. */
  readonly isPlain: boolean
  readonly isIgnored: boolean
  /** Not among the allowed ones. */
  readonly isRemoved: boolean
  readonly isBlocked: boolean
  /** Credentials are kept under this name. */
  readonly isSecret: boolean
  /** The name without secrets. */
  readonly name: string
}

/** Names that may be remembered; anyone may make up more. */
const KNOWN = 8192

export function createKeyRules(config: RedactionConfig, clean: (name: string) => string): (key: string) => KeyRule {
  const { allow_all_keys, allowed_keys = [], detectors, max_scan_size } = config
  const allowed = new Set([...allowed_keys, ...SUMMARY_KEYS])
  const ignored = new Set(config.ignored_keys)
  const findsPasswords = detectors.includes('password')

  return boundedCache(KNOWN, (key) => {
    const isLong = key.length > max_scan_size
    const isIgnored = ignored.has(key) || (!isLong && isAnyMatching(config.ignored_key_patterns, key))
    const isRemoved = !isIgnored && !allow_all_keys && !allowed.has(key)
    const isBlocked =
      !isIgnored &&
      config.blocked_key_patterns.length > 0 &&
      (isLong || isAnyMatching(config.blocked_key_patterns, key))
    const isSecret = !isIgnored && findsPasswords && isSecretKey(key)
    const name = isIgnored ? key : clean(key)
    const isPlain = !isIgnored && !isRemoved && !isBlocked && !isSecret && name === key
    return { isPlain, isIgnored, isRemoved, isBlocked, isSecret, name }
  })
}

/** The attributes that a redaction processor writes; another one behind it keeps them. */
export const SUMMARY_KEYS: readonly string[] = ['redaction', 'redaction.body'].flatMap((prefix) => [
  ...['redacted', 'masked', 'allowed'].flatMap((what) => [`${prefix}.${what}.keys`, `${prefix}.${what}.count`]),
  `${prefix}.ignored.count`,
])
