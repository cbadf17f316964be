import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { otlpHttp } from '../../exporters/otlp_http/index.ts'
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { testContext } from '../kit/context.ts'
import { exporterContract } from '../kit/exporter-contract.ts'
import { type OtlpSink, otlpSink } from '../kit/otlp-sink.ts'
import { record } from '../kit/records.ts'

const never = new AbortController().signal

exporterContract(otlpHttp, {
  async destination() {
    const sink = await otlpSink()
    const answers = { fails: 503, rejects: 400 } as const
    return {
      config: { endpoint: sink.url },
      mood(mood) {
        if (mood === 'accepts') sink.respond = undefined
        else if (mood === 'hangs') sink.respond = () => {}
        else sink.respond = (_, response) => void response.writeHead(answers[mood]).end()
      },
      received: async () => sink.accepted.map(({ attributes }) => String(attributes['id'])),
      close: () => sink.close(),
    }
  },
})

async function withSink(
  config: object,
  run: (send: (count?: number) => Promise<void>, sink: OtlpSink) => Promise<void>,
): Promise<void> {
  const sink = await otlpSink()
  const parsed = otlpHttp.config.parse({ endpoint: sink.url, ...config })
  const exporter = otlpHttp.create(parsed, testContext())
  await exporter.start?.(never)
  try {
    await run(
      (count = 3) =>
        exporter.export(
          Array.from({ length: count }, (_, id) => record({ id })),
          never,
        ),
      sink,
    )
  } finally {
    await exporter.stop?.(never)
    await sink.close()
  }
}

for (const encoding of ['json', 'proto'] as const) {
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    test(`${encoding} with compression ${compression} arrives whole, with a Content-Length and never in chunks`, () =>
      withSink({ encoding, compression }, async (send, sink) => {
        await send(50)
        const [request] = sink.requests
        assert.equal(request?.headers['content-length'], String(request?.bytes))
        assert.equal(request?.headers['transfer-encoding'], undefined)
        assert.equal(request?.headers['content-encoding'], compression === 'none' ? undefined : compression)
        assert.equal(
          request?.headers['content-type'],
          encoding === 'json' ? 'application/json' : 'application/x-protobuf',
        )
        assert.equal(request?.path, '/v1/logs')
        assert.deepEqual(
          sink.accepted.map(({ attributes }) => attributes['id']),
          Array.from({ length: 50 }, (_, i) => i),
        )
      }))
  }
}

const answers: { status: number; error: new (...args: never[]) => Error; more?: object }[] = [
  { status: 400, error: RejectedError, more: { bisect: true, reason: 'http_400' } },
  { status: 401, error: HoldError },
  { status: 403, error: HoldError },
  { status: 404, error: HoldError },
  { status: 302, error: HoldError },
  { status: 408, error: RetryLaterError },
  { status: 413, error: TooLargeError },
  { status: 429, error: RetryLaterError, more: { retryAfterMs: 7000 } },
  { status: 500, error: RetryLaterError },
  { status: 503, error: RetryLaterError },
  { status: 504, error: RetryLaterError },
]
for (const { status, error, more = {} } of answers) {
  test(`the answer ${status} is a ${error.name} that says so`, () =>
    withSink({}, async (send, sink) => {
      sink.respond = (_, response) =>
        void response.writeHead(status, { 'retry-after': '7', location: '/elsewhere' }).end('{"message":"because"}')
      await assert.rejects(send(), (thrown: Error) => {
        assert(thrown instanceof error, String(thrown))
        assert.match(thrown.message, new RegExp(`${status}: because`))
        for (const [key, value] of Object.entries(more)) assert.equal((thrown as never)[key], value)
        return true
      })
      assert.equal(sink.requests.length, 1, 'one attempt and no hidden retries')
    }))
}

for (const [encoding, body] of [
  ['json', JSON.stringify({ partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } })],
  ['proto', Buffer.from([0x0a, 11, 0x08, 2, 0x12, 7, ...Buffer.from('too old')])],
] as const) {
  test(`a partial success in ${encoding} is counted, not sent again`, () =>
    withSink({ encoding }, async (send, sink) => {
      sink.respond = (_, response) => void response.writeHead(200).end(body)
      await assert.rejects(send(5), (thrown: Error) => {
        assert(thrown instanceof PartialError)
        assert.deepEqual([thrown.rejectedCount, thrown.retry, thrown.message], [2, [], 'too old'])
        return true
      })
    }))
}

test('a 2xx answer that is not OTLP is taken as success: sending again would only make duplicates', () =>
  withSink({ encoding: 'json' }, async (send, sink) => {
    sink.respond = (_, response) => void response.writeHead(200).end('<html>ok</html>')
    await send()
  }))

