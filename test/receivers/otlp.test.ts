import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { otlp } from '../../receivers/otlp/index.ts'
import { DELIVERED } from '../../src/flow/ack.ts'
import { Door } from '../../src/flow/gate.ts'
import { toOtlpJson } from '../../src/otlp/json.ts'
import { readPartialSuccess } from '../../src/otlp/response.ts'
import { FAILED, REJECTED } from '../kit/outcomes.ts'
import { receiverContract } from '../kit/receiver-contract.ts'
import { record } from '../kit/records.ts'
import { freePort, until } from '../kit/weir.ts'
import { type Answer, post, protobuf, reception, said, someRecords } from './otlp/kit.ts'

receiverContract(otlp, {
  // Clients that send again until they hear 200, as all clients of OTLP do.
  async source() {
    const port = await freePort()
    let isOver = false
    let next = 0
    const sending = new Set<Promise<void>>()
    const send = async (ids: readonly string[]): Promise<void> => {
      const body = protobuf(...ids.map((id) => record({ id })))
      while (!isOver) {
        const answer = await post(port, body).catch(() => undefined)
        if (answer?.status === 200) return
        await sleep(20)
      }
    }
    return {
      config: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } },
      async produce(count) {
        const ids = Array.from({ length: count }, () => `event-${next++}`)
        for (let i = 0; i < count; i += 5) {
          const done = send(ids.slice(i, i + 5))
          sending.add(done)
          void done.then(() => sending.delete(done))
        }
        return ids
      },
      async close() {
        isOver = true
        await Promise.all(sending)
      },
    }
  },
  idOf: ({ attributes }) => String(attributes['id']),
})

suite('configuration', () => {
  test('without a protocol it is refused in the words of the Collector', () => {
    assert.throws(
      () => otlp.config.parse({ protocols: {} }),
      /must specify at least one protocol when using the OTLP receiver/,
    )
  })
  test('a protocol without settings has the defaults', () => {
    const { protocols } = otlp.config.parse({ protocols: { grpc: null, http: {} } })
    assert.equal(protocols.grpc, null)
    assert.equal(protocols.http?.endpoint, 'localhost:4318')
    assert.equal(protocols.http?.max_request_body_size, 20 * 1024 * 1024)
  })
  for (const endpoint of ['localhost', '4318', 'http://localhost:4318', 'localhost:99999', 'a b:1']) {
    test(`the endpoint ${endpoint} is refused with an example`, () => {
      assert.throws(
        () => otlp.config.parse({ protocols: { http: { endpoint } } }),
        /expected host:port, such as localhost:4318/,
      )
    })
  }
})

suite('what is taken over HTTP', () => {
  const records = someRecords(20)
  const plain = protobuf(...records)
  const packed: Record<string, Buffer> = {
    identity: plain,
    gzip: gzipSync(plain),
    'x-gzip': gzipSync(plain),
    zstd: zstdCompressSync(plain),
    deflate: deflateSync(plain),
    zlib: deflateSync(plain),
  }
  for (const [encoding, body] of Object.entries(packed)) {
    test(`${encoding} arrives whole, and is answered in protobuf once it is delivered`, async (t) => {
      const here = await reception(t)
      let isDelivered = false
      here.judge = async () => {
        await sleep(50)
        isDelivered = true
        return DELIVERED
      }
      const answer = await post(here.http, body, { headers: { 'content-encoding': encoding } })
      assert(isDelivered)
      assert.deepEqual([answer.status, answer.body.length], [200, 0])
      assert.equal(answer.headers['content-type'], 'application/x-protobuf')
      assert.deepEqual(
        here.received.map(({ attributes }) => attributes['id']),
        records.map(({ attributes }) => attributes['id']),
      )
      assert.equal(here.budget.used, 0)
    })
  }
  test('JSON is answered in JSON, also with a charset', async (t) => {
    const here = await reception(t)
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    const answer = await post(here.http, toOtlpJson(records), { headers })
    assert.deepEqual([answer.status, answer.body.toString()], [200, '{}'])
    assert.equal(here.received.length, 20)
  })
  test('a chunked body is taken, however small its pieces are', async (t) => {
    const here = await reception(t)
    const headers = { 'transfer-encoding': 'chunked' }
    assert.equal((await post(here.http, plain, { headers })).status, 200)
    assert.equal(here.received.length, 20)
  })
  test('an empty request is answered without the pipeline', async (t) => {
    const here = await reception(t)
    for (const body of [Buffer.alloc(0), '{}', '{"resourceLogs":[]}'])
      assert.equal((await post(here.http, body)).status, 200)
    assert.equal(here.received.length, 0)
    assert.equal(here.budget.used, 0)
  })
  test('a body that is larger than the whole budget is taken alone, packed or in chunks', async (t) => {
    const here = await reception(t, { budget: 64 * 1024 })
    const large = protobuf(record({ text: 'x'.repeat(3_000_000) }))
    const ways: [Buffer, Record<string, string>][] = [
      [large, {}],
      [gzipSync(large), { 'content-encoding': 'gzip' }],
      [large, { 'transfer-encoding': 'chunked' }],
    ]
    const answers = await Promise.all([...ways, ...ways].map(([body, headers]) => post(here.http, body, { headers })))
    for (const { status } of answers) assert.equal(status, 200)
    assert.equal(here.received.length, 6)
    assert.equal(here.budget.used, 0)
  })
})

