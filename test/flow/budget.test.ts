import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../../src/flow/budget.ts'

const never = new AbortController().signal

test('waiters are served in order, large before small', async () => {
  const budget = new Budget(10)
  assert(budget.tryReserve(6))
  const order: string[] = []
  const large = budget.reserve(8, never).then(() => order.push('large'))
  const small = budget.reserve(2, never).then(() => order.push('small'))
  assert.equal(budget.tryReserve(1), false, 'there is room for one, but not a turn')
  budget.release(6)
  await Promise.all([large, small])
  assert.deepEqual(order, ['large', 'small'])
  assert.equal(budget.used, 10)
})

test('an oversized batch is admitted alone', async () => {
  const budget = new Budget(10)
  await budget.reserve(50, never)
  assert.equal(budget.tryReserve(1), false)
  budget.release(50)
  assert(budget.tryReserve(1))
})

test('an aborted waiter lets the next one in', async () => {
  const budget = new Budget(10)
  await budget.reserve(6, never)
  const impatient = new AbortController()
  const large = budget.reserve(9, impatient.signal)
  const small = budget.reserve(4, never)
  impatient.abort(new Error('shutdown'))
  await assert.rejects(large, /shutdown/)
  await small
  assert.equal(budget.used, 10)
})

test('an abort in the turn of the admission neither loses the room nor lets it out twice', async () => {
  const budget = new Budget(10)
  await budget.reserve(10, never)
  const controller = new AbortController()
  const waiting = budget.reserve(4, controller.signal)
  budget.release(10)
  controller.abort(new Error('late'))
  await waiting
  assert.equal(budget.used, 4)
  assert.equal(budget.isStarved, false)
})

test('a wait with a signal that has aborted already takes nothing', async () => {
  const budget = new Budget(10)
  await assert.rejects(budget.reserve(1, AbortSignal.abort(new Error('over'))), /over/)
  assert.equal(budget.used, 0)
})
