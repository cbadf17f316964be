/** What each answer leads to, per document and per request, with exact counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { Delivery } from '../../../src/exporting/deliver.ts'
import {
  HoldError,
  PartialError,
  RejectedError,
  RetryLaterError,
  TooLargeError,
} from '../../../src/exporting/errors.ts'
import { settingsOf } from '../../../src/exporting/settings.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import type { Fault, ItemFault, StoredDocument } from '../../kit/bulk-server.ts'
import { testContext } from '../../kit/context.ts'
import { record } from '../../kit/records.ts'
import { never, preparedServer, withServer } from './kit.ts'

const some = (count: number): LogRecord[] =>
  Array.from({ length: count }, (_, id) =>
    record({ id, 'log.record.uid': `uid-${id}` }, { hrTime: [1_700_000_000, id] }),
  )

/** What the exporter throws when documents of a request meet these answers; the others are created. */
async function partial(answers: Record<number, ItemFault>, config: object = {}) {
  const result: { error?: PartialError; counts: Record<string, number>; stored: number } = { counts: {}, stored: 0 }
  await withServer(config, async ({ server, context, send }) => {
    server.faults.push({ kind: 'items', answer: (i) => answers[i] })
    await send(some(6)).catch((error) => {
      assert(error instanceof PartialError, String(error))
      result.error = error
    })
    result.counts = context.counts
    result.stored = server.documents.length
  })
  return result
}

const ids = (records: readonly LogRecord[] = []): unknown[] => records.map(({ attributes }) => attributes['id'])

test('documents that the server has no time for are sent again, they alone', async () => {
  const busy = {
    status: 429,
    type: 'es_rejected_execution_exception',
    reason: 'rejected execution of coordinating operation',
  }
  const { error, stored } = await partial({ 1: busy, 4: { status: 503, type: 'unavailable_shards_exception' } })
  assert.deepEqual([ids(error?.retry), error?.rejected, stored], [[1, 4], [], 4])
  assert(error?.why instanceof RetryLaterError)
  assert.match(error.message, /429 es_rejected_execution_exception: rejected execution/)
})

test('documents that do not fit are refused with type and reason, they alone', async () => {
  const { error } = await partial({
    0: { status: 400, type: 'document_parsing_exception', reason: '[1:200] failed to parse field [process.pid]' },
    3: { status: 400, type: 'strict_dynamic_mapping_exception', reason: 'mapping set to strict' },
    5: { status: 400, type: 'made_up_by_the_server', reason: 'who knows' },
  })
  assert.deepEqual(error?.retry, [])
  assert.deepEqual(
    error?.rejected.map(({ record: one, reason, error: why }) => [one.attributes['id'], reason, why]),
    [
      [0, 'document_parsing_exception', '400 document_parsing_exception: [1:200] failed to parse field [process.pid]'],
      [3, 'strict_dynamic_mapping_exception', '400 strict_dynamic_mapping_exception: mapping set to strict'],
      [5, 'document_refused', '400 made_up_by_the_server: who knows'],
    ],
  )
})

test('what is there already is delivered, and counted as such', () =>
  withServer({}, async ({ server, context, send }) => {
    await send(some(5))
    await send(some(8))
    assert.equal(server.documents.length, 8)
    assert.equal(context.counts['weir_exporter_deduplicated_records'], 5)
  }))

test('after a rollover the same record is stored twice: ids are those of one backing index', () =>
  withServer({}, async ({ server, send }) => {
    await send(some(2))
    server.rollOver('logs-weir.log-default')
    await send(some(2))
    assert.equal(server.documents.length, 4)
  }))

test('without dedupe the server chooses the ids', () =>
  withServer({ dedupe: false }, async ({ server, send }) => {
    await send(some(3))
    await send(some(3))
    assert.equal(server.documents.length, 6)
  }))

test('documents in the failure store are delivered and counted apart', async () => {
  const failed = { status: 400, type: 'document_parsing_exception', failureStore: 'failed' as const }
  const { error, counts } = await partial({ 1: { status: 201, failureStore: 'used' }, 2: failed })
  assert.equal(error?.rejected.length, 1)
  assert.equal(counts['weir_elasticsearch_failure_store'], 2)
  const used = await partial({ 1: { status: 201, failureStore: 'used' } })
  assert.deepEqual([used.error, used.counts['weir_elasticsearch_failure_store']], [undefined, 1])
})

