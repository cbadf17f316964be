import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ChannelCredentials,
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { DELIVERED } from '../../../src/flow/ack.ts'
import { Door } from '../../../src/flow/gate.ts'
import { EXPORT_LOGS } from '../../../src/otlp/grpc.ts'
import { readPartialSuccess } from '../../../src/otlp/response.ts'
import { FAILED, REJECTED } from '../../kit/outcomes.ts'
import { record } from '../../kit/records.ts'
import { until } from '../../kit/weir.ts'
import { protobuf, reception, someRecords } from './kit.ts'

interface Called {
  readonly code: number
  readonly details: string
  readonly body: Buffer
  readonly metadata: Metadata | undefined
}

const clients: Client[] = []
function client(port: number, credentials = ChannelCredentials.createInsecure(), options: ChannelOptions = {}): Client {
  const made = new Client(`localhost:${port}`, credentials, { 'grpc.enable_retries': 0, ...options })
  clients.push(made)
  return made
}

function call(
  to: Client,
  body: Buffer,
  headers: Record<string, string> = {},
  path: string = EXPORT_LOGS.path,
): Promise<Called> {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
  const asItIs = (bytes: Buffer): Buffer => bytes
  return new Promise((resolve) => {
    to.makeUnaryRequest(
      path,
      asItIs,
      asItIs,
      body,
      metadata,
      { deadline: Date.now() + 20_000 },
      (error: ServiceError | null, answer) =>
        resolve({
          code: error?.code ?? 0,
          details: error?.details ?? '',
          metadata: error?.metadata,
          body: answer ?? Buffer.alloc(0),
        }),
    )
  })
}

const file = (name: string): string => join(import.meta.dirname, '../../kit/tls', name)
const certificate = readFileSync(file('cert.pem'))
const key = readFileSync(file('key.pem'))

