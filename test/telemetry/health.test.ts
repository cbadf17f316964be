import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthBoard } from '../../src/telemetry/health.ts'

test('a change is news; the same again is not', () => {
  const board = new HealthBoard()
  assert.equal(board.report('exporter:a', 'ok'), true)
  assert.equal(board.report('exporter:a', 'ok'), false)
  assert.equal(board.report('exporter:a', 'recoverable', '503'), true)
  assert.equal(board.report('exporter:a', 'recoverable', '503'), false)
  assert.equal(board.report('exporter:a', 'recoverable', '502'), true)
  assert.equal(board.report('exporter:a', 'ok'), true)
})

test('a new reason does not restart the time for which a component is unhealthy', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1000 })
  const board = new HealthBoard()
  board.report('exporter:a', 'recoverable', '503')
  t.mock.timers.tick(500)
  board.report('exporter:a', 'recoverable', '502')
  assert.deepEqual(board.components.get('exporter:a'), { status: 'recoverable', reason: '502', since: 1000 })
  board.report('exporter:a', 'permanent', '401')
  assert.equal(board.components.get('exporter:a')?.since, 1500)
})

test('what is gone is not shown', () => {
  const board = new HealthBoard()
  board.report('exporter:a', 'permanent', 'x')
  board.forget('exporter:a')
  assert.equal(board.components.size, 0)
})
