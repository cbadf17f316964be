import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Layer7, type StreamKind, Streams } from '../../../src/ebpf/layer7/streams.ts'
import { dns, hello, PREFACE, question, SETTINGS, serverName, u16 } from './packets.ts'

const GREETING = hello({ extensions: [[0x33, Buffer.alloc(1216, 7)], serverName('late.example')] })
const SECOND = 1e9

/** What a record of it would be about. */
function said(found: readonly Layer7[]): (string | undefined)[] {
  return found.map((each) => {
    if (each.kind === 'dns') return each.message.questions[0]?.name
    return each.kind === 'tls' ? each.hello.serverName : each.request.path
  })
}

class Line {
  readonly streams: Streams
  readonly kind: StreamKind
  offset = 0

  constructor(kind: StreamKind, streams = new Streams()) {
    this.kind = kind
    this.streams = streams
  }

  send(bytes: Buffer | string, { now = 0, seen = bytes.length, cookie = 'a' } = {}): (string | undefined)[] {
    const memory = Buffer.concat([Buffer.alloc(16, 1), Buffer.from(bytes), Buffer.alloc(16, 2)])
    const at = this.offset
    this.offset += bytes.length
    return said(this.streams.add(cookie, false, this.kind, at, memory, 16, seen, now, false, bytes.length))
  }
}

test('a greeting in one segment is read where it lies', () => {
  const line = new Line('tls')
  assert.deepEqual(line.send(GREETING), ['late.example'])
  assert.equal(line.streams.size, 0)
})

test('a greeting in segments of every size', () => {
  for (const size of [1, 7, 100, 536, 1200, GREETING.length - 1]) {
    const line = new Line('tls')
    const found: unknown[] = []
    for (let at = 0; at < GREETING.length; at += size) found.push(...line.send(GREETING.subarray(at, at + size)))
    assert.deepEqual(found, ['late.example'], `${size}`)
    assert.equal(line.streams.size, 0)
  }
})

test('a segment that is sent twice counts once', () => {
  const line = new Line('tls')
  line.send(GREETING.subarray(0, 700))
  assert.deepEqual(line.send(GREETING.subarray(0, 700)), [])
  assert.deepEqual(line.send(GREETING.subarray(700)), ['late.example'])
})

test('a segment of which only a part was seen ends the waiting', () => {
  const line = new Line('tls')
  assert.deepEqual(line.send(GREETING, { seen: GREETING.length - 2 }), [undefined])
  const late = hello({ extensions: [serverName('early.example'), [0x33, Buffer.alloc(1216)]] })
  assert.deepEqual(new Line('tls').send(late, { seen: 300 }), ['early.example'])
  const two = new Line('tls')
  two.send(late.subarray(0, 200))
  assert.deepEqual(two.send(late.subarray(200), { seen: 100 }), ['early.example'])
  assert.equal(two.streams.expire(0), 0)
})

test('a piece that is missing ends it with what was there before', () => {
  const line = new Line('tls')
  const early = hello({ extensions: [serverName('early.example'), [0x33, Buffer.alloc(1216)]] })
  line.send(early.subarray(0, 600))
  line.offset += 100
  assert.deepEqual(line.send(early.subarray(700, 900)), ['early.example'])
  assert.equal(line.streams.size, 0)
  line.offset += 1
  assert.deepEqual(line.send(early.subarray(901)), [])
})

test('at most 8 KiB are kept', () => {
  const line = new Line('tls')
  const large = hello({ extensions: [serverName('early.example'), [0x33, Buffer.alloc(12_000)]] })
  const found: unknown[] = []
  for (let at = 0; at < large.length; at += 1000) found.push(...line.send(large.subarray(at, at + 1000)))
  assert.deepEqual(found, ['early.example'])
  assert.equal(line.streams.size, 0)
})

