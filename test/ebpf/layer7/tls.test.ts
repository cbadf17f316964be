import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { type ClientHello, parseClientHello } from '../../../src/ebpf/layer7/tls.ts'
import { alpn, hello, helloMessage, records, serverName, signatures, u16, versions } from './packets.ts'

function parsed(bytes: Buffer, isAll = false): ClientHello {
  const found = parseClientHello(bytes, 0, bytes.length, isAll)
  assert(found !== undefined && found !== 'incomplete', String(found))
  return found
}

/** What a client says first to a server that never answers. */
async function firstWords(t: TestContext, start: (port: number) => void): Promise<Buffer> {
  const server = createServer()
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  start((server.address() as AddressInfo).port)
  const [socket] = await once(server, 'connection')
  const [bytes] = await once(socket, 'data')
  socket.destroy()
  return bytes as Buffer
}

test('the greeting of Node', async (t) => {
  const bytes = await firstWords(t, (port) => {
    connect({ port, host: '127.0.0.1', servername: 'Shop.Example', ALPNProtocols: ['h2', 'http/1.1'] }).on(
      'error',
      () => {},
    )
  })
  const found = parsed(bytes)
  assert.equal(found.serverName, 'shop.example')
  assert.deepEqual(found.alpn, ['h2', 'http/1.1'])
  assert.equal(found.version, '1.3')
  assert.equal(found.hasEch, false)
  assert.match(found.ja4, /^t13d\d{4}h2_[\da-f]{12}_[\da-f]{12}$/)
})

test('the greeting of openssl: of version 1.2, without a name', async (t) => {
  const bytes = await firstWords(t, (port) => {
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-noservername',
      '-tls1_2',
      '-cipher',
      'ECDHE-RSA-AES128-GCM-SHA256',
    ]
    const child = spawn('openssl', args, { stdio: 'ignore' })
    t.after(() => child.kill())
  })
  const found = parsed(bytes)
  assert.equal(found.serverName, undefined)
  assert.equal(found.version, '1.2')
  // One cipher, and the signal of renegotiation.
  assert.match(found.ja4, /^t12i02\d\d00_/)
})

/** The example of the description of JA4: a Chrome. */
const CHROME = [
  ...[0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d],
  ...[0x002f, 0x0035],
]

