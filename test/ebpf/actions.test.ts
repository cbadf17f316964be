/** Everything of the table of actions, done for real on this machine's kernel. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ACTIONS } from './actions/table.ts'
import { printHooks, printOutcomes } from './kit/report.ts'
import { type Report, runActions } from './kit/run-actions.ts'
import { noSensor } from './kit/sensor.ts'

/** System calls of 32-bit programs and refused ones are watched on request only. */
const EVERYTHING = '{raw_syscalls: true}'

suite("actions on this machine's kernel", { skip: noSensor() }, () => {
  let report: Report
  before(async () => {
    report = await runActions({ receiver: EVERYTHING })
  })
  after(() => {
    console.log(printHooks([report]))
    console.log(printOutcomes(report))
  })

  for (const { id, title } of ACTIONS) {
    test(`${id}: ${title}`, () => {
      const outcome = report.outcomes.find(({ action }) => action === id)
      assert(outcome !== undefined && outcome.found.length > 0, 'it left nothing that was expected')
      assert.deepEqual(outcome.problems, [])
    })
  }

  test('the container is known from its first program, Weir does not see itself, and nothing is lost', () => {
    assert.deepEqual(report.general, [])
  })
})
