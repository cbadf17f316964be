import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { HoldError } from '../../src/exporting/errors.ts'
import { createHttpClient, httpClientSettings } from '../../src/net/http-client.ts'
import { proxyChooser } from '../../src/net/proxy.ts'
import { testProxy } from '../kit/proxy.ts'

const settings = z.strictObject(httpClientSettings())
const pem = (name: string): string => join(import.meta.dirname, '../kit/tls', name)
const tls = { ca_file: pem('cert.pem') }

const proxied: [noProxy: string, url: string, through: boolean][] = [
  ['', 'https://loki.example.com', true],
  ['*', 'https://loki.example.com', false],
  ['example.com', 'https://loki.example.com', false],
  ['example.com', 'https://example.com', false],
  ['example.com', 'https://notexample.com', true],
  ['.example.com', 'https://loki.example.com', false],
  ['.example.com', 'https://example.com', true],
  ['*.example.com', 'https://loki.example.com', false],
  ['loki.example.com:443', 'https://loki.example.com', false],
  ['loki.example.com:3100', 'https://loki.example.com', true],
  ['LOKI.example.com, .svc', 'https://loki.example.com', false],
  ['.svc,.cluster.local', 'http://loki.observability.svc:3100', false],
  ['10.0.0.0/8', 'http://10.96.3.4:3100', false],
  ['10.0.0.0/8', 'http://11.96.3.4:3100', true],
  ['10.96.3.4', 'http://10.96.3.4:3100', false],
  ['10.96.3.4:3100', 'http://10.96.3.4:3100', false],
  ['10.96.3.4:3101', 'http://10.96.3.4:3100', true],
  ['fd00::/8', 'http://[fd00::12]:3100', false],
  ['[fd00::12]:3100', 'http://[fd00::12]:3100', false],
  ['fd00:0::12', 'http://[fd00::12]:3100', false],
  ['10.0.0.0/99, 1.2.3/8', 'http://10.96.3.4:3100', true],
  ['', 'http://localhost:3100', false],
  ['', 'http://127.0.0.2:3100', false],
  ['', 'http://[::1]:3100', false],
]
for (const [noProxy, url, through] of proxied) {
  test(`with NO_PROXY="${noProxy}" ${url} is reached ${through ? 'through the proxy' : 'directly'}`, () => {
    const proxyFor = proxyChooser(undefined, {
      HTTP_PROXY: 'http://proxy:1',
      HTTPS_PROXY: 'http://proxy:1',
      NO_PROXY: noProxy,
    })
    assert.equal(proxyFor(new URL(url)), through ? 'http://proxy:1' : undefined)
  })
}

test('both spellings of the variables count, the small one first; each is for its scheme', () => {
  const proxyFor = proxyChooser(undefined, {
    HTTP_PROXY: 'big:1',
    http_proxy: 'small:1',
    https_proxy: 'https://secure:2',
  })
  assert.equal(proxyFor(new URL('http://a.example')), 'http://small:1')
  assert.equal(proxyFor(new URL('https://a.example')), 'https://secure:2')
  assert.equal(proxyChooser(undefined, { HTTPS_PROXY: 'p:1' })(new URL('http://a.example')), undefined)
})

test('proxy_url wins over the environment, NO_PROXY included', () => {
  const proxyFor = proxyChooser('http://mine:1', { HTTPS_PROXY: 'http://other:1', NO_PROXY: '*' })
  assert.equal(proxyFor(new URL('https://a.example')), 'http://mine:1')
})

