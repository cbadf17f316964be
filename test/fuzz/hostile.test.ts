/** The real program under attack: the right status, bounded memory, and the next request is served. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import { ChannelCredentials, Client, Metadata, status } from '@grpc/grpc-js'
import { EXPORT_LOGS } from '../../src/otlp/grpc.ts'
import { type OtlpSink, otlpSink } from '../kit/otlp-sink.ts'
import { record } from '../kit/records.ts'
import { freePort, weir as run, until, type WeirProcess, workspace } from '../kit/weir.ts'
import { post, protobuf, said, someRecords } from '../receivers/otlp/kit.ts'

const MIB = 2 ** 20
/** At rest the program takes about 100 MiB from its sources; one body of 20 MiB at a time may be unpacked and read. */
const MOST_MIB = 420

interface Target {
  readonly http: number
  readonly grpc: number
  readonly weir: WeirProcess
  readonly sink: OtlpSink
}

/** One program for all attacks, which must live through them one after the other. */
const room = workspace()
let target: Target

async function start(): Promise<Target> {
  const [http, grpc, sink] = [await freePort(), await freePort(), await otlpSink()]
  const config = room.write(
    'weir.yaml',
    `
receivers:
  otlp:
    protocols:
      http: {endpoint: '127.0.0.1:${http}', read_timeout: 20s, max_connections: 300}
      grpc: {endpoint: '127.0.0.1:${grpc}'}
exporters:
  otlp_http: {endpoint: '${sink.url}', sending_queue: {batch: {flush_timeout: 10ms}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`,
  )
  // With the heap that it gives itself.
  const weir = run(['run', '--config', config, '--state-dir', room.stateDir], {}, ['env'])
  await weir.says(/Everything is ready/)
  return { http, grpc, weir, sink }
}

