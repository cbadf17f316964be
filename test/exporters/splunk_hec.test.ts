import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext as Runner, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { splunkHec } from '../../exporters/splunk_hec/index.ts'
import type { Exporter } from '../../src/component.ts'
import { Delivery } from '../../src/exporting/deliver.ts'
import { HoldError, PartialError, RetryLaterError } from '../../src/exporting/errors.ts'
import { settingsOf } from '../../src/exporting/settings.ts'
import { internResource } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { type TestContext, testContext } from '../kit/context.ts'
import { exporterContract } from '../kit/exporter-contract.ts'
import { type Hec, hec } from '../kit/hec.ts'
import { record } from '../kit/records.ts'

const never = new AbortController().signal
const token = 'a-token'

exporterContract(splunkHec, {
  async destination() {
    const to = await hec()
    return {
      config: { endpoint: to.url, token },
      mood(mood) {
        to.room = mood === 'fails' ? 0 : undefined
        if (mood === 'rejects') to.respond = (_, response) => void response.writeHead(400).end('{"text":"no","code":6}')
        else to.respond = mood === 'hangs' ? () => {} : undefined
      },
      received: async () => to.events.map(({ fields }) => String(fields?.['id'])),
      close: () => to.close(),
    }
  },
})

interface Trial {
  readonly to: Hec
  readonly exporter: Exporter
  readonly context: TestContext
  send(...records: LogRecord[]): Promise<void>
  deliver(...records: LogRecord[]): Promise<string>
  ids(): unknown[]
}

async function trial(t: Runner, config: object = {}, to?: Hec): Promise<Trial> {
  const server = to ?? (await hec())
  t.after(() => server.close())
  const context = testContext()
  const parsed = splunkHec.config.parse({ endpoint: server.url, token, ...config })
  const exporter = splunkHec.create(parsed, context)
  t.after(() => exporter.stop?.(never))
  await exporter.start?.(never)
  const settings = settingsOf(parsed)
  const quick = { ...settings.retry_on_failure, initial_interval: 5, max_interval: 10 }
  const delivery = new Delivery(
    exporter,
    { ...settings, retry_on_failure: quick },
    {
      sent: (n) => context.count('sent', n),
      refusedUnnamed: (n) => context.count('refused', n),
      retrying: () => context.count('retries', 1),
      reject: context.reject,
      health: context.health,
    },
  )
  return {
    to: server,
    exporter,
    context,
    send: (...records) => exporter.export(records, never),
    deliver: async (...records) => (await delivery.deliver(records, never)).kind,
    ids: () => server.events.map(({ fields }) => fields?.['id']),
  }
}

const some = (count: number, from = 0): LogRecord[] => Array.from({ length: count }, (_, i) => record({ id: from + i }))
/** Refused by a collector that knows the index `main` alone. */
const poison = (id: number): LogRecord => record({ id, 'com.splunk.index': 'nowhere' })

test('a record becomes an event with time, metadata and flat fields', async (t) => {
  const { to, send } = await trial(t, { source: 'weir', sourcetype: 'weir:event', index: 'main' })
  await send(
    record(
      {
        'user.name': 'alice',
        groups: ['a', 'b'],
        codes: [1, 2],
        nested: { a: { b: 1 } },
        none: null,
        empty: [],
        ok: true,
      },
      {
        hrTime: [1_764_000_000, 123_456_789],
        eventName: 'k8s.audit',
        severityNumber: 13,
        severityText: 'WARN',
        body: 'alice deleted "x"\nand y',
        resource: internResource({ 'host.name': 'node-1', 'service.name': 'k8s-audit' }),
      },
    ),
  )
  assert.deepEqual(to.events, [
    {
      time: 1_764_000_000.123456,
      host: 'node-1',
      source: 'weir',
      sourcetype: 'weir:event',
      index: 'main',
      event: 'alice deleted "x"\nand y',
      fields: {
        'event.name': 'k8s.audit',
        'otel.log.severity.number': 13,
        'otel.log.severity.text': 'WARN',
        'host.name': 'node-1',
        'service.name': 'k8s-audit',
        'user.name': 'alice',
        groups: ['a', 'b'],
        codes: ['1', '2'],
        nested: '{"a":{"b":1}}',
        ok: true,
      },
    },
  ])
  const [request] = to.requests
  assert.equal(request?.path, '/services/collector')
  assert.equal(request?.headers['content-encoding'], 'gzip')
  assert.equal(request?.headers['__splunk_app_name'], 'Weir')
})

