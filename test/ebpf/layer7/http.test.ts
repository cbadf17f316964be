import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type HttpRequest, parseHttp, readHttp } from '../../../src/ebpf/layer7/http.ts'
import { frame, PREFACE, SETTINGS } from './packets.ts'

function parsed(text: string | Buffer): HttpRequest[] {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  const found = parseHttp(bytes, 0, bytes.length)
  assert(found !== undefined && found !== 'incomplete', `${found}: ${text}`)
  return found
}

function one(text: string | Buffer): HttpRequest {
  const [first, ...others] = parsed(text)
  assert(first !== undefined && others.length === 0)
  return first
}

async function firstWords(
  t: TestContext,
  isEnough: (bytes: Buffer) => boolean,
  start: (port: number) => void,
): Promise<Buffer> {
  const server = createServer()
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  start((server.address() as AddressInfo).port)
  const [socket] = await once(server, 'connection')
  t.after(() => socket.destroy())
  let bytes = Buffer.alloc(0)
  while (!isEnough(bytes)) bytes = Buffer.concat([bytes, (await once(socket, 'data'))[0]])
  return bytes
}

test('a request of Node', async (t) => {
  const bytes = await firstWords(
    t,
    (all) => all.includes('\r\n\r\n'),
    (port) => {
      const headers = { 'User-Agent': 'probe/1.0', Host: 'Shop.Example:8080' }
      request({ port, host: '127.0.0.1', path: '/cart/7?session=abc', headers })
        .on('error', () => {})
        .end()
    },
  )
  assert.deepEqual(parsed(bytes), [
    {
      method: 'GET',
      path: '/cart/7?[REDACTED:query]',
      host: 'shop.example',
      port: 8080,
      userAgent: 'probe/1.0',
      version: '1.1',
    },
  ])
})

/** The code of each of them has to be right. */
const PRINTABLE = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => i + 0x21))

test('requests of HTTP/2 without encryption, of Node', async (t) => {
  const bytes = await firstWords(
    t,
    (all) => readHttp(all, 0, all.length, false).requests.length === 2,
    (port) => {
      const session = connect(`http://127.0.0.1:${port}`).on('error', () => {})
      t.after(() => session.destroy())
      for (const path of ['/pkg.Service/Method', '/b?key=1']) {
        const headers = {
          ':method': 'POST',
          ':path': path,
          ':authority': 'grpc.example',
          'user-agent': PRINTABLE,
        }
        session.request(headers, { endStream: false }).on('error', () => {})
      }
    },
  )
  const [first, second] = parsed(bytes)
  assert.deepEqual(first, {
    method: 'POST',
    path: '/pkg.Service/Method',
    host: 'grpc.example',
    userAgent: PRINTABLE,
    version: '2',
  })
  assert.equal(second?.path, '/b?[REDACTED:query]')
  assert.equal(second?.host, 'grpc.example')
  for (let size = 1; size < 24; size++) assert.equal(parseHttp(bytes, 0, size), 'incomplete', `${size}`)
})

const BLOCKS: Readonly<Record<string, string>> = {
  // RFC 7541, C.3.1 and C.4.1.
  'as they are': '828684410f7777772e6578616d706c652e636f6d',
  'in the code of Huffman': '828684418cf1e3c2e5f23a6ba0ab90f4ff',
  'behind a change of the table': '20828684410f7777772e6578616d706c652e636f6d',
}

for (const [what, hex] of Object.entries(BLOCKS)) {
  test(`headers ${what}`, () => {
    const block = Buffer.from(hex, 'hex')
    const expected = { method: 'GET', path: '/', host: 'www.example.com', userAgent: undefined, version: '2' }
    assert.deepEqual(one(Buffer.concat([PREFACE, SETTINGS, frame(1, 5, 1, block)])), expected)
    const padded = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 9]), block, Buffer.alloc(3)])
    assert.deepEqual(one(Buffer.concat([PREFACE, SETTINGS, frame(1, 0x2d, 1, padded)])), expected)
    const parts = [
      frame(1, 1, 1, block.subarray(0, 4)),
      frame(9, 0, 1, block.subarray(4, 9)),
      frame(9, 4, 1, block.subarray(9)),
    ]
    assert.deepEqual(one(Buffer.concat([PREFACE, SETTINGS, ...parts])), expected)
  })
}

