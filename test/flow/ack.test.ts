import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAck, DELIVERED, forkAck, joinAcks, type Outcome } from '../../src/flow/ack.ts'

const failed: Outcome = { kind: 'failed', error: new Error('down') }
const rejected: Outcome = { kind: 'rejected', error: new Error('bad') }

const forks: { parts: Outcome[]; expected: Outcome }[] = [
  { parts: [DELIVERED, DELIVERED], expected: DELIVERED },
  { parts: [DELIVERED, rejected], expected: rejected },
  { parts: [rejected, DELIVERED], expected: rejected },
  { parts: [rejected, failed, DELIVERED], expected: failed },
  { parts: [failed, rejected], expected: failed },
]

for (const { parts, expected } of forks) {
  test(`${parts.map((part) => part.kind).join(' + ')} is ${expected.kind}`, () => {
    const seen: Outcome[] = []
    const branches = forkAck(
      createAck((outcome) => seen.push(outcome)),
      parts.length,
    )
    for (const [i, part] of parts.entries()) {
      assert.deepEqual(seen, [], 'settled before its last branch')
      branches[i]?.settle(part)
    }
    assert.deepEqual(seen, [expected])
  })
}

test('a joined ack settles every parent once', () => {
  const seen: Outcome[] = []
  const parent = () => createAck((outcome) => seen.push(outcome))
  joinAcks([parent(), parent()]).settle(failed)
  assert.deepEqual(seen, [failed, failed])
})

test('settling twice is a bug', () => {
  const ack = createAck(() => {})
  ack.settle(DELIVERED)
  assert.throws(() => ack.settle(DELIVERED), /settled twice/)
})

test('of two failures the first is reported', () => {
  const seen: Outcome[] = []
  const [a, b] = forkAck(
    createAck((outcome) => seen.push(outcome)),
    2,
  )
  a?.settle(failed)
  b?.settle({ kind: 'failed', error: new Error('also down') })
  assert.deepEqual(seen, [failed])
})
