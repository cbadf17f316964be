import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elasticsearch } from '../../exporters/elasticsearch/index.ts'
import { exporterContract } from '../kit/exporter-contract.ts'
import { record } from '../kit/records.ts'
import { preparedServer, withServer } from './elasticsearch/kit.ts'

for (const [product, version] of [
  ['elasticsearch', '9.2.0'],
  ['opensearch', '3.1.0'],
] as const) {
  exporterContract(elasticsearch, {
    async destination() {
      const server = await preparedServer({ product, version })
      const mapping = { status: 400, type: 'document_parsing_exception', reason: 'failed to parse field [x]' }
      return {
        config: { endpoint: server.url },
        mood(mood) {
          if (mood === 'accepts') server.always = undefined
          else if (mood === 'hangs') server.always = { kind: 'hang' }
          else if (mood === 'fails') server.always = { kind: 'status', status: 503 }
          else server.always = { kind: 'items', answer: () => mapping }
        },
        received: async () => server.documents.map(({ source }) => source.weir.attributes.id),
        close: () => server.close(),
      }
    },
  })
}

for (const compression of ['none', 'gzip'] as const) {
  test(`requests with compression ${compression} arrive whole, with a Content-Length and only the answer that is read`, () =>
    withServer({ compression }, async ({ server, send, context }) => {
      await send(
        Array.from({ length: 50 }, (_, id) => record({ id, 'log.record.uid': `uid-${id}` }, { hrTime: [9, id] })),
      )
      const [request] = server.requests
      assert.equal(request?.headers['content-length'], String(request?.bytes))
      assert.equal(request?.headers['content-encoding'], compression === 'none' ? undefined : compression)
      assert.equal(request?.headers['content-type'], 'application/x-ndjson')
      assert.equal(request?.path, '/_bulk')
      assert.match(request?.query.get('filter_path') ?? '', /^errors,items\.\*\.status/)
      assert.deepEqual(
        server.documents.map(({ id, stream }) => [id, stream]),
        Array.from({ length: 50 }, (_, i) => [`uid-${i}@9.${i}`, 'logs-weir.log-default']),
      )
      assert.equal(context.counts['weir_exporter_sent_bytes'], request?.bytes)
    }))
}