const held: [string, ItemFault][] = [
  ['a missing index', { status: 404, type: 'index_not_found_exception' }],
  ['a missing privilege', { status: 403, type: 'security_exception' }],
  [
    'a block on the cluster',
    { status: 403, type: 'cluster_block_exception', reason: 'index read-only / allow delete (api)' },
  ],
  [
    'a missing pipeline',
    { status: 400, type: 'illegal_argument_exception', reason: 'pipeline with id [x] does not exist' },
  ],
  ['a closed index', { status: 400, type: 'index_closed_exception' }],
]
for (const [name, fault] of held) {
  test(`${name} holds the documents it concerns, and not those that were taken`, async () => {
    const { error, stored } = await partial({ 2: { status: 429 }, 3: fault, 4: fault })
    assert(error?.why instanceof HoldError)
    assert.deepEqual([ids(error.retry), error.rejected.length, stored], [[2, 3, 4], 0, 3])
  })
}

test('words of a document in a reason hold nothing up', async () => {
  const reason = "failed to parse field [x]: 'index_closed_exception pipeline with id [x] does not exist, closed'"
  const { error } = await partial({ 0: { status: 400, type: 'document_parsing_exception', reason } })
  assert.deepEqual([error?.retry.length, error?.rejected.length, error?.why], [0, 1, undefined])
})

const whole: [number, new (...args: never[]) => Error, object][] = [
  [400, RejectedError, { bisect: true, reason: 'http_400' }],
  [401, HoldError, {}],
  [403, HoldError, {}],
  [404, HoldError, {}],
  [406, HoldError, {}],
  [302, HoldError, {}],
  [408, RetryLaterError, {}],
  [413, TooLargeError, {}],
  [429, RetryLaterError, { retryAfterMs: 7000 }],
  [500, RetryLaterError, {}],
  [502, RetryLaterError, {}],
  [503, RetryLaterError, { retryAfterMs: 7000 }],
  [504, RetryLaterError, {}],
]
for (const [status, type, more] of whole) {
  test(`the answer ${status} is a ${type.name} that says so`, () =>
    withServer({}, async ({ server, error }) => {
      const body = { error: { type: 'some_exception', reason: 'because' }, status }
      server.always = { kind: 'status', status, body, headers: { 'retry-after': '7' } }
      const thrown = await error(some(2))
      assert(thrown instanceof type, String(thrown))
      assert.match(thrown.message, new RegExp(`${status}: some_exception: because`))
      for (const [key, value] of Object.entries(more)) assert.equal((thrown as never)[key], value)
    }))
}

const garbage: [string, string][] = [
  ['a page', '<html>ok</html>'],
  ['nothing', ''],
  ['another answer', '{"acknowledged":true}'],
  ['too few items', '{"errors":false,"items":[{"create":{"status":201}}]}'],
  ['too many items', `{"errors":false,"items":[${Array(4).fill('{"create":{"status":201}}')}]}`],
  ['items without a status', `{"errors":false,"items":[${Array(3).fill('{"create":{}}')}]}`],
  ['items that are none', '{"errors":false,"items":[1,null,"x"]}'],
  ['half an answer', '{"errors":false,"items":[{"create":{"status":201}},{"cre'],
]
for (const [name, body] of garbage) {
  test(`200 with ${name} is sent again: ids keep documents from being stored twice`, () =>
    withServer({}, async ({ server, error, send, context }) => {
      server.faults.push({ kind: 'garbage', body, stored: true })
      const thrown = await error(some(3))
      assert(thrown instanceof RetryLaterError)
      await send(some(3))
      assert.equal(server.documents.length, 3)
      assert.equal(context.counts['weir_exporter_deduplicated_records'], 3)
    }))
}

test('without ids an answer that cannot be read is held and alarms, because sending again may store twice', () =>
  withServer({ dedupe: false }, async ({ server, error }) => {
    server.faults.push({ kind: 'garbage', body: 'ok', stored: true })
    const thrown = await error(some(3))
    assert(thrown instanceof HoldError)
    assert.match(thrown.message, /dedupe is false/)
  }))

test('a connection that is cut after the documents were stored leads to no second copy', () =>
  withServer({}, async ({ server, error, send }) => {
    server.faults.push({ kind: 'reset', stored: true })
    await error(some(4))
    await send(some(4))
    assert.equal(server.documents.length, 4)
  }))