test('the second request refers to headers of the first', () => {
  // RFC 7541, C.4.1 and C.4.2.
  const first = frame(1, 5, 1, Buffer.from('828684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex'))
  const second = frame(1, 5, 3, Buffer.from('828684be5886a8eb10649cbf', 'hex'))
  assert.deepEqual(
    parsed(Buffer.concat([PREFACE, first, second])).map(({ host }) => host),
    ['www.example.com', 'www.example.com'],
  )
})

const BROKEN_BLOCKS: Readonly<Record<string, string>> = {
  'index 0': '80',
  'an entry that is not there': 'be',
  'a number without an end': 'ffffffffffffffffff',
  'a text that reaches out': '8286410f77',
  'the end of the text inside': '4184ffffffff',
  'filling that is too long': '4182f1ff',
  'a table that is too large': '3fe2ff03',
}

for (const [what, hex] of Object.entries(BROKEN_BLOCKS)) {
  test(`headers with ${what} are none`, () => {
    const bytes = Buffer.concat([PREFACE, SETTINGS, frame(1, 5, 1, Buffer.from(hex, 'hex'))])
    assert.equal(parseHttp(bytes, 0, bytes.length), undefined)
  })
}

test('frames that never end are not waited for', () => {
  const more = Array.from({ length: 100 }, () => frame(9, 0, 1, Buffer.alloc(1)))
  for (const frames of [
    [frame(1, 1, 1, Buffer.alloc(1)), ...more],
    [frame(1, 1, 1, Buffer.alloc(1)), frame(9, 4, 3, Buffer.alloc(1))],
  ]) {
    const bytes = Buffer.concat([PREFACE, ...frames])
    assert.equal(parseHttp(bytes, 0, bytes.length), undefined)
  }
  const large = Buffer.concat([PREFACE, Buffer.from('ffffff0105000000017f', 'hex')])
  assert.equal(parseHttp(large, 0, large.length), undefined)
})

test('requests behind each other, with bodies between them', () => {
  const found = parsed(
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /\r\nGET /b HTTP/1.0\n\nDELETE /c HTTP/1.1\r\n\r\n',
  )
  assert.deepEqual(
    found.map(({ method, path, version }) => [method, path, version]),
    [
      ['POST', '/a', '1.1'],
      ['GET', '/b', '1.0'],
      ['DELETE', '/c', '1.1'],
    ],
  )
  for (const length of [
    'Transfer-Encoding: chunked',
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: -1',
    'Content-Length: 99999999',
  ])
    assert.equal(one(`POST /a HTTP/1.1\r\n${length}\r\n\r\nGET /b HTTP/1.1\r\n\r\n`).path, '/a', length)
  assert.equal(parsed('GET / HTTP/1.1\r\n\r\n'.repeat(100)).length, 16)
})

test('where the next request begins that is not whole', () => {
  const bytes = Buffer.from('GET /a HTTP/1.1\r\n\r\nGET /b HT')
  assert.equal(readHttp(bytes, 0, bytes.length, false).rest, 19)
  assert.equal(readHttp(bytes, 0, bytes.length, true).rest, -1)
})

test('what is asked of a proxy', () => {
  const absolute = one('GET http://user:pw@Shop.Example:81/a?b HTTP/1.1\r\nHost: other\r\n\r\n')
  assert.deepEqual(absolute, {
    method: 'GET',
    path: '/a?[REDACTED:query]',
    host: 'shop.example',
    port: 81,
    isAbsolute: true,
    userAgent: undefined,
    version: '1.1',
  })
  assert.equal(one('GET http://shop.example HTTP/1.1\r\n\r\n').path, '/')
  assert.equal(one('GET http://shop.example?token=1 HTTP/1.1\r\n\r\n').path, '/?[REDACTED:query]')
  const tunnel = one('CONNECT mail.example:25 HTTP/1.1\r\n\r\n')
  assert.deepEqual([tunnel.path, tunnel.host, tunnel.port], ['', 'mail.example', 25])
  assert.equal(one('OPTIONS * HTTP/1.1\r\n\r\n').path, '*')
})

