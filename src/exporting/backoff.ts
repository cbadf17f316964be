/** Exponential backoff with jitter (the Collector's keys; "full jitter" where the factor is 1). */

export interface BackoffSettings {
  readonly initial_interval: number
  readonly max_interval: number
  readonly multiplier: number
  readonly randomization_factor: number
}

/** Milliseconds to wait before retry number `attempt` (0 first). A server's own wish is a lower bound. */
export function backoffMs(
  settings: BackoffSettings,
  attempt: number,
  retryAfterMs = 0,
  random = Math.random(),
): number {
  const { initial_interval, max_interval, multiplier, randomization_factor } = settings
  const grown = Math.min(max_interval, initial_interval * multiplier ** Math.min(attempt, 64))
  const jittered = grown * (1 - randomization_factor) + grown * randomization_factor * random
  // Full jitter may come out at nothing: a floor keeps a dead destination from being hammered.
  return Math.max(jittered, initial_interval / 10, retryAfterMs)
}