test('the fingerprint of a well-known client', () => {
  const empty = [0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0xff01, 0x000b, 0x000a, 0x0015]
  const extensions: [number, Buffer][] = [
    [0x2a2a, Buffer.alloc(0)],
    ...empty.map((type): [number, Buffer] => [type, Buffer.alloc(2)]),
    serverName('shop.example'),
    alpn('h2', 'http/1.1'),
    versions(0x3a3a, 0x0304, 0x0303),
    signatures(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
    [0xfafa, Buffer.from([0])],
  ]
  assert.equal(parsed(hello({ ciphers: CHROME, extensions })).ja4, 't13d1516h2_8daaf6152771_e5627efa2ab1')
  const other = extensions.toReversed()
  assert.equal(
    parsed(hello({ ciphers: CHROME.toReversed(), extensions: other })).ja4,
    't13d1516h2_8daaf6152771_e5627efa2ab1',
  )
})

test('greetings with little in them', () => {
  assert.equal(parsed(hello({ ciphers: [], version: 0x0301 })).ja4, 't10i000000_000000000000_000000000000')
  assert.equal(parsed(hello({ extensions: [alpn('x')] })).ja4.slice(0, 10), 't12i0101xx')
  assert.equal(parsed(hello({ extensions: [alpn('\xab\xcd')] })).ja4.slice(0, 10), 't12i0101ad')
  assert.equal(parsed(hello({ extensions: [versions(0x7f1c)] })).version, '0x7f1c')
  const grease = parsed(hello({ extensions: [alpn('\x0a\x0a', 'h2')] }))
  assert.deepEqual(grease.alpn, ['h2'])
})

test('an encrypted greeting inside is told of, with the name of the front', () => {
  const found = parsed(hello({ extensions: [serverName('cloudflare-ech.com'), [0xfe0d, Buffer.alloc(200, 1)]] }))
  assert.equal(found.hasEch, true)
  assert.equal(found.serverName, 'cloudflare-ech.com')
})

test('a name with control characters, one that is too long, one that is cut, and one that is empty', () => {
  const name = (text: string) => parsed(hello({ extensions: [serverName(text)] })).serverName
  assert.equal(name('a\x1b[2Jb\n.example'), 'a\ufffd[2jb\ufffd.example')
  assert.equal(name('x'.repeat(2000))?.length, 255)
  assert.equal(name(''), undefined)
  assert.equal(parsed(hello({ extensions: [[0, u16(100)]] })).serverName, undefined)
  assert.equal(parsed(hello({ extensions: [[0, Buffer.from('0064000064616263', 'hex')]] })).serverName, 'abc')
})

const LARGE = {
  extensions: [[0x33, Buffer.alloc(1216, 7)], serverName('late.example'), alpn('h2')],
} satisfies Parameters<typeof hello>[0]

test('a greeting with a key of the post-quantum kind is whole with its last byte only', () => {
  const bytes = hello(LARGE)
  const whole = parsed(bytes)
  assert.equal(whole.serverName, 'late.example')
  for (let size = 0; size < bytes.length; size++)
    assert.equal(parseClientHello(bytes, 0, size), 'incomplete', `${size}`)
})

test('a greeting in many records is the same greeting', () => {
  const message = helloMessage(LARGE)
  for (const most of [1, 2, 3, 5, 64, 1000])
    assert.deepEqual(parsed(records(message, most)), parsed(hello(LARGE)), `${most}`)
  const bytes = records(message, 3)
  for (let size = 0; size < bytes.length; size += 7)
    assert.equal(parseClientHello(bytes, 0, size), 'incomplete', `${size}`)
})

test('of a greeting that is cut off, what came before', () => {
  const bytes = hello(LARGE)
  const cut = parsed(bytes.subarray(0, bytes.length - 5), true)
  assert.equal(cut.serverName, 'late.example')
  assert.equal(cut.ja4, '')
  assert.equal(parsed(bytes.subarray(0, 600), true).serverName, undefined)
  assert.equal(parseClientHello(bytes, 0, 20, true), undefined)
})

const HOSTILE: Readonly<Record<string, Buffer>> = {
  'a request of HTTP': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'another message': Buffer.from('160301000402000000', 'hex'),
  'another kind of record': Buffer.from('170301000401000000', 'hex'),
  'a record of another protocol': Buffer.from('160201000401000000', 'hex'),
  'an empty record': Buffer.from('160301000001000000', 'hex'),
  'a record that is too long': Buffer.from('160301ffff01000000', 'hex'),
  'a message that is too long': Buffer.from('160301400001ffffff', 'hex'),
  'a message with nothing in it': Buffer.from('160301000401000000', 'hex'),
  'a session that reaches out': records(
    Buffer.concat([Buffer.from('010000240303', 'hex'), Buffer.alloc(32), Buffer.from([255, 0])]),
  ),
  'something else in the second record': Buffer.concat([
    records(Buffer.from('01000100', 'hex')),
    Buffer.from('15030100020228', 'hex'),
  ]),
}

for (const [what, bytes] of Object.entries(HOSTILE)) {
  test(`is no greeting: ${what}`, () => assert.equal(parseClientHello(bytes, 0, bytes.length), undefined))
}

test('lengths inside that do not fit make it none', () => {
  const whole = hello({ extensions: [serverName('a.example')] })
  const ciphers = 5 + 4 + 2 + 32 + 33
  for (const [at, value] of [
    [ciphers, 255],
    [ciphers + 4, 255],
    [ciphers + 6, 255],
    [ciphers + 10, 255],
  ] as const) {
    const bytes = Buffer.from(whole)
    bytes[at] = value
    assert.equal(parseClientHello(bytes, 0, bytes.length), undefined, `${at}`)
  }
})