test('a client that chooses the audit ID of another request hides nothing', () =>
  withServer({}, async ({ server, send, context }) => {
    const of = (seconds: number, observed: number): LogRecord =>
      record(
        { 'log.record.uid': 'chosen/ResponseComplete' },
        { eventName: 'k8s.audit', hrTime: [seconds, 5], hrTimeObserved: [observed, 0] },
      )
    await send([of(1_700_000_000, 1), of(1_700_000_009, 1), of(1_700_000_000, 2)])
    assert.equal(server.documents.length, 2, 'one for each time')
    assert.equal(context.counts['weir_exporter_deduplicated_records'], 1, 'the one that was read again')
  }))

test('a record without a time of its own is known again by its uid', () =>
  withServer({}, async ({ server, send }) => {
    for (const seconds of [1_700_000_000, 1_700_000_099]) {
      await send([record({ 'log.record.uid': 'line-1' }, { hrTime: [seconds, 0], hrTimeObserved: [seconds, 0] })])
    }
    assert.deepEqual(
      server.documents.map(({ id }) => id),
      ['line-1'],
    )
  }))

test('an id that is too long is hashed, and stays the same', () =>
  withServer({}, async ({ server, send }) => {
    const time = { hrTime: [1, 0], hrTimeObserved: [1, 0] } as const
    const timed = (uid: string) => record({ 'log.record.uid': uid }, time as never)
    const long = timed('ä'.repeat(300))
    await send([long, timed('ä'.repeat(256)), record({ 'log.record.uid': 7 }), record()])
    await send([long])
    assert.match(server.documents[0]?.id ?? '', /^[0-9a-f]{64}$/)
    assert.equal(server.documents[1]?.id, 'ä'.repeat(256))
    assert.equal(server.documents.length, 4)
  }))

test('logs_dynamic_id takes the id from its attribute', () =>
  withServer({ logs_dynamic_id: { enabled: true } }, async ({ server, send }) => {
    const last = record({ 'log.record.uid': 'uid' })
    const time = last.hrTime.join('.')
    await send([record({ 'elasticsearch.document_id': 'mine', 'log.record.uid': 'uid' }), last])
    assert.deepEqual(
      server.documents.map(({ id }) => id),
      ['mine', `uid@${time}`],
    )
  }))

test('through a storm of faults every record is stored once or dead-lettered, and none is missing', async () => {
  const server = await preparedServer()
  const context = testContext()
  const config = elasticsearch.config.parse({ endpoint: server.url })
  const exporter = elasticsearch.create(config, context)
  const settings = settingsOf(config)
  const quick = { ...settings.retry_on_failure, initial_interval: 1, max_interval: 2 }
  let sent = 0
  const hooks = {
    sent: (n: number) => {
      sent += n
    },
    refusedUnnamed: () => assert.fail('every refusal has a name'),
    retrying() {},
    reject: context.reject,
    health: context.health,
  }
  const delivery = new Delivery(exporter, { ...settings, retry_on_failure: quick }, hooks as never)
  const poison: ItemFault = { status: 400, type: 'document_parsing_exception', reason: 'poison' }
  const isPoison = (source: StoredDocument['source']) => source.weir.attributes.id % 50 === 7
  const answer = (i: number, source: StoredDocument['source']): ItemFault | undefined => {
    if (isPoison(source)) return poison
    return i % 3 === 0 ? { status: 429 } : i % 7 === 0 ? { status: 403, type: 'cluster_block_exception' } : undefined
  }
  const storm: Fault[] = [
    { kind: 'status', status: 503 },
    { kind: 'items', answer },
    { kind: 'reset', stored: true },
    { kind: 'garbage', body: '{', stored: true },
    { kind: 'items', answer },
    { kind: 'status', status: 413 },
    { kind: 'status', status: 401 },
  ]
  server.faults.push(...storm, ...storm)
  server.always = { kind: 'items', answer: (_, source) => (isPoison(source) ? poison : undefined) }
  const records = some(300)
  assert.equal((await delivery.deliver(records, never)).kind, 'rejected')
  const stored = server.documents.map(({ source }) => source.weir.attributes.id as number)
  const letters = context.letters.map(({ record: one }) => one?.attributes['id'] as number)
  assert.equal(new Set(stored).size, stored.length, 'none is stored twice')
  // Poison that a reset or garbage request had stored before the fault struck counts as delivered afterwards.
  assert.deepEqual(
    [...new Set([...stored, ...letters])].toSorted((a, b) => a - b),
    Array.from({ length: 300 }, (_, i) => i),
  )
  assert.equal(sent + letters.length, 300)
  assert.equal(context.healthLog.at(-1)?.status, 'ok')
  await exporter.stop?.(never)
  await server.close()
})
