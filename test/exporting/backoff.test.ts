import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '../../src/exporting/backoff.ts'

const full = { initial_interval: 1000, max_interval: 30_000, multiplier: 2, randomization_factor: 1 }

const cases = [
  { name: 'full jitter reaches up to the interval', attempt: 0, random: 1, ms: 1000 },
  { name: 'full jitter halves it in the middle', attempt: 0, random: 0.5, ms: 500 },
  { name: 'jitter never comes out at nothing', attempt: 3, random: 0, ms: 100 },
  { name: 'the interval doubles', attempt: 3, random: 1, ms: 8000 },
  { name: 'the interval ends at its maximum', attempt: 10, random: 1, ms: 30_000 },
  { name: 'a thousand attempts overflow nothing', attempt: 1000, random: 1, ms: 30_000 },
  { name: "a server's wish is a lower bound", attempt: 0, random: 1, retryAfter: 5000, ms: 5000 },
  { name: "a server's wish below the backoff shortens nothing", attempt: 3, random: 1, retryAfter: 10, ms: 8000 },
  { name: "a server's wish may exceed the maximum", attempt: 0, random: 0, retryAfter: 120_000, ms: 120_000 },
] as const

for (const { name, attempt, random, ms, ...rest } of cases) {
  test(name, () => {
    assert.equal(backoffMs(full, attempt, 'retryAfter' in rest ? rest.retryAfter : 0, random), ms)
  })
}

test('a smaller factor keeps a part of the interval fixed', () => {
  const half = { ...full, randomization_factor: 0.5 }
  assert.equal(backoffMs(half, 0, 0, 0), 500)
  assert.equal(backoffMs(half, 0, 0, 1), 1000)
  assert.equal(backoffMs({ ...full, randomization_factor: 0 }, 1, 0, 0.3), 2000)
})

test('waits are spread over the whole interval', () => {
  const waits = Array.from({ length: 2000 }, () => backoffMs(full, 4))
  assert(Math.min(...waits) < 2000 && Math.max(...waits) > 14_000)
  const mean = waits.reduce((total, ms) => total + ms, 0) / waits.length
  assert(mean > 7000 && mean < 9000, `mean ${mean}`)
})
