import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { constants, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Metadata, ServerCredentials, status } from '@grpc/grpc-js'
import { targetOf } from '../../exporters/otlp_grpc/config.ts'
import { otlpGrpc } from '../../exporters/otlp_grpc/index.ts'
import { HoldError, PartialError, RejectedError, RetryLaterError, TooLargeError } from '../../src/exporting/errors.ts'
import { CODE, encodeStatus } from '../../src/otlp/status.ts'
import { testContext } from '../kit/context.ts'
import { exporterContract } from '../kit/exporter-contract.ts'
import { type GrpcSink, grpcSink } from '../kit/grpc-sink.ts'
import { record } from '../kit/records.ts'

const never = new AbortController().signal
const insecure = { tls: { insecure: true } }

exporterContract(otlpGrpc, {
  async destination() {
    const sink = await grpcSink()
    const answers = { fails: status.UNAVAILABLE, rejects: status.INVALID_ARGUMENT } as const
    return {
      config: { endpoint: `127.0.0.1:${sink.port}`, ...insecure },
      mood(mood) {
        if (mood === 'accepts') sink.respond = undefined
        else if (mood === 'hangs') sink.respond = () => {}
        else sink.respond = (_, answer) => answer({ code: answers[mood], details: 'because' })
      },
      received: async () => sink.accepted.map(({ attributes }) => String(attributes['id'])),
      close: () => sink.close(),
    }
  },
})

async function withSink(
  config: object,
  run: (send: (count?: number) => Promise<void>, sink: GrpcSink, counts: Record<string, number>) => Promise<void>,
  given?: GrpcSink,
): Promise<void> {
  const sink = given ?? (await grpcSink())
  const context = testContext()
  const exporter = otlpGrpc.create(
    otlpGrpc.config.parse({ endpoint: `127.0.0.1:${sink.port}`, ...insecure, ...config }),
    context,
  )
  await exporter.start?.(never)
  try {
    await run(
      (count = 3) =>
        exporter.export(
          Array.from({ length: count }, (_, id) => record({ id })),
          never,
        ),
      sink,
      context.counts,
    )
  } finally {
    await exporter.stop?.(never)
    await sink.close()
  }
}

for (const compression of ['gzip', 'none']) {
  test(`compression ${compression}: requests arrive whole, also many at once and one after the other`, () =>
    withSink({ compression, headers: { 'X-Scope-OrgID': 'team' } }, async (send, sink, counts) => {
      await Promise.all(Array.from({ length: 20 }, () => send(50)))
      for (let i = 0; i < 5; i++) await send(50)
      assert.equal(sink.accepted.length, 25 * 50)
      for (const { records, metadata } of sink.requests) {
        assert.deepEqual(
          records.map(({ attributes }) => attributes['id']),
          Array.from({ length: 50 }, (_, id) => id),
        )
        assert.deepEqual(metadata.get('x-scope-orgid'), ['team'])
      }
      assert((counts['weir_exporter_sent_bytes'] ?? 0) > 0)
    }))
}

