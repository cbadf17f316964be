import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
  httpClientSettings,
} from '../../src/net/http-client.ts'

const settings = z.strictObject(httpClientSettings())
const body = Buffer.from('hi')
const soon = (): AbortSignal => AbortSignal.timeout(5000)

async function serve(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<URL> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

function clientOf(t: TestContext, config: object, options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = createHttpClient(settings.parse(config), { maxSockets: 2, env: {}, ...options })
  t.after(() => client.close())
  return client
}

function file(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-client-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'secret')
  writeFileSync(path, text)
  return path
}

const ways: [name: string, auth: (t: TestContext) => object, header: string][] = [
  ['bearer_token', () => ({ bearer_token: 'abc' }), 'Bearer abc'],
  ['bearer_token_file', (t) => ({ bearer_token_file: file(t, 'abc\n') }), 'Bearer abc'],
  ['basic', () => ({ basic: { username: 'me', password: 'pä:ss' } }), `Basic ${btoa('me:p\u00c3\u00a4:ss')}`],
  [
    'basic with a file',
    (t) => ({ basic: { username: 'me', password_file: file(t, 'pass\r\n') } }),
    `Basic ${btoa('me:pass')}`,
  ],
  ['api_key', () => ({ api_key: 'a2V5' }), 'ApiKey a2V5'],
  ['api_key_file', (t) => ({ api_key_file: file(t, 'a2V5') }), 'ApiKey a2V5'],
]
for (const [name, auth, header] of ways) {
  test(`auth by ${name} sends ${header.split(' ')[0]}`, async (t) => {
    let seen: string | undefined
    const url = await serve(t, (request, response) => {
      seen = request.headers.authorization
      response.end()
    })
    await clientOf(t, { auth: auth(t) }).post(url, {}, body, soon())
    assert.equal(seen, header)
  })
}

for (const [auth, message] of [
  [{}, /exactly one of bearer_token/],
  [{ bearer_token: 'a', api_key: 'b' }, /exactly one of bearer_token/],
  [{ basic: { username: 'a' } }, /either password or password_file/],
  [{ basic: { username: 'a', password: 'b', password_file: 'c' } }, /either password or password_file/],
  [{ basic: { username: 'a:b', password: 'c' } }, /cannot hold a colon/],
  [{ bearer_token: 'a\nb' }, /line break/],
] as const) {
  test(`auth ${JSON.stringify(auth)} is refused`, () => assert.throws(() => settings.parse({ auth }), message))
}

test('a file of credentials that cannot be used is named at the start, without what it holds', (t) => {
  const make = (path: string): unknown =>
    createHttpClient(settings.parse({ auth: { bearer_token_file: path } }), { maxSockets: 1 })
  assert.throws(() => make('/no/such'), /auth::bearer_token_file: cannot read \/no\/such/)
  assert.throws(() => make(file(t, '\n')), /auth::bearer_token_file: .* is empty/)
  assert.throws(
    () => make(file(t, 'secret\nlines')),
    (error: Error) => /line break/.test(error.message) && !/secret\n/.test(error.message),
  )
})

test('Authorization cannot be said twice', () => {
  const parsed = settings.parse({ headers: { AUTHORIZATION: 'x' }, auth: { bearer_token: 'y' } })
  assert.throws(() => createHttpClient(parsed, { maxSockets: 1 }), /leave one of them out/)
})

test('credentials that were exchanged are read when the old ones are refused, and the request goes again', async (t) => {
  const path = file(t, 'old')
  const seen: string[] = []
  const url = await serve(t, ({ headers }, response) => {
    seen.push(String(headers.authorization))
    response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401).end()
  })
  const client = clientOf(t, { auth: { bearer_token_file: path } })
  assert.equal((await client.post(url, {}, body, soon())).status, 401)
  assert.deepEqual(seen, ['Bearer old'], 'what is still refused is not sent twice')
  writeFileSync(path, 'new')
  assert.equal((await client.post(url, {}, body, soon())).status, 200)
  assert.deepEqual(seen, ['Bearer old', 'Bearer old', 'Bearer new'])
})

test('configured headers are sent; those of the request win, whatever their case', async (t) => {
  let seen: IncomingMessage['headers'] = {}
  const url = await serve(t, ({ headers }, response) => {
    seen = headers
    response.end()
  })
  const client = clientOf(t, {
    headers: { 'X-Scope-OrgID': 'team', 'Content-Type': 'text/plain', 'User-Agent': 'mine' },
  })
  await client.post(url, { 'content-type': 'application/json' }, body, soon())
  assert.deepEqual(
    [seen['x-scope-orgid'], seen['content-type'], seen['user-agent'], seen['content-length']],
    ['team', 'application/json', 'mine', '2'],
  )
})

