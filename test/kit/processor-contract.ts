/** The promises every processor makes, run against neighbours that accept, fail, reject and hang. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Subject } from 'rxjs'
import type { ProcessorDefinition } from '../../src/component.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import type { Batch } from '../../src/flow/batch.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { testContext } from './context.ts'
import { definitionContract } from './definition-contract.ts'
import { FAILED, REJECTED } from './outcomes.ts'
import { record, tracked } from './records.ts'

export function processorContract(definition: ProcessorDefinition, makeRecords = defaultRecords): void {
  suite(`processor ${definition.type} keeps the contract`, () => {
    definitionContract(definition)
    for (const [i, example] of definition.examples.entries()) {
      for (const [name, outcome] of [
        ['accepts', DELIVERED],
        ['fails', FAILED],
        ['rejects', REJECTED],
      ] as const) {
        test(`example ${i}: every batch settles exactly once when the neighbour ${name}`, async () => {
          const processor = definition.create(definition.config.parse(example), testContext())
          await processor.start?.(new AbortController().signal)
          const source = new Subject<Batch>()
          const passed = new Set<LogRecord>()
          source.pipe(processor.operator()).subscribe((batch) => {
            for (const one of batch.records) passed.add(one)
            batch.ack.settle(outcome)
          })
          const batches = makeRecords().map((records) => tracked(...records))
          for (const batch of batches) source.next(batch)
          source.complete()
          await processor.stop?.(new AbortController().signal)
          for (const { records, outcomes } of batches) {
            const some = records.some((one) => passed.has(one))
            assert.deepEqual(outcomes, [some ? outcome : DELIVERED])
          }
        })
      }
      test(`example ${i}: nothing settles while the neighbour hangs`, () => {
        const { operator } = definition.create(definition.config.parse(example), testContext())
        const source = new Subject<Batch>()
        const held: Batch[] = []
        source.pipe(operator()).subscribe((batch) => held.push(batch))
        const batches = makeRecords().map((records) => tracked(...records))
        for (const batch of batches) source.next(batch)
        const open = batches.filter(({ outcomes }) => outcomes.length === 0)
        assert.equal(open.length, held.length)
        for (const batch of held) batch.ack.settle(DELIVERED)
        assert(batches.every(({ outcomes }) => outcomes.length === 1))
      })
    }
    test('stopping is safe without a start, and twice', async () => {
      const processor = definition.create(definition.config.parse(definition.examples[0]), testContext())
      await processor.stop?.(new AbortController().signal)
      await processor.stop?.(new AbortController().signal)
    })
  })
}

function defaultRecords(): LogRecord[][] {
  return [[record()], [record({ a: 1 }), record({ b: 'two', 'user.name': 'alice' })], [record({}, { body: '' })]]
}