test('hosts with ports, addresses, users, and what is none', () => {
  const host = (text: string) => {
    const found = one(`GET / HTTP/1.1\r\nhOsT:\t${text}\r\n\r\n`)
    return [found.host, found.port]
  }
  assert.deepEqual(host('[2001:DB8::1]:443'), ['[2001:db8::1]', 443])
  assert.deepEqual(host('[::1]'), ['[::1]', undefined])
  assert.deepEqual(host('a:b@c.example:99999'), ['c.example', undefined])
  assert.deepEqual(host(''), [undefined, undefined])
  assert.deepEqual(host('a\x1b[2J\xff'), ['a\ufffd[2j\ufffd', undefined])
  assert.equal(host('x'.repeat(3000))[0]?.toString().length, 255)
  assert.equal(one('GET / HTTP/1.1\r\nX-Host: no\r\nHost: yes\r\nHost: no\r\n\r\n').host, 'yes')
})

const SECRETS = [
  '/a?token=hunter22',
  '/a;jsessionid=hunter22/b',
  '/a#hunter22',
  '/x/ghp_0123456789abcdefghijABCDEFhunter22345',
]

test('no secret of a path or an agent is told', () => {
  for (const target of SECRETS) {
    const { path } = one(`GET ${target} HTTP/1.1\r\nUser-Agent: x\r\n\r\n`)
    assert(!path.includes('hunter22'), path)
  }
  assert.equal(
    one('GET /a;jsessionid=1;v=2/b HTTP/1.1\r\n\r\n').path,
    '/a;jsessionid=[REDACTED:query];v=[REDACTED:query]/b',
  )
  assert.equal(one('GET /a? HTTP/1.1\r\n\r\n').path, '/a')
  const agent = one('GET / HTTP/1.1\r\nUser-Agent: x ghp_0123456789abcdefghijABCDEFhunter22345\r\n\r\n').userAgent
  assert(agent !== undefined && !agent.includes('hunter22'), String(agent))
})

test('methods of small letters, with a dash, after empty lines; spaces in a target', () => {
  assert.equal(one('get / HTTP/1.1\r\n\r\n').method, 'get')
  assert.equal(one('\r\n\r\nM-SEARCH * HTTP/1.1\r\n\r\n').method, 'M-SEARCH')
  assert.equal(one('GET /a b\x00c HTTP/1.1\r\n\r\n').path, '/a b\ufffdc')
  assert.equal(one(`GET /${'a'.repeat(7000)} HTTP/1.1\r\n\r\n`).path.length, 1024)
})

test('a head is whole with its last byte only', () => {
  const bytes = Buffer.from('GET /a HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: x/1\r\nAccept: */*\r\n\r\n')
  for (let size = 1; size < bytes.length - 1; size++) assert.equal(parseHttp(bytes, 0, size), 'incomplete', `${size}`)
  const cut = readHttp(bytes, 0, bytes.length - 15, true).requests
  assert.deepEqual(
    cut.map(({ host, userAgent }) => [host, userAgent]),
    [['shop.example', 'x/1']],
  )
  const long = Buffer.from(`GET /${'a'.repeat(3000)}`)
  assert.equal(readHttp(long, 0, long.length, true).requests[0]?.path.length, 1024)
})

const HOSTILE: Readonly<Record<string, string>> = {
  nothing: '',
  'a method without a letter': ' / HTTP/1.1\r\n\r\n',
  'a method that is too long': `${'A'.repeat(30)} / HTTP/1.1\r\n\r\n`,
  'a method with a digit': 'G3T / HTTP/1.1\r\n\r\n',
  'no version': 'GET /\r\n\r\n',
  'another version': 'GET / HTTP/9.9\r\n\r\n',
  'another protocol': 'GET / ICY/1.1\r\n\r\n',
  'no target': 'GET HTTP/1.1\r\n\r\n',
  'a response': 'HTTP/1.1 200 OK\r\n\r\n',
  'a greeting of TLS': '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4',
  'bytes behind a word': 'GET \x00\x01\x02\x03',
}

for (const [what, text] of Object.entries(HOSTILE)) {
  test(`is no request: ${what}`, () => assert.equal(parseHttp(Buffer.from(text, 'latin1'), 0, text.length), undefined))
}

test('does not read behind the end', () => {
  const bytes = Buffer.from('GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n')
  assert.equal(parseHttp(bytes, 0, 20), 'incomplete')
  assert.equal(parseHttp(bytes, 100, 20), undefined)
  assert.equal(parseHttp(bytes, -5, 20), undefined)
})
