import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../../src/flow/budget.ts'
import { ALWAYS_OPEN, allOpen, Door } from '../../src/flow/gate.ts'
import { Intake } from '../../src/flow/intake.ts'
import { record } from '../kit/records.ts'

const never = new AbortController().signal

test('whoever waits at a shut door goes on when it opens', async () => {
  const door = new Door()
  await door.whenOpen(never)
  door.shut()
  let isIn = false
  const waiting = door.whenOpen(never).then(() => {
    isIn = true
  })
  await new Promise(setImmediate)
  assert.deepEqual([door.isOpen, isIn], [false, false])
  door.open()
  await waiting
  assert(isIn)
})

test('an abort ends the wait with its reason', async () => {
  const door = new Door()
  door.shut()
  const stop = new AbortController()
  const waiting = door.whenOpen(stop.signal)
  stop.abort(new Error('shutdown'))
  await assert.rejects(waiting, /shutdown/)
})

test('several gates are open when all are', async () => {
  const [a, b] = [new Door(), new Door()]
  const both = allOpen([a, b])
  a.shut()
  b.shut()
  let isIn = false
  const waiting = both.whenOpen(never).then(() => {
    isIn = true
  })
  a.open()
  await new Promise(setImmediate)
  assert.deepEqual([both.isOpen, isIn], [false, false])
  b.open()
  await waiting
  assert(both.isOpen)
  assert.equal(allOpen([]), ALWAYS_OPEN)
})

test('a shut gate holds up who can wait, and turns away who cannot', async () => {
  const door = new Door()
  const intake = new Intake(new Budget(1000), { gate: door })
  intake.batches$.subscribe(({ ack }) => ack.settle({ kind: 'delivered' }))
  door.shut()
  assert.equal(intake.isOpen, false)
  assert.equal(intake.tryAdmit([record()], 10), undefined)
  const admitted = intake.admit([record()], 10, never)
  door.open()
  assert.equal((await (await admitted).outcome).kind, 'delivered')
  assert(intake.tryAdmit([record()], 10))
})

test('room can be taken before there are records, corrected, used or given back', async () => {
  const budget = new Budget(100)
  const intake = new Intake(budget, { isFinal: true })
  const finals: boolean[] = []
  intake.batches$.subscribe(({ ack }) => {
    finals.push(ack.isFinal)
    ack.settle({ kind: 'delivered' })
  })
  const room = await intake.reserve(60, never)
  room.resize(90)
  assert.equal(budget.used, 90)
  await assert.rejects(intake.reserve(20, AbortSignal.timeout(5)))
  room.release()
  room.release()
  assert.equal(budget.used, 0)
  const other = await intake.reserve(60, never)
  assert.equal((await other.admit([record()]).outcome).kind, 'delivered')
  other.release()
  assert.equal(budget.used, 0)
  assert.deepEqual(finals, [true])
  assert.throws(() => other.admit([record()]), /used twice/)
})