suite('OTLP over gRPC', () => {
  test('a message is taken and answered once it is delivered, packed or not', async (t) => {
    const here = await reception(t, { grpc: {} })
    let isDelivered = false
    here.judge = async () => {
      await sleep(30)
      isDelivered = true
      return DELIVERED
    }
    assert.deepEqual([(await call(client(here.grpc), protobuf(...someRecords(20)))).code, isDelivered], [0, true])
    const packing = { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip }
    assert.equal((await call(client(here.grpc, undefined, packing), protobuf(...someRecords(20)))).code, 0)
    assert.deepEqual(
      here.received.map(({ attributes }) => attributes['id']),
      [...someRecords(20), ...someRecords(20)].map(({ attributes }) => attributes['id']),
    )
    assert.equal(here.budget.used, 0)
    assert.equal(here.answers['grpc OK'], 2)
  })
  test('both protocols give one request the same identities', async (t) => {
    const here = await reception(t, { grpc: {} })
    const body = protobuf(...someRecords(2))
    await call(client(here.grpc), body)
    await call(client(here.grpc, undefined, { 'grpc.default_compression_algorithm': 2 }), body)
    const uids = here.received.map(({ attributes }) => attributes['log.record.uid'])
    assert.deepEqual(uids.slice(0, 2), uids.slice(2))
  })
  test('an empty message is answered without the pipeline', async (t) => {
    const here = await reception(t, { grpc: {} })
    assert.equal((await call(client(here.grpc), Buffer.alloc(0))).code, 0)
    assert.equal(here.received.length, 0)
  })
  test('rejected: never to send it again, with a warning', async (t) => {
    const here = await reception(t, { grpc: {} })
    here.judge = () => REJECTED
    const { code, body } = await call(client(here.grpc), protobuf(record()))
    assert.equal(code, 0)
    assert.match(readPartialSuccess(body, false)?.message ?? '', /kept in the dead-letter file/)
  })
  test('failed: UNAVAILABLE, and when to come again', async (t) => {
    const here = await reception(t, { grpc: {} })
    here.judge = () => FAILED
    const { code, metadata } = await call(client(here.grpc), protobuf(record()))
    assert.equal(code, status.UNAVAILABLE)
    assert.match(String(metadata?.get('grpc-status-details-bin')[0]), /google\.rpc\.RetryInfo/)
  })
  test('what cannot be read: INVALID_ARGUMENT, in words', async (t) => {
    const here = await reception(t, { grpc: {} })
    const { code, details } = await call(client(here.grpc), protobuf(record()).subarray(0, -1))
    assert.equal(code, status.INVALID_ARGUMENT)
    assert.match(details, /truncated protobuf/)
    assert.equal((await call(client(here.grpc), protobuf(record()))).code, 0, 'the next one is taken')
  })
  test('no room in time: RESOURCE_EXHAUSTED with RetryInfo, before the message is read', async (t) => {
    const here = await reception(t, { grpc: {}, budget: 4096, admission_timeout: '200ms' })
    const open = Promise.withResolvers<typeof DELIVERED>()
    here.judge = () => open.promise
    const first = call(client(here.grpc), protobuf(...someRecords(30)))
    await until(() => here.received.length > 0, 'the first message')
    const { code, metadata } = await call(client(here.grpc), protobuf(...someRecords(30)))
    assert.equal(code, status.RESOURCE_EXHAUSTED)
    assert.match(String(metadata?.get('grpc-status-details-bin')[0]), /google\.rpc\.RetryInfo/)
    open.resolve(DELIVERED)
    assert.equal((await first).code, 0)
    assert.equal(here.received.length, 30)
    assert.equal(here.budget.used, 0)
  })
  test('memory is short: UNAVAILABLE at once', async (t) => {
    const gate = new Door()
    gate.shut()
    const here = await reception(t, { grpc: {}, gate, admission_timeout: '10s' })
    const startedAt = Date.now()
    assert.equal((await call(client(here.grpc), protobuf(record()))).code, status.UNAVAILABLE)
    assert(Date.now() - startedAt < 3000)
  })
  test('a message that is too large, packed or not: RESOURCE_EXHAUSTED', async (t) => {
    const here = await reception(t, { grpc: { max_recv_msg_size_mib: 1 } })
    const large = protobuf(record({ text: 'x'.repeat(2_000_000) }))
    for (const algorithm of [0, 2]) {
      const to = client(here.grpc, undefined, { 'grpc.default_compression_algorithm': algorithm })
      const { code, details } = await call(to, large)
      assert.equal(code, status.RESOURCE_EXHAUSTED, details)
      assert.match(details, /larger than/)
    }
    await until(() => here.budget.used === 0, 'the room is given back')
    assert.equal(here.received.length, 0)
  })
  test('another service: UNIMPLEMENTED', async (t) => {
    const here = await reception(t, { grpc: {} })
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
    assert.equal((await call(client(here.grpc), Buffer.alloc(0), {}, path)).code, status.UNIMPLEMENTED)
  })
  test('without the right credentials: UNAUTHENTICATED, and the message is not read', async (t) => {
    const here = await reception(t, { grpc: { auth: { bearer_token: 'right' } } })
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'right' }] as Record<
      string,
      string
    >[]) {
      assert.equal((await call(client(here.grpc), protobuf(record()), headers)).code, status.UNAUTHENTICATED)
    }
    assert.equal((await call(client(here.grpc), protobuf(record()), { authorization: 'bearer right' })).code, 0)
    assert.equal(here.received.length, 1)
  })
  test('TLS, and with client_ca_file only for clients with a certificate', async (t) => {
    const tls = { cert_file: file('cert.pem'), key_file: file('key.pem') }
    const open = await reception(t, { grpc: { tls } })
    const trusting = ChannelCredentials.createSsl(certificate)
    assert.equal((await call(client(open.grpc, trusting), protobuf(record()))).code, 0)
    const closed = await reception(t, { grpc: { tls: { ...tls, client_ca_file: file('cert.pem') } } })
    assert.equal((await call(client(closed.grpc, trusting), protobuf(record()))).code, status.UNAVAILABLE)
    const known = ChannelCredentials.createSsl(certificate, key, certificate)
    assert.equal((await call(client(closed.grpc, known), protobuf(record()))).code, 0)
    assert.equal(closed.received.length, 1)
  })
  test('a message that never comes is given up, and its room is free again', async (t) => {
    const here = await reception(t, { grpc: { read_timeout: '200ms' } })
    const session = connect(`http://127.0.0.1:${here.grpc}`)
    t.after(() => session.destroy())
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT_LOGS.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const headers = new Promise<Record<string, unknown>>((resolve) => stream.on('response', resolve))
    stream.write(Buffer.from([0, 0, 0, 1, 0]))
    await until(() => here.budget.used > 0, 'the room is taken')
    assert.equal((await headers)['grpc-status'], String(status.UNAVAILABLE))
    assert.equal(here.budget.used, 0)
  })
  test('a client that goes before its answer: the records go on, and it is counted', async (t) => {
    const here = await reception(t, { grpc: {} })
    const open = Promise.withResolvers<typeof DELIVERED>()
    here.judge = () => open.promise
    const to = client(here.grpc)
    void call(to, protobuf(...someRecords(3)))
    await until(() => here.received.length === 3, 'the records')
    to.close()
    await sleep(100)
    open.resolve(DELIVERED)
    await until(() => (here.answers['grpc gone'] ?? 0) + (here.answers['grpc OK'] ?? 0) === 1, 'the count')
    assert.equal(here.budget.used, 0)
  })
  test('stopping: what is on its way is answered, what comes then is told to come again', async (t) => {
    const here = await reception(t, { grpc: {} })
    const open = Promise.withResolvers<typeof DELIVERED>()
    here.judge = () => open.promise
    const to = client(here.grpc)
    const first = call(to, protobuf(...someRecords(2)))
    await until(() => here.received.length === 2, 'the first message')
    await here.stopTaking()
    assert.equal((await call(to, protobuf(record()))).code, status.UNAVAILABLE)
    const stopped = here.stop()
    await sleep(50)
    open.resolve(DELIVERED)
    assert.equal((await first).code, 0)
    await stopped
    assert.equal(here.received.length, 2)
  })
  test.after(() => {
    for (const one of clients) one.close()
  })
})