const again = { retryAfterMs: undefined }
const answers: {
  code: status
  details?: string
  retryMs?: number
  error: new (...args: never[]) => Error
  more?: object
}[] = [
  { code: status.CANCELLED, error: RetryLaterError, more: again },
  { code: status.UNKNOWN, error: RetryLaterError, more: again },
  { code: status.INVALID_ARGUMENT, error: RejectedError, more: { bisect: true, reason: 'grpc_invalid_argument' } },
  { code: status.DEADLINE_EXCEEDED, error: RetryLaterError, more: again },
  { code: status.NOT_FOUND, error: HoldError },
  { code: status.PERMISSION_DENIED, error: HoldError },
  { code: status.RESOURCE_EXHAUSTED, error: RetryLaterError, more: again },
  { code: status.RESOURCE_EXHAUSTED, retryMs: 7500, error: RetryLaterError, more: { retryAfterMs: 7500 } },
  {
    code: status.RESOURCE_EXHAUSTED,
    details: 'grpc: received message larger than max (5 vs. 4)',
    error: TooLargeError,
  },
  { code: status.FAILED_PRECONDITION, error: HoldError },
  { code: status.ABORTED, error: RetryLaterError, more: again },
  { code: status.OUT_OF_RANGE, error: RetryLaterError, more: again },
  { code: status.UNIMPLEMENTED, error: HoldError },
  { code: status.INTERNAL, error: RetryLaterError, more: again },
  { code: status.UNAVAILABLE, error: RetryLaterError, more: again },
  { code: status.UNAVAILABLE, retryMs: 3000, error: RetryLaterError, more: { retryAfterMs: 3000 } },
  { code: status.DATA_LOSS, error: RetryLaterError, more: again },
  { code: status.UNAUTHENTICATED, error: HoldError },
]
for (const { code, details = 'because', retryMs, error, more = {} } of answers) {
  test(`the answer ${status[code]}${retryMs ? ' with RetryInfo' : ''} (${details}) is a ${error.name} that says so`, () =>
    withSink({}, async (send, sink) => {
      sink.respond = (_, answer) => {
        const metadata = new Metadata()
        if (retryMs !== undefined) {
          metadata.set(
            'grpc-status-details-bin',
            encodeStatus(false, { code: CODE.ok, message: '', retryAfterMs: retryMs }),
          )
        }
        answer({ code, details, metadata })
      }
      await assert.rejects(send(), (thrown: Error) => {
        assert(thrown instanceof error, String(thrown))
        assert(thrown.message.includes(`${status[code]}: ${details}`), thrown.message)
        for (const [key, value] of Object.entries(more)) assert.equal((thrown as never)[key], value)
        return true
      })
      assert.equal(sink.requests.length, 1, 'one attempt and no hidden retries')
    }))
}

test('a destination that limits its messages makes a batch be halved', async () => {
  const sink = await grpcSink(undefined, { 'grpc.max_receive_message_length': 1000 })
  await withSink({ compression: 'none' }, (send) => assert.rejects(send(100), TooLargeError), sink)
})

test('a partial success is counted, not sent again', () =>
  withSink({}, async (send, sink) => {
    sink.respond = (_, answer) => answer(null, Buffer.from([0x0a, 11, 0x08, 2, 0x12, 7, ...Buffer.from('too old')]))
    await assert.rejects(send(5), (thrown: Error) => {
      assert(thrown instanceof PartialError)
      assert.deepEqual([thrown.rejectedCount, thrown.retry, thrown.message], [2, [], 'too old'])
      return true
    })
  }))

test('an OK that is not OTLP is taken as success, and counted', () =>
  withSink({}, async (send, sink, counts) => {
    sink.respond = (_, answer) => answer(null, Buffer.from([0xff]))
    await send(3)
    assert.equal(counts['weir_exporter_partial_unknown'], 3)
  }))

test('a destination that is not there is tried again, and found soon after it comes back', async () => {
  const sink = await grpcSink()
  await sink.close()
  const settings = { endpoint: `127.0.0.1:${sink.port}`, ...insecure }
  const exporter = otlpGrpc.create(otlpGrpc.config.parse(settings), testContext())
  await exporter.start?.(never)
  await assert.rejects(exporter.export([record()], never), (error: Error) => {
    assert(error instanceof RetryLaterError)
    assert.match(error.message, /UNAVAILABLE: .*ECONNREFUSED/)
    return true
  })
  await exporter.stop?.(never)
})

