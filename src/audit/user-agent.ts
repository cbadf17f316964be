/** User agents: repeated endlessly, hence looked at once each. */
import { boundedCache } from '../records/bounded-cache.ts'
import { redactText } from './redact-text.ts'
import { bounded, LIMITS } from './text.ts'

export interface UserAgent {
  /** Bounded, well-formed. */
  readonly original: string
  /** The same without anything that looks like a credential. */
  readonly redacted: string
  /** Product and minor version, for people: `kubectl/v1.31`. */
  readonly short: string
}

/** What is known of a user agent. */
export const userAgentOf = boundedCache<UserAgent>(2048, (text) => {
  const redacted = bounded(redactText(text), LIMITS.agent)
  return { original: bounded(text, LIMITS.agent), redacted, short: shorten(redacted) }
})

/**
 * `kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46` -> `kubectl/v1.31`: the patch level is in `user_agent.original`.
 * `v0.0.0` is client-go's word for "no version", so it goes.
 */
function shorten(agent: string): string {
  const space = agent.indexOf(' ')
  const product = (space < 0 ? agent : agent.slice(0, space)).slice(0, 80)
  const slash = product.indexOf('/')
  if (slash <= 0) return product
  const version = /^v?\d+(?:\.\d+)?/.exec(product.slice(slash + 1))?.[0]
  if (version === undefined) return product
  return version === 'v0.0' || version === '0.0' ? product.slice(0, slash) : `${product.slice(0, slash)}/${version}`
}
