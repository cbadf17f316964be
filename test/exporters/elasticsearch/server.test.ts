/** The strict server is strict: what would prove nothing if it took everything. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DocumentCheck } from '../../kit/bulk-mapping.ts'
import { type BulkServer, bulkServer } from '../../kit/bulk-server.ts'
import { preparedServer } from './kit.ts'

let server: BulkServer
before(async () => {
  server = await preparedServer()
})
after(() => server.close())

const STREAM = 'logs-weir.log-default'
const document = (more: object = {}) =>
  JSON.stringify({
    '@timestamp': '2026-01-02T03:04:05Z',
    data_stream: { type: 'logs', dataset: 'weir.log', namespace: 'default' },
    ...more,
  })

async function bulk(body: string | Buffer, headers: Record<string, string> = {}, path = '/_bulk') {
  const response = await fetch(server.url + path, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  })
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape.
  return { status: response.status, body: (await response.json()) as any }
}

const create = (source: string, index = STREAM, id?: string): string =>
  `${JSON.stringify({ create: { _index: index, ...(id === undefined ? {} : { _id: id }) } })}\n${source}\n`

test('a document that fits is created, gzip or not, and a second one with its id is a conflict', async () => {
  const first = await bulk(create(document(), STREAM, 'once'))
  assert.deepEqual([first.body.errors, first.body.items[0].create.status], [false, 201])
  const second = await bulk(gzipSync(create(document(), STREAM, 'once')), { 'content-encoding': 'gzip' })
  assert.equal(second.body.items[0].create.status, 409)
  assert.equal(second.body.items[0].create.error.type, 'version_conflict_engine_exception')
})

const whole: [string, () => Promise<{ status: number }>, number][] = [
  ['no newline at the end', () => bulk(create(document()).trimEnd()), 400],
  ['an action without a source', () => bulk(`${create(document())}{"create":{}}\n`), 400],
  ['an unknown action', () => bulk(`{"make":{"_index":"x"}}\n${document()}\n`), 400],
  ['another content type', () => bulk(create(document()), { 'content-type': 'text/plain' }), 406],
  ['an id beyond 512 bytes', () => bulk(create(document(), STREAM, 'x'.repeat(513))), 400],
]
for (const [name, send, status] of whole) {
  test(`${name} is refused as a whole with ${status}`, async () => {
    assert.equal((await send()).status, status)
  })
}

test('only create is allowed on a data stream', async () => {
  const { body } = await bulk(create(document()).replace('create', 'index'))
  assert.equal(body.items[0].index.status, 400)
  assert.match(body.items[0].index.error.reason, /op_type of create/)
})

const names: [string, number][] = [
  ['logs-Weir.log-default', 400],
  ['logs-weir,log-default', 400],
  ['-logs', 400],
  [`logs-weir.${'x'.repeat(260)}-default`, 400],
  ['logs-unknown-default', 404],
]
for (const [index, status] of names) {
  test(`the index ${index.slice(0, 30)} is refused with ${status}`, async () => {
    assert.equal((await bulk(create(document(), index))).body.items[0].create.status, status)
  })
}

const misfits: [string, object, RegExp][] = [
  ['a field that is not mapped', { unheard: 1 }, /strict_dynamic_mapping_exception: .*\[unheard\]/],
  ['an object in the place of a value', { message: { a: 1 } }, /\[message\].*START_OBJECT/],
  ['a value in the place of an object', { event: 'x' }, /object mapping for \[event\]/],
  ['text for a number', { process: { pid: 'x' } }, /\[process\.pid\] of type \[long\]/],
  ['a number out of range', { process: { pid: 2 ** 70 } }, /\[process\.pid\]/],
  ['a date that is none', { process: { end: '2026-02-30T00:00:00Z' } }, /\[process\.end\] of type \[date\]/],
  ['a number for a boolean', { process: { interactive: 1 } }, /\[process\.interactive\]/],
  ['a name for an address', { source: { ip: 'host' } }, /IP string literal/],
  [
    'another dataset than that of the stream',
    { data_stream: { type: 'logs', dataset: 'x', namespace: 'default' } },
    /constant_keyword|data_stream/,
  ],
  ['a second time', { '@timestamp': ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'] }, /multiple values/],
  ['no time', { '@timestamp': null }, /@timestamp\] is missing/],
  ['an empty name', { '': 1 }, /field name/],
  ['a free-form map that is none', { weir: { attributes: 'x' } }, /START_OBJECT/],
  ['a key with a zero character', { weir: { attributes: { 'a\0': 1 } } }, /reserved character/],
  ['a key that is too long', { weir: { attributes: { ['k'.repeat(33_000)]: 1 } } }, /immense/],
]
for (const [name, more, reason] of misfits) {
  test(`${name} is refused`, async () => {
    const { body } = await bulk(create(document(more)))
    assert.equal(body.items[0].create.status, 400)
    const { type, reason: why } = body.items[0].create.error
    assert.match(`${type}: ${why}`, reason)
  })
}

test('equal keys, deep nesting and immense values are refused', () => {
  const check = new DocumentCheck(
    {
      properties: {
        '@timestamp': { type: 'date' },
        k: { type: 'keyword' },
        f: { type: 'flattened' },
        o: { type: 'flat_object' },
      },
    },
    true,
  )
  const refusal = (text: string) => check.refusal(`{"@timestamp":"2026",${text}}`)?.reason
  assert.equal(refusal('"k":"fine"'), undefined)
  assert.match(refusal('"k":"a","k":"b"') ?? '', /Duplicate field/)
  assert.match(refusal(`"k":"${'x'.repeat(33_000)}"`) ?? '', /immense term/)
  assert.match(refusal(`"o":{"k":"${'x'.repeat(32_760)}"}`) ?? '', /immense/)
  assert.match(refusal(`"f":${'{"d":'.repeat(21)}1${'}'.repeat(21)}`) ?? '', /depth limit/)
  assert.match(refusal('"k":01') ?? '', /expected/)
})

test('filter_path keeps what it names and leaves out what is empty, as servers do', async () => {
  const both = create(document(), STREAM, 'taken') + create('{"bad":1}')
  const aligned = await bulk(both, {}, '/_bulk?filter_path=errors,items.*.status')
  assert.deepEqual(aligned.body, { errors: true, items: [{ create: { status: 201 } }, { create: { status: 400 } }] })
  const crooked = await bulk(both, {}, '/_bulk?filter_path=items.*.error.type')
  assert.equal(crooked.body.items.length, 2, 'the conflict and the refusal')
  const shorter = await bulk(create(document()) + create('{"bad":1}'), {}, '/_bulk?filter_path=items.*.error.type')
  assert.equal(shorter.body.items.length, 1, 'the items have lost their places')
})

test('a cluster that asks for credentials refuses a request without them', async () => {
  const closed = await bulkServer({ authorization: 'ApiKey secret' })
  const response = await fetch(`${closed.url}/`, {})
  assert.equal(response.status, 401)
  await closed.close()
})

test('templates that a product does not know are refused', async () => {
  const put = (product: 'elasticsearch' | 'opensearch', version: string, type: object) =>
    bulkServer({ product, version }).then(async ({ admin, close }) => {
      const body = JSON.stringify({ template: { mappings: { properties: { x: type } } } })
      const { status } = admin.handle('PUT', '/_component_template/x', new URLSearchParams(), body)
      await close()
      return status
    })
  assert.equal(await put('opensearch', '3.1.0', { type: 'flattened' }), 400)
  assert.equal(await put('opensearch', '2.6.0', { type: 'flat_object' }), 400)
  assert.equal(await put('opensearch', '3.1.0', { type: 'flat_object', ignore_above: 1 }), 400)
  assert.equal(await put('opensearch', '3.1.0', { type: 'constant_keyword' }), 400)
  assert.equal(await put('elasticsearch', '9.2.0', { type: 'flat_object' }), 400)
  assert.equal(await put('elasticsearch', '7.13.0', { type: 'match_only_text' }), 400)
  assert.equal(await put('elasticsearch', '9.2.0', { type: 'flattened', ignore_above: 1 }), 200)
})
