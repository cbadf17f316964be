/**
 * What do RxJS, acknowledgements and the budget cost a record?
 *
 *   node --expose-gc bench/micro/flow.ts
 *
 * The same three passes over batches of 512: as plain loops, as our operators without acknowledgements, and through
 * an intake with budget and acknowledgements. The working set fits in cache, so the numbers show overhead, not
 * memory. Never a gate.
 */
import { map, Subject } from 'rxjs'
import { DELIVERED } from '../../src/flow/ack.ts'
import { Budget } from '../../src/flow/budget.ts'
import { coalesce } from '../../src/flow/coalesce.ts'
import { Intake } from '../../src/flow/intake.ts'
import { mapRecords } from '../../src/flow/operators.ts'
import { EMPTY_RESOURCE, internScope } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'

const BATCH = 512
const BATCHES = 32
const ROUNDS = 60
const TOTAL = BATCH * BATCHES * ROUNDS
const scope = internScope('bench')
const batches: LogRecord[][] = Array.from({ length: BATCHES }, (_, b) =>
  Array.from({ length: BATCH }, (_, i) => ({
    hrTime: [1, i],
    hrTimeObserved: [1, i],
    eventName: i % 97 === 0 ? 'log' : 'k8s.audit',
    severityNumber: 9,
    severityText: 'INFO',
    body: 'x',
    attributes: { code: i & 511, batch: b },
    resource: EMPTY_RESOURCE,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
  })),
)

const keepAll = (record: LogRecord): LogRecord => record
const dropSome = (record: LogRecord): LogRecord | undefined => (record.attributes['code'] === 7 ? undefined : record)
const mark = (record: LogRecord): LogRecord => {
  record.attributes['seen'] = true
  return record
}
const passes = [keepAll, dropSome, mark]
const nobody = { filtered: () => {}, lost: () => {} }
const never = new AbortController().signal

async function time(name: string, run: () => unknown): Promise<void> {
  const samples: number[] = []
  for (let i = 0; i < 11; i++) {
    globalThis.gc?.()
    const started = performance.now()
    await run()
    samples.push(performance.now() - started)
  }
  samples.sort((a, b) => a - b)
  const nanos = (ms: number | undefined): string => (((ms ?? 0) * 1e6) / TOTAL).toFixed(1).padStart(7)
  console.log(
    `${name.padEnd(44)} median ${nanos(samples[5])}  best ${nanos(samples[0])}  worst ${nanos(samples[10])} ns/record`,
  )
}

await time('plain loops', () => {
  let count = 0
  for (let round = 0; round < ROUNDS; round++) {
    for (const batch of batches) {
      let records: readonly LogRecord[] = batch
      for (const pass of passes) {
        const kept: LogRecord[] = []
        for (const record of records) {
          const result = pass(record)
          if (result !== undefined) kept.push(result)
        }
        records = kept
      }
      count += records.length
    }
  }
  return count
})

const operators = passes.map((pass) => mapRecords(nobody, pass))

await time('three operators, without acknowledgements', () => {
  const source = new Subject<LogRecord[]>()
  let count = 0
  const ack = { isFinal: false, settle: () => {} }
  source
    .pipe(
      map((records) => ({ records, ack, bytes: 1 })),
      operators[0] as (typeof operators)[number],
      operators[1] as (typeof operators)[number],
      operators[2] as (typeof operators)[number],
    )
    .subscribe(({ records }) => {
      count += records.length
    })
  for (let round = 0; round < ROUNDS; round++) for (const batch of batches) source.next(batch)
  return count
})

await time('intake, three operators, batching, settled', async () => {
  const budget = new Budget(BATCH * 8)
  const intake = new Intake(budget)
  let count = 0
  intake.batches$
    .pipe(
      operators[0] as (typeof operators)[number],
      operators[1] as (typeof operators)[number],
      operators[2] as (typeof operators)[number],
      coalesce({ minRecords: 1000, maxRecords: 0, maxBytes: 1e9, waitMs: 1000, pressure: budget }),
    )
    .subscribe(({ records, ack }) => {
      count += records.length
      ack.settle(DELIVERED)
    })
  for (let round = 0; round < ROUNDS; round++) for (const batch of batches) await intake.admit(batch, BATCH, never)
  return count
})