function peakMiB({ weir }: Target): number {
  const text = readFileSync(`/proc/${weir.child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1]) / 1024
}

/** A body that is sent piece by piece. */
async function stream(headers: OutgoingHttpHeaders, piece: Buffer, count: number): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>()
  const request = httpRequest({
    host: '127.0.0.1',
    port: target.http,
    path: '/v1/logs',
    method: 'POST',
    agent: false,
    headers,
  })
  request.on('response', (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  request.on('error', ({ message }) => resolve(message))
  for (let i = 0; i < count && !request.destroyed; i++) {
    if (!request.write(piece)) {
      let go = (): void => {}
      await Promise.race([new Promise<void>((drained) => request.once('drain', (go = drained))), promise])
      request.off('drain', go)
    }
  }
  request.end()
  return promise
}

/** `mib` MiB of the same byte, packed. */
async function bomb(
  packer: ReturnType<typeof createGzip> | ReturnType<typeof createZstdCompress>,
  mib: number,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  packer.on('data', (chunk: Buffer) => chunks.push(chunk))
  const zeros = Buffer.alloc(MIB)
  for (let i = 0; i < mib; i++) if (!packer.write(zeros)) await new Promise((resolve) => packer.once('drain', resolve))
  packer.end()
  await new Promise((resolve) => packer.once('end', resolve))
  return Buffer.concat(chunks)
}

async function assertServed(): Promise<void> {
  const before = target.sink.accepted.length
  const answer = await post(target.http, protobuf(...someRecords(3)))
  assert.equal(answer.status, 200, said(answer))
  assert.equal(target.sink.accepted.length, before + 3)
  assert.equal(target.weir.child.exitCode, null)
  assert(peakMiB(target) < MOST_MIB, `${peakMiB(target)} MiB`)
}

const JSON_HEADERS = { 'content-type': 'application/json' }
const nested = (depth: number): string => `{"resourceLogs":${'['.repeat(depth)}${']'.repeat(depth)}}`
const inBody = (inner: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${inner}}]}]}]}`

suite('a program under attack', () => {
  test.before(async () => {
    target = await start()
  })
  test.after(async () => {
    await target.weir.end('SIGKILL')
    await room.remove()
    await target.sink.close()
  })

  test('100 MiB with their length: 413 before they are read', async () => {
    const status = await stream({ ...JSON_HEADERS, 'content-length': 100 * MIB }, Buffer.alloc(MIB, 'x'), 100)
    assert.equal(status, 413)
    await assertServed()
  })
  test('100 MiB in chunks: 413 once they are too many', async () => {
    const status = await stream(JSON_HEADERS, Buffer.alloc(MIB, 'x'), 100)
    assert.equal(status, 413)
    await assertServed()
  })
  test('ten senders of 100 MiB in chunks at once', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => stream(JSON_HEADERS, Buffer.alloc(MIB, 'x'), 100)))
    // Those that wait for their turn longer than a request may take are cut off.
    for (const one of all) assert(one === 413 || one === 429 || one === 408 || typeof one === 'string', String(one))
    await assertServed()
  })
  test('gzip and zstd bombs of a GiB: 413, also many at once', async () => {
    const bombs: [string, Buffer][] = [
      ['gzip', await bomb(createGzip(), 1024)],
      ['zstd', await bomb(createZstdCompress(), 1024)],
      [
        'zstd',
        await bomb(
          createZstdCompress({
            params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 },
          }),
          256,
        ),
      ],
    ]
    for (const [encoding, body] of bombs) {
      assert(body.length < 2 * MIB)
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => post(target.http, body, { headers: { 'content-encoding': encoding } })),
      )
      for (const answer of answers) assert([400, 413].includes(answer.status), `${answer.status} ${said(answer)}`)
      await assertServed()
    }
  })
  test('bombs in bombs are unpacked once', async () => {
    const { gzipSync } = await import('node:zlib')
    const answer = await post(target.http, gzipSync(gzipSync(Buffer.alloc(10 * MIB))), {
      headers: { 'content-encoding': 'gzip' },
    })
    assert.equal(answer.status, 400)
    await assertServed()
  })

  const bodies: [name: string, body: Buffer | string, statuses: number[]][] = [
    ['truncated protobuf', protobuf(...someRecords(100)).subarray(0, -7), [400]],
    ['a length of 2^63', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), [400]],
    ['a group', Buffer.from([0x0b, 0x0c]), [400]],
    ['JSON of a million levels', nested(1_000_000), [400]],
    [
      'JSON values of 200,000 levels',
      inBody(`${'{"arrayValue":{"values":['.repeat(200_000)}${']}}'.repeat(200_000)}`),
      [400],
    ],
    [
      'JSON with a large number in a million levels',
      `{"n":12345678901234567890,"x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`,
      [400],
    ],
    ['15 MiB of empty JSON objects', `{"x":[${'{},'.repeat(5 * MIB)}{}]}`, [400]],
    [
      '10 MiB of JSON keys, each another',
      `{"x":{${Array.from({ length: 700_000 }, (_, i) => `"k${i}":0`).join(',')}}}`,
      [200],
    ],
    ['10 MiB of empty records', recordsOnly(5 * MIB), [413]],
    ['10 MiB of empty values', Buffer.concat([inRecord(0x2a, Buffer.alloc(10 * MIB, Buffer.from([0x0a, 0])))]), [200]],
    [
      '100,000 attributes',
      protobuf(record(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])))),
      [200],
    ],
    ['protobuf of 100,000 levels', inRecord(0x2a, deep(100_000)), [200]],
    [
      'keys that change what objects inherit',
      inBody(
        '{"kvlistValue":{"values":[{"key":"__proto__","value":{"kvlistValue":{"values":[{"key":"polluted","value":{"stringValue":"x"}}]}}}]}}',
      ),
      [200],
    ],
    ['a MiB that is not UTF-8', inRecord(0x0a, Buffer.alloc(MIB, 0xff)), [200]],
  ]
  for (const [name, body, statuses] of bodies) {
    test(`${name}: ${statuses.join(' or ')}`, async () => {
      const answer = await post(target.http, body)
      assert(statuses.includes(answer.status), `${answer.status} ${said(answer)}`)
      await assertServed()
    })
  }

  test('over gRPC: a large message, a packed bomb, and broken ones', async () => {
    const client = new Client(`127.0.0.1:${target.grpc}`, ChannelCredentials.createInsecure(), {
      'grpc.default_compression_algorithm': 2,
    })
    const asItIs = (bytes: Buffer): Buffer => bytes
    const call = (body: Buffer): Promise<number> =>
      new Promise((resolve) => {
        client.makeUnaryRequest(EXPORT_LOGS.path, asItIs, asItIs, body, new Metadata(), (error) =>
          resolve(error?.code ?? 0),
        )
      })
    assert.equal(await call(Buffer.alloc(100 * MIB)), status.RESOURCE_EXHAUSTED)
    assert.equal(await call(protobuf(...someRecords(10)).subarray(0, -1)), status.INVALID_ARGUMENT)
    assert.equal(await call(Buffer.from([0xff])), status.INVALID_ARGUMENT)
    assert.equal(await call(protobuf(...someRecords(2))), status.OK)
    client.close()
    await assertServed()
  })
  test('noise on both ports, and more idle connections than are allowed', async () => {
    const sockets: Socket[] = []
    const open = (port: number, bytes: string): void => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
      socket.on('error', () => {}).resume()
      sockets.push(socket)
    }
    for (let i = 0; i < 200; i++) {
      open(target.http, 'POST /v1/logs HTTP/1.1\r\nhost: x\r\n')
      open(target.http, '\x16\x03\x01\x02\x00\x01\x00')
      open(target.grpc, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff')
    }
    await until(async () => sockets.some((socket) => socket.destroyed), 'some are refused')
    for (const socket of sockets) socket.destroy()
    await until(
      async () => (await post(target.http, protobuf(record())).catch(() => undefined))?.status === 200,
      'room for a client',
    )
    await assertServed()
  })
  test('and it ends as it should', async (t) => {
    t.diagnostic(`the program took ${Math.round(peakMiB(target))} MiB at most`)
    assert.deepEqual(await target.weir.end(), { code: 0, signal: null })
    assert.doesNotMatch(target.weir.stderr, /uncaught|unhandled|FATAL/i)
  })
})

function inRecord(tag: number, inside: Buffer): Buffer {
  return message(0x0a, message(0x12, message(0x12, message(0x2a, message(tag, inside)))))
}

function message(tag: number, inside: Buffer): Buffer {
  const length: number[] = []
  for (let rest = inside.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return Buffer.concat([Buffer.from([tag, ...length]), inside])
}

function recordsOnly(count: number): Buffer {
  return message(0x0a, message(0x12, Buffer.alloc(count * 2, Buffer.from([0x12, 0]))))
}

/** Lists in lists, written from the inside without copying the whole each time. */
function deep(levels: number): Buffer {
  const heads: Buffer[] = []
  let length = 0
  const head = (tag: number): void => {
    const bytes: number[] = [tag]
    for (let rest = length; ; rest >>>= 7) {
      bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
      if (rest <= 0x7f) break
    }
    heads.push(Buffer.from(bytes))
    length += bytes.length
  }
  for (let i = 0; i < levels; i++) {
    head(0x2a)
    head(0x0a)
  }
  return Buffer.concat(heads.reverse())
}
