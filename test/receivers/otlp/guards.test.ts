/** Who may send: credentials, certificates, and what the log says where anyone may. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { otlp } from '../../../receivers/otlp/index.ts'
import { testContext } from '../../kit/context.ts'
import { record } from '../../kit/records.ts'
import { post, protobuf, reception, said } from './kit.ts'

const kitFile = (name: string): string => join(import.meta.dirname, '../../kit/tls', name)
const certificate = readFileSync(kitFile('cert.pem'))
const key = readFileSync(kitFile('key.pem'))
const body = protobuf(record())

suite('credentials', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  const cases: { name: string; auth: object; right: string; wrong: (string | undefined)[]; challenge: RegExp }[] = [
    {
      name: 'a bearer token',
      auth: { bearer_token: 'right' },
      right: 'Bearer right',
      wrong: [undefined, '', 'Bearer', 'Bearer wrong', 'right', basic('right:'), `Bearer ${'x'.repeat(9000)}`],
      challenge: /^Bearer/,
    },
    {
      name: 'a name and a password',
      auth: { basic: { username: 'me', password: 'p:ss' } },
      right: basic('me:p:ss'),
      wrong: [undefined, basic('me:'), basic('you:p:ss'), basic('me:p:ss '), 'Bearer p:ss'],
      challenge: /^Basic/,
    },
  ]
  for (const { name, auth, right, wrong, challenge } of cases) {
    test(`${name}: 401 to whoever does not have it`, async (t) => {
      const here = await reception(t, { http: { auth } })
      for (const authorization of wrong) {
        const answer = await post(here.http, body, { headers: authorization === undefined ? {} : { authorization } })
        assert.equal(answer.status, 401)
        assert.match(String(answer.headers['www-authenticate']), challenge)
        assert.match(said(answer), /credentials are missing or wrong/)
      }
      assert.equal((await post(here.http, body, { headers: { authorization: right } })).status, 200)
      assert.equal(here.received.length, 1)
    })
  }
  test('a token in a file is read again when it changes; one that cannot be read stays as it was', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-otlp-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'token')
    writeFileSync(path, 'first\n')
    const here = await reception(t, { http: { auth: { bearer_token_file: path } } })
    const status = async (token: string): Promise<number> =>
      (await post(here.http, body, { headers: { authorization: `Bearer ${token}` } })).status
    assert.deepEqual([await status('first'), await status('second')], [200, 401])
    writeFileSync(`${path}.new`, 'second\n')
    renameSync(`${path}.new`, path)
    await sleep(2100)
    assert.deepEqual([await status('second'), await status('first')], [200, 401])
    writeFileSync(path, '')
    await sleep(2100)
    assert.equal(await status('second'), 200)
    assert.match(here.log.join('\n'), /auth::bearer_token_file.*is empty/)
  })
  test('a file that is missing at the start is named', async () => {
    const settings = { protocols: { http: { endpoint: '127.0.0.1:0', auth: { bearer_token_file: '/no/such' } } } }
    const receiver = otlp.create(otlp.config.parse(settings), testContext())
    await assert.rejects(
      receiver.start?.(new AbortController().signal) ?? Promise.resolve(),
      /auth::bearer_token_file: cannot read \/no\/such/,
    )
  })
  for (const auth of [
    {},
    { bearer_token: 'x', bearer_token_file: '/y' },
    { basic: { username: 'a' } },
    { basic: { username: 'a:b', password: 'c' } },
  ]) {
    test(`${JSON.stringify(auth)} is refused`, () => {
      assert.throws(() => otlp.config.parse({ protocols: { http: { auth } } }))
    })
  }
})

suite('TLS', () => {
  const tls = { cert_file: kitFile('cert.pem'), key_file: kitFile('key.pem') }
  const trusting = { ca: certificate, servername: 'localhost' }
  test('a client that trusts the certificate sends; one in plain text does not', async (t) => {
    const here = await reception(t, { http: { tls } })
    assert.equal((await post(here.http, body, { tls: trusting })).status, 200)
    await assert.rejects(post(here.http, body))
  })
  test('with client_ca_file only a client with a certificate of that authority sends', async (t) => {
    const here = await reception(t, { http: { tls: { ...tls, client_ca_file: kitFile('cert.pem') } } })
    await assert.rejects(post(here.http, body, { tls: trusting }))
    assert.equal((await post(here.http, body, { tls: { ...trusting, cert: certificate, key } })).status, 200)
    assert.equal(here.received.length, 1)
  })
  const version = (port: number, maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
    new Promise((resolve) => {
      const socket: TLSSocket = connect(
        { host: '127.0.0.1', port, ...trusting, minVersion: 'TLSv1.1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' },
        () => {
          resolve(socket.getProtocol() ?? '')
          socket.destroy()
        },
      )
      socket.on('error', () => resolve('refused'))
    })
  test('TLS below 1.2 is refused, or below min_version', async (t) => {
    const here = await reception(t, { http: { tls } })
    assert.deepEqual([await version(here.http, 'TLSv1.1'), await version(here.http, 'TLSv1.2')], ['refused', 'TLSv1.2'])
    const newer = await reception(t, { http: { tls: { ...tls, min_version: '1.3' } } })
    assert.deepEqual(
      [await version(newer.http, 'TLSv1.2'), await version(newer.http, 'TLSv1.3')],
      ['refused', 'TLSv1.3'],
    )
  })
  test('certificates that are exchanged are used for new connections', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-otlp-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const mine = { cert_file: join(directory, 'cert.pem'), key_file: join(directory, 'key.pem') }
    copyFileSync(kitFile('cert.pem'), mine.cert_file)
    copyFileSync(kitFile('key.pem'), mine.key_file)
    const here = await reception(t, { http: { tls: { ...mine, reload_interval: '50ms' } } })
    writeFileSync(mine.cert_file, 'no certificate')
    await sleep(200)
    assert.match(here.log.join('\n'), /cannot be read again; the old one stays/)
    assert.equal((await post(here.http, body, { tls: trusting })).status, 200)
    copyFileSync(kitFile('cert.pem'), mine.cert_file)
    await sleep(200)
    assert.match(here.log.join('\n'), /Certificates were read again/)
    assert.equal((await post(here.http, body, { tls: trusting })).status, 200)
  })
  test('a certificate without its key is refused', () => {
    assert.throws(
      () => otlp.config.parse({ protocols: { http: { tls: { cert_file: '/x' } } } }),
      /a server needs a certificate and its key/,
    )
  })
})

suite('an address that everyone reaches', () => {
  const warned = (log: readonly string[]): boolean => /Anyone who reaches this address may send/.test(log.join('\n'))
  test('is warned of, unless clients must show something', async (t) => {
    const settings = (http: object) => reception(t, { http })
    const open = await settings({ endpoint: '0.0.0.0:0' })
    assert(warned(open.log))
    assert(!warned((await settings({ endpoint: '0.0.0.0:0', auth: { bearer_token: 'x' } })).log))
    assert(!warned((await settings({ endpoint: '127.0.0.1:0' })).log))
    assert(!warned((await settings({ endpoint: 'localhost:0' })).log))
    const tls = { cert_file: kitFile('cert.pem'), key_file: kitFile('key.pem') }
    assert(warned((await settings({ endpoint: '[::]:0', tls })).log), 'TLS alone lets everyone in')
    assert(!warned((await settings({ endpoint: '[::]:0', tls: { ...tls, client_ca_file: kitFile('cert.pem') } })).log))
  })
})