suite('what records become', () => {
  test('a name, a severity and times are given where there are none', async (t) => {
    const here = await reception(t)
    const nothing = {
      eventName: '',
      severityNumber: 0,
      severityText: '',
      hrTime: [0, 0],
      hrTimeObserved: [0, 0],
    } as const
    await post(
      here.http,
      protobuf(
        record({}, { ...nothing, hrTime: [0, 0], hrTimeObserved: [0, 0] }),
        record({}, { severityNumber: 0, severityText: 'Warning' }),
        record({}, { severityNumber: 18, severityText: '' }),
      ),
    )
    const [bare, named, numbered] = here.received
    assert.deepEqual([bare?.eventName, bare?.severityNumber, bare?.severityText], ['log', 9, 'INFO'])
    assert(Math.abs((bare?.hrTimeObserved[0] ?? 0) - Date.now() / 1000) < 10)
    assert.deepEqual(bare?.hrTime, bare?.hrTimeObserved)
    assert.deepEqual([named?.severityNumber, named?.severityText], [13, 'Warning'])
    assert.deepEqual([numbered?.severityNumber, numbered?.severityText], [18, 'ERROR2'])
  })
  test('a request that is sent again carries the same identities, packed or not; others have others', async (t) => {
    const here = await reception(t)
    const body = protobuf(...someRecords(3))
    await post(here.http, body)
    await post(here.http, gzipSync(body), { headers: { 'content-encoding': 'gzip' } })
    await post(here.http, protobuf(...someRecords(3)))
    const uids = here.received.map(({ attributes }) => String(attributes['log.record.uid']))
    assert.deepEqual(uids.slice(0, 3), uids.slice(3, 6))
    assert.equal(new Set(uids).size, 6)
    for (const uid of uids) assert.match(uid, /^[\w-]{22}:\d+$/)
  })
  test("a client's own identity is kept, unless it is none", async (t) => {
    const here = await reception(t)
    const given = ['mine', '', 'x'.repeat(300), 7]
    await post(here.http, protobuf(...given.map((uid) => record({ 'log.record.uid': uid }))))
    const [first, ...others] = here.received.map(({ attributes }) => attributes['log.record.uid'])
    assert.equal(first, 'mine')
    for (const uid of others) assert.match(String(uid), /^[\w-]{22}:\d+$/)
  })
  test('what a request has too much of is cut, and counted twice: in the record and as a metric', async (t) => {
    const here = await reception(t)
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))
    assert.equal((await post(here.http, protobuf(record(many)))).status, 200)
    const [{ attributes, droppedAttributesCount } = record()] = here.received
    assert.equal(Object.keys(attributes).length, 1024 + 1)
    assert.equal(droppedAttributesCount, 100_000 - 1024)
    assert.equal(here.counts['weir_receiver_cut_values'], 100_000 - 1024)
  })
})

