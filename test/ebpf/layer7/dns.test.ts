import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { test } from 'node:test'
import { type DnsMessage, parseDns, parseDnsTcp } from '../../../src/ebpf/layer7/dns.ts'
import { answer, dns, name, QUERY, question, RESPONSE, u16 } from './packets.ts'

const V4 = Buffer.from([10, 1, 2, 3])

function parsed(bytes: Buffer): DnsMessage {
  const message = parseDns(bytes, 0, bytes.length)
  assert(message !== undefined)
  return message
}

function dataOf(type: number, data: Buffer): string | undefined {
  return parsed(dns({ flags: RESPONSE, questions: [question('a.example')], answers: [answer('*12', type, data)] }))
    .answers[0]?.data
}

test('a question of a real resolver, and an answer that it takes', async (t) => {
  const server = createSocket('udp4')
  t.after(() => server.close())
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const seen: Buffer[] = []
  server.on('message', (bytes, peer) => {
    const reply = dns({
      id: bytes.readUInt16BE(0),
      flags: RESPONSE,
      questions: [question('www.Shop.example')],
      answers: [answer('*12', 5, name('edge.*16')), answer('edge.*16', 1, V4)],
    })
    seen.push(bytes, reply)
    server.send(reply, peer.port, peer.address)
  })
  const resolver = new Resolver({ timeout: 2000, tries: 1 })
  resolver.setServers([`127.0.0.1:${server.address().port}`])
  assert.deepEqual(await resolver.resolve4('www.Shop.example'), ['10.1.2.3'])
  const [query, reply] = seen.map(parsed) as [DnsMessage, DnsMessage]
  assert.deepEqual(query.questions, [{ name: 'www.shop.example', type: 'A' }])
  assert.equal(query.isResponse, false)
  assert.equal(query.isTruncated, false)
  assert.deepEqual(reply, {
    id: query.id,
    isResponse: true,
    rcode: 'NOERROR',
    questions: [{ name: 'www.shop.example', type: 'A' }],
    answers: [
      { name: 'www.shop.example', type: 'CNAME', data: 'edge.shop.example', ttl: 300 },
      { name: 'edge.shop.example', type: 'A', data: '10.1.2.3', ttl: 300 },
    ],
    isTruncated: false,
  })
})

test('what records hold is written as in zone files', () => {
  const v6 = (hex: string) => Buffer.from(hex, 'hex')
  assert.equal(dataOf(28, v6('20010db8000000000000000000000001')), '2001:db8::1')
  assert.equal(dataOf(28, v6('00000000000000000000000000000000')), '::')
  assert.equal(dataOf(28, v6('00000000000000000000000000000001')), '::1')
  assert.equal(dataOf(28, v6('20010db8000000010000000000000000')), '2001:db8:0:1::')
  assert.equal(dataOf(28, v6('20010000000100000001000000010001')), '2001:0:1:0:1:0:1:1')
  assert.equal(dataOf(28, v6('00000000000000000000ffff0a010203')), '10.1.2.3')
  assert.equal(dataOf(15, Buffer.concat([u16(10), name('mx.*12')])), '10 mx.a.example')
  assert.equal(dataOf(33, Buffer.concat([u16(1, 2, 443), name('s.example')])), '1 2 443 s.example')
  assert.equal(dataOf(16, Buffer.from('\x05hello\x06 world')), 'hello world')
  assert.equal(
    dataOf(6, Buffer.concat([name('ns.*12'), name('m.*12'), u16(0, 9, 0, 0, 0, 0, 0, 0, 0, 0)])),
    'ns.a.example m.a.example 9',
  )
  const https = Buffer.concat([u16(1), name(''), u16(1, 3), Buffer.from('\x02h2'), u16(4, 4), V4, u16(5, 2, 0)])
  assert.equal(dataOf(65, https), '1 . alpn=h2 ipv4hint=10.1.2.3 ech')
  assert.equal(dataOf(4711, Buffer.from([1, 2])), '\\# 2 0102')
  assert.equal(dataOf(1, Buffer.from([1, 2])), '\\# 2 0102')
  assert.equal(dataOf(5, name('*4095')), '\\# 2 cfff')
})

test('codes of errors, also the long ones of EDNS', () => {
  const failed = (code: number) => parsed(dns({ flags: RESPONSE | code, questions: [question('a.example')] })).rcode
  assert.deepEqual([0, 1, 2, 3, 5, 15].map(failed), [
    'NOERROR',
    'FORMERR',
    'SERVFAIL',
    'NXDOMAIN',
    'REFUSED',
    'RCODE15',
  ])
  const opt = Buffer.concat([name(''), u16(41, 1232, 0x0100, 0, 0)])
  const message = parsed(dns({ flags: RESPONSE, questions: [question('a.example')], others: [opt] }))
  assert.equal(message.rcode, 'BADVERS')
  assert.equal(message.isTruncated, false)
})

test('several questions, none, and more than there are', () => {
  const two = parsed(dns({ questions: [question('a.example'), question('b.example', 28)] }))
  assert.deepEqual(two.questions, [
    { name: 'a.example', type: 'A' },
    { name: 'b.example', type: 'AAAA' },
  ])
  const multicast = parsed(dns({ flags: 0x8400, answers: [answer('tv.local', 1, V4)] }))
  assert.deepEqual(multicast.questions, [])
  assert.equal(multicast.answers[0]?.name, 'tv.local')
  const more = parsed(dns({ questions: [question('a.example')], counts: [0xffff, 0xffff, 0xffff, 0xffff] }))
  assert.equal(more.questions.length, 1)
  assert.equal(more.isTruncated, true)
  const many = parsed(
    dns({
      flags: RESPONSE,
      questions: [question('a.example')],
      answers: Array.from({ length: 100 }, () => answer('*12', 1, V4)),
    }),
  )
  assert.equal(many.answers.length, 64)
  assert.equal(many.isTruncated, true)
})

