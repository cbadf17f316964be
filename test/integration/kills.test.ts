import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKills } from '../kit/kills.ts'

// `npm run test:full` does the same with twenty kills each, and writes down what came of it.
const kills = 4
const load = { kills, linesPerSecond: 5000, lifeMs: [400, 3000] } as const

for (const matchRotated of [false, true]) {
  const patterns = matchRotated ? 'patterns that name rotated files too' : 'patterns that name the growing files alone'
  test(`killed at random while files grow and are renamed, nothing is missing (${patterns})`, {
    timeout: 90_000,
  }, async () => {
    const result = await runKills({ ...load, rotation: 'rename', rotateEveryMs: 1000, matchRotated })
    assert.deepEqual(result.missing, [])
    assert.equal(result.code, 0, result.stderr)
    assert.deepEqual(result.ambiguous, [], 'a line that comes twice comes under one uid')
    assert.equal(result.arrived, result.written)
    assert(result.rotations >= kills && result.written > kills * 1000)
  })
}

test('killed at random while files are copied and truncated, only what nobody could read is missing', {
  timeout: 90_000,
}, async () => {
  const result = await runKills({ ...load, rotation: 'copytruncate', rotateEveryMs: 2500, matchRotated: false })
  assert.deepEqual(result.unexplained, [])
  assert.deepEqual(result.ambiguous, [])
  assert(result.missing.length <= result.truncated)
  assert.equal(result.arrived + result.missing.length, result.written)
  assert(result.rotations >= 2)
})