test('an event may choose its metadata, in the record or its resource; a blank line and an unknown time are no obstacle', async (t) => {
  const { to, send } = await trial(t, { index: 'main', source: 'weir' })
  to.indexes.add('security')
  await send(
    record(
      { 'com.splunk.index': 'security' },
      { body: ' ', hrTime: [0, 0], resource: internResource({ 'com.splunk.source': 'node' }) },
    ),
  )
  const [event] = to.events
  assert.deepEqual(
    [event?.index, event?.source, event?.event, event?.time, event?.host],
    ['security', 'node', 'log', undefined, undefined],
  )
  assert.deepEqual(
    Object.keys(event?.fields ?? {}).filter((key) => key.startsWith('com.')),
    [],
  )
})

test('the whole record can be the event', async (t) => {
  const { to, send } = await trial(t, { event: 'record', disable_compression: true })
  await send(record({ id: 1, nested: { a: [] } }))
  const [{ event, fields } = {} as never] = to.events
  assert.deepEqual([(event as { attributes: unknown }).attributes, fields], [{ id: 1, nested: { a: [] } }, undefined])
  assert.equal(to.requests[0]?.headers['content-encoding'], undefined)
})

test('a batch goes in requests of at most max_content_length_logs; what is larger alone is set aside', async (t) => {
  const { to, context, deliver, ids } = await trial(t, { max_content_length_logs: '2KiB' })
  to.maxContentLength = 2048
  const large = record({ id: 99, text: 'ü'.repeat(1200) })
  assert.equal(await deliver(...some(20), large, ...some(20, 20)), 'rejected')
  assert.deepEqual(
    ids(),
    Array.from({ length: 40 }, (_, i) => i),
  )
  assert(to.requests.length > 2 && to.requests.every(({ bytes }) => bytes <= 2048))
  assert.deepEqual(
    context.letters.map(({ reason, record: one }) => [reason, one]),
    [['too_large', large]],
  )
})

test('a collector that takes less than we may send is given halves', async (t) => {
  const { to, deliver, ids } = await trial(t)
  to.maxContentLength = 1000
  assert.equal(await deliver(...some(20)), 'delivered')
  assert.deepEqual(
    ids(),
    Array.from({ length: 20 }, (_, i) => i),
  )
})

/** Both ways of counting: with code 7 the first event is 1, with code 15 it is 0. */
for (const [code, bad] of [
  [7, poison],
  [15, (id: number) => record({ id }, { body: 'x', eventName: 'bad' })],
] as const) {
  for (const at of [[0], [3], [9], [0, 1], [4, 5], [8, 9], [0, 9], [2, 5, 7]]) {
    test(`code ${code}: events ${at} of ten are refused, by themselves and each once; the others are taken`, async (t) => {
      const { to, context, deliver, ids } = await trial(t)
      to.refuses = ({ fields }) => fields?.['event.name'] === 'bad'
      const batch = some(10).map((one, i) => (at.includes(i) ? bad(i) : one))
      assert.equal(await deliver(...batch), 'rejected')
      assert.deepEqual(
        context.letters.map(({ record: one, reason }) => [one?.attributes['id'], reason]),
        at.map((i) => [i, `hec_${code}`]),
      )
      const good = batch.flatMap((_, i) => (at.includes(i) ? [] : [i]))
      assert.deepEqual([...new Set(ids())].sort(), good)
      assert(ids().length - good.length <= at.length, 'at most one came twice for each that was refused')
      assert.equal(context.counts['sent'], good.length)
      assert.equal(context.counts['retries'], undefined)
    })
  }
}