test('an answer is bounded, and says when it was longer', async (t) => {
  const url = await serve(t, ({ url: path }, response) => void response.end('x'.repeat(path === '/long' ? 1001 : 1000)))
  const client = clientOf(t, {}, { maxResponseBytes: 1000 })
  const whole = await client.post(url, {}, body, soon())
  assert.deepEqual([whole.body.length, whole.isCut], [1000, false])
  const cut = await client.post(new URL('/long', url), {}, body, soon())
  assert.deepEqual([cut.body.length, cut.isCut], [1000, true])
})

test('an answer without an end is cut off', async (t) => {
  const url = await serve(t, (_, response) => {
    const more = (): void =>
      void (response.write(Buffer.alloc(65_536, 'x')) && !response.destroyed
        ? setImmediate(more)
        : response.once('drain', more))
    more()
  })
  const { body: read, isCut } = await clientOf(t, {}).post(url, {}, body, soon())
  assert.deepEqual([read.length, isCut], [65_536, true])
})

test('the signal ends a request at any point with its own reason', async (t) => {
  const url = await serve(t, ({ url: path }, response) => {
    if (path === '/half') response.write('{')
  })
  const client = clientOf(t, {})
  for (const path of ['/', '/half']) {
    await assert.rejects(client.post(new URL(path, url), {}, body, AbortSignal.timeout(50)), { name: 'TimeoutError' })
  }
  await assert.rejects(client.post(url, {}, body, AbortSignal.abort(new Error('stopping'))), /stopping/)
})

test('an answer that breaks off is an error', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
    setTimeout(() => response.destroy(), 10)
  })
  await assert.rejects(clientOf(t, {}).post(url, {}, body, soon()), { code: 'ECONNRESET' })
})

test('a redirect is an answer, not an instruction', async (t) => {
  let requests = 0
  const url = await serve(t, (_, response) => {
    requests += 1
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  assert.equal((await clientOf(t, {}).post(url, {}, body, soon())).status, 307)
  assert.equal(requests, 1)
})

test('any method can be sent, and connections are kept', async (t) => {
  const seen: unknown[] = []
  const url = await serve(t, ({ method, socket }, response) => {
    seen.push([method, socket.remotePort])
    response.end()
  })
  const client = clientOf(t, {})
  for (const method of ['PUT', 'PATCH']) await client.send({ method, url, headers: {}, body }, soon())
  await sleep(5)
  const [[first, port], [second, other]] = seen as [[string, number], [string, number]]
  assert.deepEqual([first, second, port], ['PUT', 'PATCH', other])
})

test('a kept connection that is closed as a request leaves is no failure: the request goes over another', async (t) => {
  const seen = new Map<number, number>()
  const url = await serve(t, ({ socket }, response) => {
    const times = (seen.get(socket.remotePort as number) ?? 0) + 1
    seen.set(socket.remotePort as number, times)
    if (times > 1) socket.resetAndDestroy()
    else response.end('taken')
  })
  const client = clientOf(t, {})
  for (let i = 0; i < 3; i++) {
    const { body: answer } = await client.post(url, {}, body, soon())
    assert.equal(answer.toString(), 'taken')
    // The connection has to go back to its pool.
    await sleep(5)
  }
  assert.deepEqual([...seen.values()], [2, 2, 1])
})

test('a request goes once more at most, and only where its connection was a kept one', async (t) => {
  let requests = 0
  const url = await serve(t, ({ socket, url: path }, response) => {
    requests += 1
    if (path === '/well') response.end()
    else if (path === '/half')
      response.writeHead(200, { 'content-length': '9' }).write('{', () => socket.resetAndDestroy())
    else socket.resetAndDestroy()
  })
  const client = clientOf(t, {})
  const send = (path: string): Promise<unknown> => client.post(new URL(path, url), {}, body, soon())
  await assert.rejects(send('/broken'), { code: 'ECONNRESET' })
  assert.equal(requests, 1)
  await send('/well')
  await sleep(5)
  await assert.rejects(send('/broken'), { code: 'ECONNRESET' })
  assert.equal(requests, 4)
  await send('/well')
  await sleep(5)
  await assert.rejects(send('/half'), { code: 'ECONNRESET' })
  assert.equal(requests, 6)
})