test('a head in two segments, and one that begins anew in between', () => {
  const line = new Line('http')
  assert.deepEqual(line.send('GET /a HTTP/1.1\r\nHo'), [])
  assert.deepEqual(line.send('st: x\r\n\r\nGET /b HTTP/1.1\r\n'), ['/a'])
  assert.deepEqual(line.send('\r\n'), ['/b'])
  assert.deepEqual(line.send('body'), [])
  line.offset = 0
  assert.deepEqual(line.send('GET /c HTTP/1.1\r\nHo'), [])
  line.offset = 0
  assert.deepEqual(line.send('GET /d HTTP/1.1\r\n\r\n'), ['/c', '/d'])
  line.offset = 0
  assert.deepEqual(line.send('GET /e HTTP/1.1\r\n\r\nGET /f HTTP/1.1\r\n'), ['/e'])
  assert.deepEqual(line.send('\r\n'), ['/f'])
})

test('HTTP/2 that sends its headers after its settings', () => {
  const line = new Line('http')
  assert.deepEqual(line.send(Buffer.concat([PREFACE, SETTINGS])), [])
  assert.deepEqual(line.send(Buffer.from('000011010500000001828684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex')), ['/'])
})

test('DNS over TCP: messages across segments, and a length that went ahead unseen', () => {
  const all = ['a.example', 'b.example', 'c.example'].map((name) => dns({ questions: [question(name)] }))
  const stream = Buffer.concat(all.flatMap((one) => [u16(one.length), one]))
  for (const size of [1, 5, 29, 40, 1000]) {
    const line = new Line('dns')
    const found: unknown[] = []
    for (let at = 0; at < stream.length; at += size) found.push(...line.send(stream.subarray(at, at + size)))
    assert.deepEqual(found, ['a.example', 'b.example', 'c.example'], `${size}`)
  }
  assert.deepEqual(new Line('dns').send(all[0] as Buffer), ['a.example'])
})

test('a datagram never waits', () => {
  const streams = new Streams()
  const query = dns({ questions: [question('a.example')] })
  assert.deepEqual(said(streams.add(1, true, 'dns', 0, query, 0, query.length, 0, true)), ['a.example'])
  assert.deepEqual(streams.add(1, true, 'dns', 0, query, 0, 5, 0, true), [])
  assert.equal(streams.size, 0)
})

test('both directions and all sockets are apart', () => {
  const streams = new Streams()
  const send = (cookie: number | string, ingress: boolean, from: number, to: number) =>
    said(streams.add(cookie, ingress, 'tls', from, GREETING, from, to - from, 0))
  for (const cookie of [1, 2, '1.2']) for (const ingress of [true, false]) send(cookie, ingress, 0, 500)
  assert.equal(streams.size, 6)
  for (const cookie of [1, 2, '1.2'])
    for (const ingress of [true, false]) assert.deepEqual(send(cookie, ingress, 500, GREETING.length), ['late.example'])
  assert.equal(streams.size, 0)
})

test('who waits for more than two seconds is given up and counted; what was there can be had', () => {
  const line = new Line('tls')
  line.send(GREETING.subarray(0, 20))
  assert.equal(line.streams.expire(1.9 * SECOND), 0)
  assert.equal(line.streams.expire(2 * SECOND), 1)
  assert.equal(line.streams.expire(2 * SECOND), 0)
  const early = hello({ extensions: [serverName('early.example'), [0x33, Buffer.alloc(1216)]] })
  line.offset = 0
  line.send(early.subarray(0, 800), { now: 3 * SECOND })
  const late: unknown[] = []
  const givenUp = line.streams.expire(6 * SECOND, (cookie, ingress, found) =>
    late.push(cookie, ingress, ...said(found)),
  )
  assert.deepEqual(late, ['a', false, 'early.example'])
  assert.equal(givenUp, 0)
})

test('the number of streams is bounded: the oldest goes, and is counted', () => {
  const streams = new Streams({ most: 3 })
  for (let cookie = 0; cookie < 10; cookie++) streams.add(cookie, false, 'tls', 0, GREETING, 0, 500, cookie)
  assert.equal(streams.size, 3)
  assert.equal(streams.expire(10), 7)
  assert.deepEqual(said(streams.add(9, false, 'tls', 500, GREETING, 500, GREETING.length - 500, 20)), ['late.example'])
})