suite('what a client is told', () => {
  test('rejected: never to send it again, with a warning', async (t) => {
    const here = await reception(t)
    here.judge = () => REJECTED
    for (const [body, isJson] of [
      [protobuf(...someRecords(2)), false],
      [toOtlpJson(someRecords(2)), true],
    ] as const) {
      const answer = await post(here.http, body)
      assert.equal(answer.status, 200)
      const partial = readPartialSuccess(answer.body, isJson)
      assert.equal(partial?.rejected, 0, 'nothing that it could count as lost')
      assert.match(partial?.message ?? '', /kept in the dead-letter file/)
    }
  })
  test('failed: to send it again, and when', async (t) => {
    const here = await reception(t)
    here.judge = () => FAILED
    const answer = await post(here.http, toOtlpJson(someRecords(2)))
    assert.equal(answer.status, 503)
    assert(Number(answer.headers['retry-after']) >= 1)
    const status = JSON.parse(answer.body.toString())
    assert.deepEqual([status.code, status.message], [14, 'a destination is not available: send again later'])
    assert.match(status.details[0]['@type'], /RetryInfo$/)
    const inProtobuf = await post(here.http, protobuf(...someRecords(2)))
    assert.equal(inProtobuf.headers['content-type'], 'application/x-protobuf')
    assert.match(said(inProtobuf), /a destination is not available: send again later.*google\.rpc\.RetryInfo/)
  })
  const refusals: {
    name: string
    body: Buffer | string
    options?: object
    status: number
    says: RegExp
    more?: object
  }[] = [
    {
      name: 'another path',
      body: '{}',
      options: { path: '/v1/traces' },
      status: 404,
      says: /only \/v1\/logs is served/,
    },
    {
      name: 'another method',
      body: '',
      options: { method: 'GET' },
      status: 405,
      says: /only POST/,
      more: { allow: 'POST' },
    },
    {
      name: 'another content type',
      body: 'x',
      options: { headers: { 'content-type': 'text/plain' } },
      status: 415,
      says: /expected content type/,
    },
    {
      name: 'no content type',
      body: 'x',
      options: { headers: { 'content-type': '' } },
      status: 415,
      says: /expected content type/,
    },
    {
      name: 'an unknown encoding',
      body: '{}',
      options: { headers: { 'content-encoding': 'br' } },
      status: 415,
      says: /accepted: gzip, zstd/,
    },
    {
      name: 'broken gzip',
      body: '{}',
      options: { headers: { 'content-encoding': 'gzip' } },
      status: 400,
      says: /the body is not gzip/,
    },
    {
      name: 'truncated gzip',
      body: gzipSync(protobuf(record())).subarray(0, 30),
      options: { headers: { 'content-encoding': 'gzip' } },
      status: 400,
      says: /ends too early/,
    },
    { name: 'broken JSON', body: '{"resourceLogs":', status: 400, says: /not JSON: it ends too early/ },
    { name: 'truncated protobuf', body: protobuf(record()).subarray(0, -1), status: 400, says: /truncated protobuf/ },
  ]
  for (const { name, body, options, status, says, more = {} } of refusals) {
    test(`${name}: ${status}, in words`, async (t) => {
      const here = await reception(t)
      const answer = await post(here.http, body, options)
      assert.equal(answer.status, status)
      assert.match(said(answer), says)
      for (const [header, value] of Object.entries(more)) assert.equal(answer.headers[header], value)
      assert.equal(here.answers[`http ${status}`], 1)
      assert.equal(here.budget.used, 0)
      assert.equal((await post(here.http, protobuf(record()))).status, 200, 'the next one is taken')
    })
  }
  test('nothing of a request that cannot be read stands in the log', async (t) => {
    const here = await reception(t)
    await post(here.http, '{"password":hunter2}')
    assert.doesNotMatch(here.log.join('\n'), /hunter2/)
  })
  test('more records than one request may have: 413, so that it sends smaller ones', async (t) => {
    const here = await reception(t)
    const one = Buffer.from([0x12, 0x00])
    const scopeLogs = Buffer.alloc(2 * 100_001, one)
    const length = (n: number): number[] => [(n & 0x7f) | 0x80, ((n >> 7) & 0x7f) | 0x80, n >> 14]
    const inner = Buffer.from([0x12, ...length(scopeLogs.length)])
    const outer = Buffer.from([0x0a, ...length(scopeLogs.length + inner.length)])
    const answer = await post(here.http, Buffer.concat([outer, inner, scopeLogs]))
    assert.equal(answer.status, 413)
    assert.match(said(answer), /more than 100000 records/)
  })
})