test('a web page is no answer, whatever its status: everything is held', () =>
  withSink({}, async (send, sink) => {
    sink.respond = (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    await assert.rejects(send(), (error: Error) => error instanceof HoldError && /web page/.test(error.message))
  }))

test('records of an answer that cannot be read are counted', async () => {
  for (const [encoding, type, body] of [
    ['json', '', '<ok>'],
    ['json', 'application/json', '{"partialSuccess":{"rejectedLogRecords":"some"}}'],
    ['proto', 'text/plain', 'OK'],
  ] as const) {
    const sink = await otlpSink()
    sink.respond = (_, response) => void response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(body)
    const context = testContext()
    const exporter = otlpHttp.create(otlpHttp.config.parse({ endpoint: sink.url, encoding }), context)
    await exporter.start?.(never)
    await exporter.export([record(), record()], never)
    assert.equal(context.counts['weir_exporter_partial_unknown'], 2, `${encoding} ${body}`)
    await exporter.stop?.(never)
    await sink.close()
  }
})

test('an answer is read as what it says it is, not as what was asked', () =>
  withSink({ encoding: 'proto' }, async (send, sink) => {
    sink.respond = (_, response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ partialSuccess: { rejectedLogRecords: 2, errorMessage: 'too old' } }))
    await assert.rejects(send(5), (error: Error) => error instanceof PartialError && error.rejectedCount === 2)
  }))

test('headers and endpoints of the environment do not leak into a request', async () => {
  const leaks = {
    OTEL_EXPORTER_OTLP_HEADERS: 'x-leak=1',
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'x-leak-logs=1',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  }
  Object.assign(process.env, leaks)
  try {
    await withSink({ compression: 'none', headers: { 'X-Scope-OrgID': 'team' } }, async (send, sink) => {
      await send()
      const { headers } = sink.requests[0] as OtlpSink['requests'][number]
      assert.equal(headers['x-scope-orgid'], 'team')
      assert.deepEqual(
        [headers['x-leak'], headers['x-leak-logs'], headers['content-encoding']],
        [undefined, undefined, undefined],
      )
    })
  } finally {
    for (const key of Object.keys(leaks)) delete process.env[key]
  }
})

test('more requests at once than the SDK would queue all arrive', () =>
  withSink({ sending_queue: { num_consumers: 60 } }, async (send, sink) => {
    await Promise.all(Array.from({ length: 60 }, () => send(1)))
    assert.equal(sink.accepted.length, 60)
  }))

test('a refused connection is an ordinary error, to be tried again', async () => {
  const exporter = otlpHttp.create(otlpHttp.config.parse({ endpoint: 'http://127.0.0.1:1' }), testContext())
  await exporter.start?.(never)
  await assert.rejects(exporter.export([record()], never), /ECONNREFUSED/)
  await exporter.stop?.(never)
})

test('TLS: an unknown authority is held, a known one with a client certificate delivers', async (t) => {
  const file = (name: string): string => join(import.meta.dirname, '../kit/tls', name)
  const cert = readFileSync(file('cert.pem'))
  const tls = { key: readFileSync(file('key.pem')), cert, ca: cert }
  let clients = 0
  const server = createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    request.resume().on('end', () => {
      clients += 1
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const endpoint = `https://localhost:${(server.address() as AddressInfo).port}`
  const send = async (settings: object): Promise<void> => {
    const exporter = otlpHttp.create(otlpHttp.config.parse({ endpoint, tls: settings }), testContext())
    await exporter.start?.(never)
    try {
      await exporter.export([record()], never)
    } finally {
      await exporter.stop?.(never)
    }
  }
  await assert.rejects(send({}), (error: Error) => error instanceof HoldError && /certificate/.test(error.message))
  await send({ ca_file: file('cert.pem'), cert_file: file('cert.pem'), key_file: file('key.pem') })
  assert.equal(clients, 1)
})

test('a certificate file that is missing is named when the exporter is made', () => {
  const parsed = otlpHttp.config.parse({ endpoint: 'https://localhost:1', tls: { ca_file: '/no/such.pem' } })
  assert.throws(() => otlpHttp.create(parsed, testContext()), /tls::ca_file: cannot read \/no\/such\.pem/)
})

test('a configuration without an endpoint is refused with an example', () => {
  assert.throws(() => otlpHttp.config.parse({}), /endpoint: http:\/\/localhost:4318/)
})

test('a time that OTLP cannot carry is sent as unknown, and poisons nothing', async () => {
  for (const encoding of ['json', 'proto'] as const) {
    const sink = await otlpSink()
    const exporter = otlpHttp.create(otlpHttp.config.parse({ endpoint: sink.url, encoding }), testContext())
    await exporter.start?.(never)
    const odd = [
      [-62_135_596_800, 0],
      [253_402_300_799, 0],
      [1e300, 0],
      [Number.NaN, 0],
    ] as [number, number][]
    await exporter.export([...odd.map((hrTime) => record({}, { hrTime })), record()], never)
    assert.deepEqual(
      sink.accepted.map(({ time }) => time === '0'),
      [true, true, true, true, false],
    )
    await exporter.stop?.(never)
    await sink.close()
  }
})

test('a record that cannot be encoded is rejected for bisection, not retried', async () => {
  const exporter = otlpHttp.create(otlpHttp.config.parse({ endpoint: 'http://127.0.0.1:1' }), testContext())
  await exporter.start?.(never)
  const poison = record({
    get trap(): string {
      throw new Error('no value')
    },
  })
  await assert.rejects(exporter.export([poison], never), (error: Error) => {
    assert(error instanceof RejectedError)
    assert.deepEqual([error.reason, error.bisect], ['unencodable', true])
    return true
  })
  await exporter.stop?.(never)
})
