import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { z } from 'zod'
import { HoldError } from '../../src/exporting/errors.ts'
import { createHttpClient, httpClientSettings } from '../../src/net/http-client.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

const settings = z.strictObject(httpClientSettings())
const kit = (name: string): string => join(import.meta.dirname, '../kit/tls', name)
const body = Buffer.from('hi')
const soon = (): AbortSignal => AbortSignal.timeout(5000)
const ours = { cert: readFileSync(kit('cert.pem')), key: readFileSync(kit('key.pem')) }

interface Server {
  readonly url: URL
  /** The names of the client certificates that came, one for each request. */
  readonly clients: string[]
  /** Answers wait for this. */
  gate: Promise<void>
}

async function serve(t: TestContext): Promise<Server> {
  const ca = [ours.cert, readFileSync(kit('other-cert.pem'))]
  const server = createServer({ ...ours, ca, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    seen.clients.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
    request.resume().on('end', () => void seen.gate.then(() => response.end()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const seen: Server = {
    url: new URL(`https://localhost:${(server.address() as AddressInfo).port}/`),
    clients: [],
    gate: Promise.resolve(),
  }
  return seen
}

function files(t: TestContext): { readonly tls: object; use(name: string): void; path(name: string): string } {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = (name: string): string => join(directory, name)
  const use = (prefix: string): void => {
    copyFileSync(kit(`${prefix}cert.pem`), path('cert.pem'))
    copyFileSync(kit(`${prefix}key.pem`), path('key.pem'))
  }
  use('')
  copyFileSync(kit('cert.pem'), path('ca.pem'))
  const tls = {
    ca_file: path('ca.pem'),
    cert_file: path('cert.pem'),
    key_file: path('key.pem'),
    reload_interval: '1ms',
  }
  return { tls, use, path }
}

test('a new client certificate is used for new connections; a request on its way goes on', async (t) => {
  const server = await serve(t)
  const { tls, use } = files(t)
  const client = createHttpClient(settings.parse({ tls }), { maxSockets: 2 })
  t.after(() => client.close())
  await client.post(server.url, {}, body, soon())
  const { promise, resolve } = Promise.withResolvers<void>()
  server.gate = promise
  const onItsWay = client.post(server.url, {}, body, soon())
  while (server.clients.length < 2) await sleep(5)
  use('other-')
  await sleep(5)
  const next = client.post(server.url, {}, body, soon())
  while (server.clients.length < 3) await sleep(5)
  resolve()
  assert.deepEqual([(await onItsWay).status, (await next).status], [200, 200])
  assert.deepEqual(server.clients, ['localhost', 'localhost', 'another'])
  await client.post(server.url, {}, body, soon())
  assert.equal(server.clients.at(-1), 'another', 'the old connection is not used again')
})

test('files that cannot be used leave the old certificate in use, and a warning', async (t) => {
  const server = await serve(t)
  const { tls, path, use } = files(t)
  const lines: string[] = []
  const log = createLogger({ level: 'warn', encoding: 'console', write: (line) => lines.push(line) })
  const client = createHttpClient(settings.parse({ tls }), { maxSockets: 1, log })
  t.after(() => client.close())
  await client.post(server.url, {}, body, soon())
  // Half of an exchange: the certificate is new, its key is still to come.
  copyFileSync(kit('other-cert.pem'), path('cert.pem'))
  await sleep(5)
  await client.post(server.url, {}, body, soon())
  writeFileSync(path('cert.pem'), 'nonsense')
  await sleep(5)
  await client.post(server.url, {}, body, soon())
  assert.deepEqual(server.clients, ['localhost', 'localhost', 'localhost'])
  assert.match(lines[0] ?? '', /old certificates stay in use.*the key does not belong to the certificate/)
  use('other-')
  await sleep(5)
  await client.post(server.url, {}, body, soon())
  assert.equal(server.clients.at(-1), 'another')
})

test('a new authority is trusted without a restart; an unknown one is held', async (t) => {
  const server = await serve(t)
  const { tls, path } = files(t)
  copyFileSync(kit('other-cert.pem'), path('ca.pem'))
  const client = createHttpClient(settings.parse({ tls }), { maxSockets: 1 })
  t.after(() => client.close())
  await assert.rejects(client.post(server.url, {}, body, soon()), HoldError)
  copyFileSync(kit('cert.pem'), path('ca.pem'))
  await sleep(5)
  assert.equal((await client.post(server.url, {}, body, soon())).status, 200)
})

test('the oldest version of TLS is 1.2 unless the configuration says 1.3', () => {
  assert.equal(settings.parse({}).tls.min_version, '1.2')
  assert.throws(() => settings.parse({ tls: { min_version: '1.1' } }))
})
