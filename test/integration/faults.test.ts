import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { FAULTS, obstacle } from '../kit/faults/all.ts'
import { SMALL } from '../kit/faults/fault.ts'

// `npm run test:full` does the same with ten times as much, and writes the table of docs/delivery.md.
suite('nothing is lost', () => {
  for (const fault of FAULTS) {
    test(fault.name, { timeout: 120_000, skip: obstacle(fault) ?? false }, async () => {
      const { missing, reported, records, note } = await fault.run(SMALL)
      assert.equal(missing, 0, note)
      assert(records >= SMALL.records)
      assert(reported < records)
    })
  }
})
