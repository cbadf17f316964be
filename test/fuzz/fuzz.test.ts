/** `WEIR_FUZZ_CASES=1000000 WEIR_FUZZ_SEED=7` runs more of it, or the same again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from './fuzz.ts'

const CASES = Number(process.env['WEIR_FUZZ_CASES'] ?? 20_000)
const SEED = process.env['WEIR_FUZZ_SEED']
/** Far above what any case needs, and far below a hang. */
const SLOW_MS = 3000

test(`no decoder breaks on ${CASES} hostile inputs`, { timeout: 180_000 + CASES * 2 }, async (t) => {
  const results = await fuzz(CASES, SEED === undefined ? undefined : Number(SEED))
  for (const { name, cases, slowestMs, failure } of results) {
    t.diagnostic(`${name}: ${cases} cases, the slowest took ${slowestMs.toFixed(1)} ms`)
    assert.equal(failure, undefined, `${name}: ${failure}`)
    assert(slowestMs < SLOW_MS, `${name}: a case took ${slowestMs} ms`)
  }
  assert(results.reduce((total, { cases }) => total + cases, 0) >= CASES)
})
