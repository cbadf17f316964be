/** Whatever comes over the network: nothing throws, nothing takes long, and what is told is bounded and clean. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDns, parseDnsTcp } from '../../../src/ebpf/layer7/dns.ts'
import { parseHttp, readHttp } from '../../../src/ebpf/layer7/http.ts'
import { type StreamKind, Streams } from '../../../src/ebpf/layer7/streams.ts'
import { parseClientHello } from '../../../src/ebpf/layer7/tls.ts'
import {
  alpn,
  answer,
  dns,
  frame,
  hello,
  name,
  PREFACE,
  question,
  RESPONSE,
  SETTINGS,
  serverName,
  signatures,
  u16,
  versions,
} from './packets.ts'

const REPLY = dns({
  flags: RESPONSE,
  questions: [question('www.shop.example')],
  answers: [
    answer('*12', 5, name('edge.*16')),
    answer('edge.*16', 1, Buffer.from([10, 1, 2, 3])),
    answer('*12', 65, Buffer.concat([u16(1), name('*12'), u16(1, 3), Buffer.from('\x02h2')])),
    answer('*12', 16, Buffer.from('\x05hello')),
  ],
  others: [Buffer.concat([name(''), u16(41, 1232, 0, 0, 0)])],
})
const SAMPLES: readonly Buffer[] = [
  REPLY,
  Buffer.concat([u16(REPLY.length), REPLY]),
  hello({
    extensions: [
      serverName('shop.example'),
      alpn('h2', 'x'),
      versions(0x0304),
      signatures(0x0403),
      [0xfe0d, Buffer.alloc(40)],
    ],
  }),
  hello({ extensions: [serverName('shop.example'), [51, Buffer.alloc(600)]] }, 100),
  Buffer.from(
    'POST http://a:b@shop.example:80/a;b=c?d HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.0\r\n\r\n',
  ),
  Buffer.concat([PREFACE, SETTINGS, frame(1, 5, 1, Buffer.from('828684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex'))]),
]
const KINDS: readonly StreamKind[] = ['dns', 'tls', 'http']

/** A sample with bytes changed, cut, doubled and put behind another; or noise. */
const packet = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...SAMPLES),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
        fc.option(fc.constantFrom(...SAMPLES)),
      )
      .map(([sample, changes, cut, more]) => {
        const bytes = Buffer.concat([sample, more ?? Buffer.alloc(0)])
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes
      }),
  },
)

const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/

/** Every text of it is clean and no longer than promised; lists are short. */
function assertTold(value: unknown, depth = 0): void {
  assert(depth < 6)
  if (typeof value === 'string') {
    assert(value.length <= 2048, value)
    assert.doesNotMatch(value, FORBIDDEN)
    assert(value.isWellFormed())
  } else if (Array.isArray(value)) {
    assert(value.length <= 64)
    for (const each of value) assertTold(each, depth + 1)
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) assertTold(each, depth + 1)
  } else if (typeof value === 'number') {
    assert(Number.isSafeInteger(value) && value >= 0)
  }
}

test('parsers take anything', () => {
  fc.assert(
    fc.property(packet, fc.boolean(), (bytes, isAll) => {
      // Bytes behind the end would show in what is told.
      const memory = Buffer.concat([Buffer.from('\x07behind'), bytes, Buffer.from('\x07behind\r\n\r\n')])
      const [at, size] = [7, bytes.length]
      const told = [
        parseDns(memory, at, size),
        parseDnsTcp(memory, at, size),
        parseClientHello(memory, at, size, isAll),
        readHttp(memory, at, size, isAll).requests,
        parseHttp(memory, at, size),
      ]
      assertTold(told)
      const alone = Uint8Array.from(bytes)
      assert.deepEqual(told, [
        parseDns(alone, 0, size),
        parseDnsTcp(alone, 0, size),
        parseClientHello(alone, 0, size, isAll),
        readHttp(alone, 0, size, isAll).requests,
        parseHttp(alone, 0, size),
      ])
    }),
    { numRuns: 4000 },
  )
})