const file = (name: string): string => join(import.meta.dirname, '../kit/tls', name)
test('TLS: an unknown authority is held, a known one with a client certificate delivers', async () => {
  const cert = readFileSync(file('cert.pem'))
  const pair = { private_key: readFileSync(file('key.pem')), cert_chain: cert }
  const sink = await grpcSink(ServerCredentials.createSsl(cert, [pair], true))
  const send = async (tls: object): Promise<void> => {
    const exporter = otlpGrpc.create(otlpGrpc.config.parse({ endpoint: `localhost:${sink.port}`, tls }), testContext())
    await exporter.start?.(never)
    try {
      await exporter.export([record()], never)
    } finally {
      await exporter.stop?.(never)
    }
  }
  await assert.rejects(send({}), (error: Error) => error instanceof HoldError && /certificate/.test(error.message))
  await send({ ca_file: file('cert.pem'), cert_file: file('cert.pem'), key_file: file('key.pem') })
  assert.equal(sink.accepted.length, 1)
  await sink.close()
})

test('credentials go along as authorization', () =>
  withSink({ auth: { bearer_token: 'token' } }, async (send, sink) => {
    await send(1)
    assert.deepEqual(sink.requests[0]?.metadata.get('authorization'), ['Bearer token'])
  }))

test('proxies and endpoints of the environment do not lead a request astray', async () => {
  const leaks = {
    http_proxy: 'http://127.0.0.1:9',
    grpc_proxy: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-leak=1',
  }
  Object.assign(process.env, leaks)
  try {
    await withSink({}, async (send, sink) => {
      await send(1)
      assert.deepEqual(sink.requests[0]?.metadata.get('x-leak'), [])
    })
  } finally {
    for (const name of Object.keys(leaks)) delete process.env[name]
  }
})

const targets: [endpoint: string, tls: object, target: string, isSecure: boolean][] = [
  ['gateway:4317', {}, 'dns:gateway:4317', true],
  ['gateway:4317', { insecure: true }, 'dns:gateway:4317', false],
  ['http://gateway:4317', {}, 'dns:gateway:4317', false],
  ['https://gateway:4317/', { insecure: true }, 'dns:gateway:4317', true],
  ['https://gateway', {}, 'dns:gateway:443', true],
  ['dns:///gateway:4317', {}, 'dns:gateway:4317', true],
  ['[::1]:4317', {}, 'dns:[::1]:4317', true],
]
for (const [endpoint, tls, target, isSecure] of targets) {
  test(`the endpoint ${endpoint} with ${JSON.stringify(tls)} is ${target}, ${isSecure ? 'with' : 'without'} TLS`, () => {
    assert.deepEqual(targetOf(otlpGrpc.config.parse({ endpoint, tls })), { target, isSecure })
  })
}
for (const endpoint of ['', 'ftp://x:1', 'a b:1', 'http://x/path']) {
  test(`the endpoint "${endpoint}" is refused with an example`, () => {
    assert.throws(() => otlpGrpc.config.parse({ endpoint }), /expected host:port or a URL/)
  })
}

test('a request that the server never looked at goes again at once, and only once', async (t) => {
  const bytes: number[] = []
  let refused = 1
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {})
    if (refused-- > 0) return stream.close(constants.NGHTTP2_REFUSED_STREAM)
    let size = 0
    stream.on('data', (chunk: Buffer) => (size += chunk.length))
    stream.on('end', () => {
      bytes.push(size)
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.alloc(5))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const config = { endpoint: `127.0.0.1:${port}`, compression: 'none', ...insecure }
  const exporter = otlpGrpc.create(otlpGrpc.config.parse(config), testContext())
  await exporter.start?.(never)
  t.after(async () => {
    await exporter.stop?.(never)
    server.close()
  })
  // Larger than what gRPC keeps for another attempt by default.
  const large = [record({ id: 0 }, { body: 'x'.repeat(3_000_000) })]
  await exporter.export(large, never)
  assert.equal(bytes.length, 1)
  assert((bytes[0] ?? 0) > 3_000_000)
  refused = 2
  await assert.rejects(exporter.export(large, never), RetryLaterError)
  assert.equal(bytes.length, 1)
})