test('a 400 without a number is halved', async (t) => {
  const { to, context, deliver } = await trial(t)
  let requests = 0
  to.respond = ({ events }, response) => {
    requests += 1
    response.writeHead(events > 1 || requests === 2 ? 400 : 200).end(events > 1 || requests === 2 ? 'no' : '{"code":0}')
  }
  assert.equal(await deliver(...some(2)), 'rejected')
  assert.deepEqual(
    context.letters.map(({ record: one }) => one?.attributes['id']),
    [0],
  )
  assert.equal(requests, 3)
})

test('busy: what was taken before is not sent again', async (t) => {
  const { to, context, send, deliver, ids } = await trial(t)
  to.room = 7
  await assert.rejects(send(...some(10)), (error: Error) => {
    assert(error instanceof PartialError)
    assert(error.why instanceof RetryLaterError)
    assert.match(error.message, /503: Server is busy \(code 9\)/)
    assert.deepEqual(
      error.retry.map(({ attributes }) => attributes['id']),
      [6, 7, 8, 9],
      'one more, to be sure',
    )
    return true
  })
  to.room = 0
  const delivered = deliver(...some(3, 10))
  while ((context.counts['retries'] ?? 0) < 2) await sleep(2)
  assert.equal(context.healthLog.at(-1)?.status, 'recoverable')
  to.room = undefined
  assert.equal(await delivered, 'delivered')
  assert.deepEqual(ids().slice(-3), [10, 11, 12])
})

test('a request that fails among several costs the later ones only', async (t) => {
  const { to, send } = await trial(t, { max_content_length_logs: '1KiB' })
  let requests = 0
  to.respond = (_, response) => void (++requests < 3 ? response.end('{"code":0}') : response.destroy())
  await assert.rejects(send(...some(20)), (error: Error) => {
    assert(error instanceof PartialError && error.why instanceof RetryLaterError)
    const ids = error.retry.map(({ attributes }) => attributes['id'] as number)
    assert.deepEqual(
      ids,
      Array.from({ length: ids.length }, (_, i) => 20 - ids.length + i),
    )
    assert(ids.length > 0 && ids.length < 20)
    return true
  })
  // The third goes once more by itself, because its connection was a kept one.
  assert.equal(requests, 4)
})