test('names that want to look like others', () => {
  const asked = (bytes: Buffer) => parsed(dns({ questions: [Buffer.concat([bytes, u16(1, 1)])] })).questions[0]?.name
  assert.equal(asked(Buffer.from('\x08evil.com\x00', 'latin1')), 'evil\ufffdcom')
  assert.equal(asked(Buffer.from('\x06a\x1b[31m\x07example\x00', 'latin1')), 'a\ufffd[31m.example')
  assert.equal(asked(Buffer.from('\x03a\nb\x00', 'latin1')), 'a\ufffdb')
  assert.equal(asked(Buffer.from('\x02\xc3\xbc\x00', 'latin1')), 'ü')
  assert.equal(asked(Buffer.from('\x02\xff\xfe\x00', 'latin1')), '\ufffd\ufffd')
  assert.equal(asked(Buffer.from('\x04a\xe2\x80\xae\x00', 'latin1')), 'a\ufffd')
  assert.equal(asked(Buffer.from([0])), '.')
})

const HOSTILE: Readonly<Record<string, Buffer>> = {
  'a pointer to itself': dns({ questions: [question('*12')] }),
  'pointers to each other': dns({ questions: [question('a.*16')], counts: [1, 0, 0, 0] }),
  'a pointer forward': dns({ questions: [question('*30')] }),
  'a pointer into the header': dns({ questions: [question('*2')] }),
  'a pointer that is cut off': dns({ questions: [Buffer.from([0xc0])] }),
  'a label that reaches out': dns({ questions: [Buffer.from([63, 65, 66])] }),
  'a label of a reserved kind': dns({ questions: [Buffer.from([0x41, 0, 0, 1, 0, 1])] }),
  'a name of 256 bytes': dns({ questions: [question(Array.from({ length: 64 }, () => 'abc').join('.'))] }),
  'no question in a question': dns({}),
  'a header that is cut off': dns({ questions: [question('a')] }).subarray(0, 11),
  'a kind that does not exist': dns({ flags: 3 << 11, questions: [question('a')] }),
  'a bit that must not be set': dns({ flags: 0x40, questions: [question('a')] }),
  nothing: Buffer.alloc(0),
  zeros: Buffer.alloc(64),
  'all ones': Buffer.alloc(512, 255),
  'a greeting of TLS': Buffer.from('16030100c8010000c40303', 'hex'),
}

for (const [what, bytes] of Object.entries(HOSTILE)) {
  test(`is no DNS: ${what}`, () => assert.equal(parseDns(bytes, 0, bytes.length), undefined))
}

test('the longest name there may be, and one that is made of pointers', () => {
  const labels = Array.from({ length: 63 }, () => 'abc').join('.')
  assert.equal(parsed(dns({ questions: [question(`${labels}.`.slice(0, -1))] })).questions[0]?.name, labels)
  const chain = [question('z.example')]
  for (let at = 12; chain.length < 12; ) {
    const before = Buffer.concat(chain).length
    chain.push(question(`${chain.length}.*${at}`))
    at = 12 + before
  }
  const message = parsed(dns({ questions: chain }))
  assert.equal(message.questions.at(-1)?.name, '11.10.9.8.7.6.5.4.3.2.1.z.example')
})

test('a message that is cut off anywhere gives what is there, and says so', () => {
  const whole = dns({
    flags: RESPONSE,
    questions: [question('a.example')],
    answers: [answer('*12', 1, V4), answer('*12', 1, V4)],
  })
  const [beforeQuestion, beforeAnswer] = [12 + 15, 12 + 15 + 16]
  for (let size = 0; size < whole.length; size++) {
    const message = parseDns(whole.subarray(0, size), 0, size)
    if (size < beforeQuestion) assert.equal(message, undefined)
    else assert.equal(message?.isTruncated, true, `${size}`)
    if (size >= beforeAnswer) assert.equal(message?.answers.length, 1)
  }
  assert.equal(parsed(whole).isTruncated, false)
})

test('reads at its place in a larger memory and not behind its end', () => {
  const whole = dns({ questions: [question('a.example')] })
  const memory = Buffer.concat([Buffer.alloc(99, 255), whole, Buffer.alloc(99, 255)])
  assert.deepEqual(parseDns(memory, 99, whole.length), parsed(whole))
  assert.equal(parseDns(memory, 99, whole.length - 1), undefined)
  assert.equal(parseDns(memory, 500, 40), undefined)
  assert.equal(parseDns(memory, -1, 40), undefined)
  assert.equal(parseDns(whole, 0, 1e9)?.questions.length, 1)
})

test('messages behind each other in a stream', () => {
  const one = dns({ id: 1, flags: QUERY, questions: [question('a.example')] })
  const two = dns({ id: 2, questions: [question('b.example')] })
  const stream = Buffer.concat([u16(one.length), one, u16(two.length), two])
  assert.deepEqual(
    parseDnsTcp(stream, 0, stream.length).map(({ id }) => id),
    [1, 2],
  )
  const cut = parseDnsTcp(stream, 0, stream.length - 1)
  assert.deepEqual(
    cut.map(({ id }) => id),
    [1],
  )
  assert.deepEqual(parseDnsTcp(one, 0, one.length), [])
})
