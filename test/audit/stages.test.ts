import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStageMemory } from '../../src/audit/stages.ts'
import { decode, event } from './events.ts'

test('the end of a request whose start was told is dropped unless it says something else', () => {
  const watch = (stage: string, code: number): unknown => event({ verb: 'watch', stage, responseStatus: { code } })
  const told = (...events: unknown[]): number => decode(events, { drop_duplicate_stages: true }).records.length
  assert.equal(told(watch('ResponseStarted', 200), watch('ResponseComplete', 200)), 1)
  assert.equal(told(watch('ResponseStarted', 200), watch('ResponseComplete', 500)), 2)
  assert.equal(told(watch('ResponseStarted', 200), watch('Panic', 500)), 2)
  assert.equal(told(watch('ResponseComplete', 200)), 1)
  assert.equal(decode([watch('ResponseStarted', 200), watch('ResponseComplete', 200)]).records.length, 2)
  assert.equal(
    decode([watch('ResponseStarted', 200), watch('ResponseComplete', 200)], { drop_duplicate_stages: true }).filtered
      .duplicate_stage,
    1,
  )
})

test('what is read again is told again', () => {
  const isRepeated = createStageMemory()
  assert.deepEqual(
    ['ResponseStarted', 'ResponseStarted'].map((stage) => isRepeated('a', stage, 200)),
    [false, false],
  )
})

test('past its bound the memory forgets the oldest request', () => {
  const isRepeated = createStageMemory(2)
  for (const id of ['a', 'b', 'c']) isRepeated(id, 'ResponseStarted', 200)
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => isRepeated(id, 'ResponseComplete', 200)),
    [false, true, true],
  )
})