test('a proxy of another kind is refused without showing its password', () => {
  assert.throws(
    () => proxyChooser(undefined, { HTTPS_PROXY: 'socks5://me:hunter2@proxy:1' }),
    (error: Error) => {
      assert.match(error.message, /HTTPS_PROXY/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    },
  )
  assert.throws(() => settings.parse({ proxy_url: 'socks5://proxy:1' }), /http:\/\/proxy:3128/)
})

async function origin(t: TestContext, isSecure: boolean): Promise<URL> {
  const answer = (request: { url?: string; method?: string }, response: { end(text: string): void }): void =>
    response.end(`${request.method} ${request.url}`)
  const server: Server = isSecure
    ? createSecureServer({ cert: readFileSync(pem('cert.pem')), key: readFileSync(pem('key.pem')) }, answer as never)
    : createServer(answer as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`${isSecure ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}/path?a=1`)
}

const body = Buffer.from('hi')
const soon = (): AbortSignal => AbortSignal.timeout(5000)

for (const isSecure of [true, false]) {
  const scheme = isSecure ? 'https' : 'http'
  test(`a request to ${scheme}:// goes through the proxy, with its user and password, over a kept connection`, async (t) => {
    const proxy = await testProxy()
    t.after(() => proxy.close())
    const url = await origin(t, isSecure)
    const client = createHttpClient(settings.parse({ tls, proxy_url: `http://me:p%40ss@${proxy.host}` }), {
      maxSockets: 2,
    })
    t.after(() => client.close())
    for (let i = 0; i < 2; i++) {
      const { status, body: text } = await client.post(url, {}, body, soon())
      assert.deepEqual([status, text.toString()], [200, 'POST /path?a=1'])
    }
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    if (isSecure) assert.deepEqual(proxy.seen, [{ method: 'CONNECT', target: url.host, authorization }])
    else assert.deepEqual(proxy.seen[0], { method: 'POST', target: url.href, authorization })
  })
}

test('the proxy of the environment is used, and not for what NO_PROXY names', async (t) => {
  const proxy = await testProxy()
  t.after(() => proxy.close())
  // A name that only the proxy can reach.
  const url = new URL('http://destination.invalid/')
  const env = { http_proxy: `http://${proxy.host}` }
  const through = createHttpClient(settings.parse({}), { maxSockets: 1, env })
  t.after(() => through.close())
  assert.equal((await through.post(url, {}, body, soon())).status, 502)
  assert.equal(proxy.seen.length, 1)
  const direct = createHttpClient(settings.parse({}), { maxSockets: 1, env: { ...env, no_proxy: '.invalid' } })
  t.after(() => direct.close())
  await assert.rejects(direct.post(url, {}, body, soon()), /ENOTFOUND|EAI_AGAIN/)
  assert.equal(proxy.seen.length, 1)
})

test('a certificate is checked behind the proxy as well', async (t) => {
  const proxy = await testProxy()
  t.after(() => proxy.close())
  const url = await origin(t, true)
  const client = createHttpClient(settings.parse({ proxy_url: `http://${proxy.host}` }), { maxSockets: 1 })
  t.after(() => client.close())
  await assert.rejects(client.post(url, {}, body, soon()), HoldError)
})

test('a proxy that refuses holds, without showing its password; one that is overloaded is tried again', async (t) => {
  const proxy = await testProxy()
  t.after(() => proxy.close())
  const url = await origin(t, true)
  const client = createHttpClient(settings.parse({ tls, proxy_url: `http://me:hunter2@${proxy.host}` }), {
    maxSockets: 1,
  })
  t.after(() => client.close())
  proxy.connects = 407
  await assert.rejects(client.post(url, {}, body, soon()), (error: Error) => {
    assert(error instanceof HoldError)
    assert.match(error.message, /proxy refused.*407/)
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /hunter2/)
    return true
  })
  proxy.connects = 503
  await assert.rejects(client.post(url, {}, body, soon()), (error: Error) => !(error instanceof HoldError))
  proxy.connects = 'opens'
  assert.equal((await client.post(url, {}, body, soon())).status, 200)
})

test('a proxy that hangs ends with the deadline of the request, and takes no connection with it', async (t) => {
  const proxy = await testProxy()
  t.after(() => proxy.close())
  const url = await origin(t, true)
  const client = createHttpClient(settings.parse({ tls, proxy_url: `http://${proxy.host}` }), { maxSockets: 1 })
  t.after(() => client.close())
  proxy.connects = 'hang'
  const startedAt = performance.now()
  await assert.rejects(client.post(url, {}, body, AbortSignal.timeout(100)), { name: 'TimeoutError' })
  assert(performance.now() - startedAt < 2000)
  proxy.connects = 'opens'
  assert.equal((await client.post(url, {}, body, AbortSignal.timeout(20_000))).status, 200)
})