test('streams take anything in any order, and never hold more than they may', () => {
  const step = fc.record({
    cookie: fc.nat(5),
    ingress: fc.boolean(),
    kind: fc.constantFrom(...KINDS),
    offset: fc.oneof(fc.constant(0), fc.constant(-1), fc.nat(10_000)),
    bytes: packet,
    isDatagram: fc.boolean(),
    cut: fc.nat(3),
    wait: fc.nat(1e9),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const streams = new Streams({ most: 4 })
      const next = new Map<number, number>()
      let now = 0
      for (const { cookie, ingress, kind, offset, bytes, isDatagram, cut, wait } of steps) {
        const at = offset < 0 ? (next.get(cookie) ?? 0) : offset
        next.set(cookie, at + bytes.length)
        now += wait
        const total = bytes.length + (cut === 0 ? 1 : 0)
        assertTold(streams.add(cookie, ingress, kind, at, bytes, 0, bytes.length, now, isDatagram, total))
        assert(streams.size <= 4)
        assert(streams.expire(now, (_cookie, _ingress, found) => assertTold(found)) >= 0)
      }
      streams.expire(now + 3e9)
      assert.equal(streams.size, 0)
    }),
    { numRuns: 500 },
  )
})

test('the worst that fits into a packet takes no time', () => {
  const label = Buffer.concat(Array.from({ length: 60 }, () => Buffer.from('\x03abc')))
  const pointers = Buffer.concat(Array.from({ length: 64 }, (_, i) => answer(`*${12 + (i % 8)}`, 5, name('*12'))))
  const worst = dns({
    flags: RESPONSE,
    counts: [1, 0xffff, 0xffff, 0xffff],
    questions: [label, name(''), u16(1, 1), pointers],
  })
  const heads = Buffer.from(`GET / HTTP/1.1\r\n${'h\r\n'.repeat(2700)}`)
  const lists = hello({
    ciphers: Array.from({ length: 2000 }, (_, i) => i * 7),
    extensions: Array.from({ length: 900 }, (_, i): [number, Buffer] => [i, Buffer.alloc(0)]),
  })
  const table = Buffer.concat([
    PREFACE,
    frame(
      1,
      5,
      1,
      Buffer.concat([Buffer.from([0x40, 1, 65, 0x7f, 0x81, 0x1e]), Buffer.alloc(4000, 65), Buffer.alloc(120, 0xbe)]),
    ),
  ])
  const run: Readonly<Record<string, () => unknown>> = {
    dns: () => parseDns(worst, 0, worst.length),
    http: () => parseHttp(heads, 0, heads.length),
    tls: () => parseClientHello(lists, 0, lists.length),
    h2c: () => parseHttp(table, 0, table.length),
    text: () => parseHttp(Buffer.alloc(8192, 65), 0, 8192),
  }
  for (const [what, once] of Object.entries(run)) {
    once()
    const begin = performance.now()
    for (let i = 0; i < 20; i++) once()
    const ms = (performance.now() - begin) / 20
    assert(ms < 20, `${what} takes ${ms} ms`)
  }
})

test('what a message costs', (t) => {
  const query = dns({
    questions: [question('www.shop.example')],
    others: [Buffer.concat([name(''), u16(41, 1232, 0, 0, 0)])],
  })
  const request = Buffer.from(
    'GET /cart/7?session=abc HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: probe/1.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n',
  )
  const [, , greeting] = SAMPLES as readonly [Buffer, Buffer, Buffer]
  const run: Readonly<Record<string, () => unknown>> = {
    'a question of DNS': () => parseDns(query, 0, query.length),
    'an answer of DNS': () => parseDns(REPLY, 0, REPLY.length),
    'a greeting of TLS': () => parseClientHello(greeting, 0, greeting.length),
    'a request of HTTP': () => parseHttp(request, 0, request.length),
  }
  for (const [what, once] of Object.entries(run)) {
    for (let i = 0; i < 20_000; i++) once()
    const begin = performance.now()
    for (let i = 0; i < 50_000; i++) once()
    const ns = ((performance.now() - begin) * 1e6) / 50_000
    t.diagnostic(`${what}: ${Math.round(ns)} ns`)
    assert(ns < 100_000, `${what} takes ${ns} ns`)
  }
})
