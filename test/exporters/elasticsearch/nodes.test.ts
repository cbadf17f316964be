import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { Nodes } from '../../../exporters/elasticsearch/nodes.ts'
import { cloudUrl } from '../../../src/elastic/cloud-id.ts'
import { HoldError } from '../../../src/exporting/errors.ts'
import { testContext } from '../../kit/context.ts'
import { record } from '../../kit/records.ts'
import { never, preparedServer, withServer } from './kit.ts'

test('several nodes are used in turn', async () => {
  const servers = [await preparedServer(), await preparedServer()]
  await withServer({ endpoints: servers.map(({ url }) => url) }, async ({ send }) => {
    for (let i = 0; i < 6; i++) await send([record()])
    assert.deepEqual(
      servers.map(({ documents }) => documents.length),
      [3, 3],
    )
  })
  for (const server of servers) await server.close()
})

for (const [name, break_] of [
  ['is down', undefined],
  ['answers 503', { kind: 'status', status: 503 }],
  ['cuts connections', { kind: 'reset', stored: false }],
] as const) {
  test(`when a node ${name} the others get everything, in the same attempt`, async () => {
    const [broken, well] = [await preparedServer(), await preparedServer()]
    if (break_ === undefined) await broken.close()
    else broken.always = break_
    await withServer({ endpoints: [broken.url, well.url] }, async ({ send }) => {
      for (let i = 0; i < 10; i++) await send([record({ i })])
      assert.equal(well.documents.length, 10)
      assert(broken.requests.length <= 1, 'the broken node is left out after its first failure')
    })
    if (break_ !== undefined) await broken.close()
    await well.close()
  })
}

test('credentials that are refused are refused by all: no other node is asked', async () => {
  const servers = [await preparedServer({ authorization: 'x' }), await preparedServer({ authorization: 'x' })]
  await withServer({ endpoints: servers.map(({ url }) => url) }, async ({ error }) => {
    assert((await error([record()])) instanceof HoldError)
  })
  for (const server of servers) await server.close()
})

test('a node that fails rests longer each time, and counts as well once it answers', () => {
  const urls = ['http://a', 'http://b'].map((url) => new URL(url))
  const nodes = new Nodes(urls)
  const at = (now: number): string[] => nodes.candidates(now).map(({ url }) => url.host)
  assert.deepEqual(
    [at(0), at(0)],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
  )
  const [a, b] = nodes.candidates(0) as [Parameters<Nodes['failed']>[0], Parameters<Nodes['failed']>[0]]
  assert.equal(nodes.failed(a, 0), true)
  assert.deepEqual([at(999), at(999)], [['b'], ['b']])
  assert.deepEqual(at(1000).length, 2, 'it is tried again after a second')
  assert.equal(nodes.failed(a, 1000), false, 'told once')
  assert.deepEqual(at(2999), ['b'])
  for (let i = 0; i < 20; i++) nodes.failed(a, 3000)
  assert.deepEqual([at(62_999).length, at(63_000).length], [1, 2], 'a minute at most')
  nodes.failed(b, 3000)
  assert.deepEqual(at(3001), ['b'], 'when all rest, the one that is due first is tried')
  assert.equal(nodes.answered(a), true)
  assert.deepEqual(at(3001), ['a'])
})

const credentials: [string, object, string][] = [
  ['user and password', { user: 'weir', password: 'p:w' }, `Basic ${Buffer.from('weir:p:w').toString('base64')}`],
  ['api_key', { api_key: 'VnVhQ2ZHY0JDZGJrU' }, 'ApiKey VnVhQ2ZHY0JDZGJrU'],
  ['headers', { headers: { Authorization: 'Bearer t' } }, 'Bearer t'],
  ['auth', { auth: { bearer_token: 't' } }, 'Bearer t'],
]
for (const [name, config, authorization] of credentials) {
  test(`${name} say who is sending`, () =>
    withServer(
      config,
      async ({ server, send }) => {
        await send([record()])
        assert.equal(server.documents.length, 1)
      },
      { authorization },
    ))
}

test('the keys that go together are checked together', () => {
  const refused = (given: object, reason: RegExp): void =>
    void assert.throws(() => elasticsearch.config.parse(given), reason)
  const endpoint = 'http://localhost:9200'
  refused({}, /endpoint: http:\/\/localhost:9200/)
  refused({ endpoint, endpoints: [endpoint] }, /exactly one/)
  refused({ endpoint, user: 'a' }, /belong together/)
  refused({ endpoint, user: 'a', password: 'b', api_key: 'c' }, /set one of them/)
  refused({ endpoint, cloudid: 'no' }, /cloud/)
  refused({ endpoint, logs_index: 'x', data_stream: { dataset: 'y' } }, /leave out data_stream::dataset/)
})

test('a cloud ID is a URL', () => {
  const of = (text: string): string => `name:${Buffer.from(text).toString('base64')}`
  assert.equal(cloudUrl(of('eu.example.com$abc123$kib')), 'https://abc123.eu.example.com/')
  assert.equal(cloudUrl(of('eu.example.com:9243$abc123$kib')), 'https://abc123.eu.example.com:9243/')
  assert.equal(cloudUrl(of('evil/path$abc')), undefined)
  assert.equal(cloudUrl('name:***'), undefined)
})

test('a base path and a pipeline are part of every request', async () => {
  const server = await preparedServer()
  const config = { endpoint: `${server.url}/`, pipeline: 'enrich' }
  const exporter = elasticsearch.create(elasticsearch.config.parse(config), testContext())
  await exporter.export([record()], never)
  assert.deepEqual([server.requests[0]?.path, server.requests[0]?.query.get('pipeline')], ['/_bulk', 'enrich'])
  await exporter.stop?.(never)
  await server.close()
})