for (const [name, config, spoil] of [
  ['an unknown token', { token: 'other' }, () => {}],
  ['an index of the configuration that is not allowed', { index: 'nowhere' }, () => {}],
  ['a wrong path', { endpoint: '/elsewhere' }, () => {}],
  ['a token that asks for acknowledgments', {}, (to: Hec) => void (to.acks = 'given')],
  ['a token without acknowledgments', { ack: { enabled: true } }, () => {}],
  [
    'a web page',
    {},
    (to: Hec) => void (to.respond = (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
  ],
  ['a success that is none', {}, (to: Hec) => void (to.respond = (_, r) => void r.end('{"text":"?","code":8}'))],
] as [string, { endpoint?: string }, (to: Hec) => void][]) {
  test(`${name} holds everything`, async (t) => {
    const to = await hec()
    spoil(to)
    const endpoint = `${to.url}${config.endpoint ?? ''}`
    const { send } = await trial(t, { ...config, endpoint }, to)
    await assert.rejects(send(...some(3)), (error: Error) => error instanceof HoldError)
  })
}

test('an answer that is none of a collector counts as taken, and is told', async (t) => {
  const { to, context, deliver } = await trial(t)
  to.respond = (_, response) => void response.end('ok')
  assert.equal(await deliver(...some(3)), 'delivered')
  assert.equal(context.counts['weir_exporter_partial_unknown'], 3)
})

test('a token in a file is read again when the old one is refused', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-hec-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const token_file = join(directory, 'token')
  writeFileSync(token_file, 'a-token\n')
  const { to, send } = await trial(t, { token: undefined, token_file })
  await send(...some(1))
  to.token = 'exchanged'
  writeFileSync(token_file, 'exchanged\n')
  await send(...some(1, 1))
  assert.equal(to.events.length, 2)
})

test('a batch is delivered when an indexer has it, not before', async (t) => {
  const to = await hec()
  to.acks = 'kept'
  const { deliver, context } = await trial(
    t,
    { ack: { enabled: true, poll_interval: '5ms' }, max_content_length_logs: '1KiB' },
    to,
  )
  let isDone = false
  const delivered = deliver(...some(10)).then((outcome) => {
    isDone = true
    return outcome
  })
  while (to.questions.length < 3) await sleep(5)
  assert(to.requests.length > 1)
  assert.equal(isDone, false)
  assert.deepEqual(
    to.questions.at(-1),
    to.requests.map((_, i) => i),
    'one question for all that wait',
  )
  assert.match(String(to.requests[0]?.headers['x-splunk-request-channel']), /^[0-9a-f-]{36}$/)
  to.acks = 'given'
  assert.equal(await delivered, 'delivered')
  assert.equal(context.counts['sent'], 10)
  assert.equal(to.events.length, 10)
})

test('what is not acknowledged in time is sent again, and only that', async (t) => {
  const to = await hec()
  to.acks = 'kept'
  const { deliver, context } = await trial(t, { ack: { enabled: true, poll_interval: '5ms', timeout: '60ms' } }, to)
  const delivered = deliver(...some(3))
  while ((context.counts['retries'] ?? 0) < 1) await sleep(5)
  assert.match(context.healthLog.at(-1)?.reason ?? '', /did not acknowledge/)
  to.acks = 'given'
  assert.equal(await delivered, 'delivered')
  assert.equal(to.requests.length, 2)
})

test('with acknowledgments nothing of a refused request counts as taken', async (t) => {
  const to = await hec()
  to.acks = 'given'
  const { deliver, context, ids } = await trial(t, { ack: { enabled: true, poll_interval: '5ms' } }, to)
  assert.equal(await deliver(...some(5), poison(5), ...some(4, 6)), 'rejected')
  assert.deepEqual(
    context.letters.map(({ record: one }) => one?.attributes['id']),
    [5],
  )
  assert.deepEqual([...new Set(ids())].sort(), [0, 1, 2, 3, 4, 6, 7, 8, 9])
  const acknowledged = to.questions.flat()
  assert.deepEqual([...new Set(acknowledged)].sort(), [0, 1, 2])
})

test('a stop ends the wait for acknowledgments', async (t) => {
  const to = await hec()
  to.acks = 'kept'
  const { exporter, send } = await trial(t, { ack: { enabled: true, poll_interval: '5ms' } }, to)
  const sent = assert.rejects(send(...some(1)), RetryLaterError)
  while (to.questions.length < 1) await sleep(5)
  await exporter.stop?.(never)
  await sent
})

test('health is asked for at the start when the configuration says so', async (t) => {
  const well = await trial(t, { health_check_enabled: true })
  while (well.context.healthLog.length === 0) await sleep(2)
  assert.equal(well.context.healthLog[0]?.status, 'ok')
  const ill = await trial(t, { health_check_enabled: true, health_path: '/nowhere' })
  while (ill.context.healthLog.length === 0) await sleep(2)
  assert.equal(ill.context.healthLog[0]?.status, 'recoverable')
})

for (const config of [{}, { token: 'a', token_file: 'b' }]) {
  test(`a configuration with ${Object.keys(config).length} tokens is refused`, () => {
    assert.throws(
      () => splunkHec.config.parse({ endpoint: 'http://localhost:8088', ...config }),
      /either token or token_file/,
    )
  })
}