suite('room', () => {
  const held = async (t: Parameters<typeof reception>[0], options: Parameters<typeof reception>[1] = {}) => {
    const here = await reception(t, { budget: 4096, admission_timeout: '200ms', ...options })
    const open = Promise.withResolvers<typeof DELIVERED>()
    here.judge = () => open.promise
    const first = post(here.http, protobuf(...someRecords(30)))
    await until(() => here.received.length > 0, 'the first request')
    return { here, first, open: () => open.resolve(DELIVERED) }
  }
  test('none in time: 429 and when to come again, and room again: 200', async (t) => {
    const { here, first, open } = await held(t)
    const refused = await post(here.http, protobuf(...someRecords(30)))
    assert.equal(refused.status, 429)
    assert(Number(refused.headers['retry-after']) >= 1)
    open()
    assert.equal((await first).status, 200)
    here.judge = () => DELIVERED
    assert.equal((await post(here.http, protobuf(...someRecords(30)))).status, 200)
    assert.equal(here.budget.used, 0)
  })
  test('a client that asks before it sends (Expect: 100-continue) is told before it sends', async (t) => {
    const { here, open } = await held(t)
    const headers = { expect: '100-continue', 'content-length': '1000000' }
    const answer = await new Promise<Answer>((resolve, reject) => {
      import('node:http').then(({ request }) => {
        const asking = request({
          host: '127.0.0.1',
          port: here.http,
          path: '/v1/logs',
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
        })
        asking.on('continue', () => reject(new Error('was told to send')))
        asking.on('response', (response) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.alloc(0) }),
        )
        asking.on('error', reject)
        asking.flushHeaders()
      }, reject)
    })
    assert.equal(answer.status, 429)
    open()
  })
  test('memory is short: 503 at once, without waiting', async (t) => {
    const gate = new Door()
    const here = await reception(t, { gate, admission_timeout: '10s' })
    gate.shut()
    const startedAt = Date.now()
    const answer = await post(here.http, protobuf(record()))
    assert.equal(answer.status, 503)
    assert.match(said(answer), /memory is short/)
    assert(Date.now() - startedAt < 2000)
    gate.open()
    assert.equal((await post(here.http, protobuf(record()))).status, 200)
  })
  test('a client that goes while it waits for its answer: the records go on, and it is counted', async (t) => {
    const { here, first, open } = await held(t)
    first.catch(() => {})
    const { request } = await import('node:http')
    const going = request({
      host: '127.0.0.1',
      port: here.http,
      path: '/v1/logs',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    going.on('error', () => {})
    here.judge = async () => {
      await sleep(100)
      return DELIVERED
    }
    open()
    await first
    going.end(toOtlpJson(someRecords(2)))
    await until(() => here.received.length === 32, 'the records')
    going.destroy()
    await until(() => here.answers['http gone'] === 1, 'the count')
    await until(() => here.budget.used === 0, 'the room')
  })
  test('a client that goes in the middle of its body gives its room back', async (t) => {
    const here = await reception(t)
    const { request } = await import('node:http')
    const going = request({
      host: '127.0.0.1',
      port: here.http,
      path: '/v1/logs',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 100_000 },
    })
    going.on('error', () => {})
    going.write('{"resourceLogs":')
    await until(() => here.budget.used > 0, 'the room is taken')
    going.destroy()
    await until(() => here.budget.used === 0, 'the room is given back')
    assert.equal(here.answers['http gone'], 1)
  })
  test('a client that never ends its body is cut off', async (t) => {
    const here = await reception(t, { http: { read_timeout: '500ms' } })
    const { request } = await import('node:http')
    const slow = request({
      host: '127.0.0.1',
      port: here.http,
      path: '/v1/logs',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 100_000 },
    })
    const ended = new Promise<number | string>((resolve) => {
      slow.on('response', (response) => resolve(response.statusCode ?? 0))
      slow.on('error', ({ message }) => resolve(message))
    })
    slow.write('{')
    await until(() => here.budget.used > 0, 'the room is taken')
    assert([408, 'socket hang up', 'read ECONNRESET'].includes(await ended))
    await until(() => here.budget.used === 0, 'the room is given back')
  })
})

suite('stopping', () => {
  test('what is on its way is answered; what comes then is told to come again, and the connection is closed', async (t) => {
    const here = await reception(t)
    const open = Promise.withResolvers<typeof DELIVERED>()
    here.judge = () => open.promise
    const first = post(here.http, protobuf(...someRecords(2)))
    await until(() => here.received.length === 2, 'the first request')
    await here.stopTaking()
    const late = await post(here.http, protobuf(...someRecords(2)))
    assert.deepEqual([late.status, late.headers['connection']], [503, 'close'])
    const stopped = here.stop()
    await sleep(50)
    open.resolve(DELIVERED)
    assert.equal((await first).status, 200)
    await stopped
    await assert.rejects(post(here.http, protobuf(record())), /ECONNREFUSED/)
    assert.equal(here.received.length, 2)
  })
  test('a body that is being read then is not taken, and its client hears so', async (t) => {
    const here = await reception(t)
    const { request } = await import('node:http')
    const half = request({
      host: '127.0.0.1',
      port: here.http,
      path: '/v1/logs',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 100_000 },
    })
    const status = new Promise((resolve) => {
      half.on('response', (response) => resolve(response.statusCode))
      half.on('error', ({ message }) => resolve(message))
    })
    half.write('{')
    await until(() => here.budget.used > 0, 'the room is taken')
    await here.stopTaking()
    assert.equal(await status, 503)
    assert.equal(here.budget.used, 0)
  })
  test('before it runs it asks clients to come again', async (t) => {
    const here = await reception(t, { runs: false })
    assert.equal((await post(here.http, protobuf(record()))).status, 503)
  })
  test('an address that is in use is named', async (t) => {
    const here = await reception(t)
    const { testContext } = await import('../kit/context.ts')
    const second = otlp.create(
      otlp.config.parse({ protocols: { http: { endpoint: `127.0.0.1:${here.http}` } } }),
      testContext(),
    )
    await assert.rejects(
      second.start?.(new AbortController().signal) ?? Promise.resolve(),
      /cannot listen on 127\.0\.0\.1:\d+: the address is in use/,
    )
  })
})
