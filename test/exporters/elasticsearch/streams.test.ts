import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { defaultDataset, sanitised } from '../../../exporters/elasticsearch/streams.ts'
import { EVENT_NAMES } from '../../../src/records/event-names.ts'
import { internResource } from '../../../src/records/interning.ts'
import { record } from '../../kit/records.ts'
import { withServer } from './kit.ts'

const names = (server: { documents: readonly { stream: string }[] }): string[] =>
  server.documents.map(({ stream }) => stream)

test('audit events, findings and the rest go to streams of their own, and the list is closed', () => {
  assert.equal(defaultDataset('k8s.audit'), 'kubernetes.audit_logs')
  assert.equal(defaultDataset('security.anomaly'), 'weir.alerts')
  assert.equal(defaultDataset('security.detection'), 'weir.alerts')
  assert.equal(defaultDataset('security.advice'), 'weir.security')
  assert.equal(defaultDataset('process.exec'), 'weir.process')
  assert.equal(defaultDataset('log'), 'weir.log')
  assert.equal(defaultDataset('attacker.made'), 'weir.log')
  assert(new Set(EVENT_NAMES.map(defaultDataset)).size <= 30)
})

test('a namespace from an attribute counts only where it is allowed', () =>
  withServer(
    {
      data_stream: {
        namespace: 'other',
        dynamic: { namespace: { attribute: 'k8s.namespace.name', allow: ['shop', 'a_b'] } },
      },
    },
    async ({ server, send, context }) => {
      const resource = internResource({ 'k8s.namespace.name': 'shop' })
      await send([
        record({ 'k8s.namespace.name': 'shop' }),
        record({}, { resource }),
        record({ 'k8s.namespace.name': 'A-B' }),
        record({ 'k8s.namespace.name': 'evil' }, { resource }),
        record({ 'k8s.namespace.name': ['shop'] }),
        record({ 'k8s.namespace.name': '__proto__' }),
        record(),
      ])
      assert.deepEqual(
        names(server),
        ['shop', 'shop', 'a_b', 'other', 'other', 'other', 'other'].map((one) => `logs-weir.log-${one}`),
      )
      assert.equal(context.counts['weir_exporter_names_refused'], 3)
      for (const { stream, source } of server.documents) {
        const { type, dataset, namespace } = source.data_stream
        assert.equal(`${type}-${dataset}-${namespace}`, stream)
      }
    },
  ))

test('a thousand namespaces that nobody allowed make no stream', () =>
  withServer(
    { data_stream: { dynamic: { namespace: { attribute: 'n', allow: ['fine'] } } } },
    async ({ server, send, context }) => {
      await send(Array.from({ length: 1000 }, (_, i) => record({ n: `made-up-${i}` })))
      assert.deepEqual([...new Set(names(server))], ['logs-weir.log-default'])
      assert.equal(context.counts['weir_exporter_names_refused'], 1000)
    },
  ))

test('a dataset is fixed, or from an attribute, and a mode has its own', () =>
  withServer(
    {
      mapping: { mode: 'otel' },
      data_stream: { dataset: 'mine', dynamic: { dataset: { attribute: 'd', allow: ['nginx'] } } },
    },
    async ({ server, send }) => {
      await send([record({ d: 'nginx' }), record({ d: 'other' }), record({}, { eventName: 'k8s.audit' })])
      assert.deepEqual(names(server), ['logs-nginx.otel-default', 'logs-mine.otel-default', 'logs-mine.otel-default'])
    },
    { datasets: ['mine', 'nginx'] },
  ))

test('logs_index sends everything to one place', () =>
  withServer({ logs_index: 'logs-weir.everything-prod' }, async ({ server, send }) => {
    await send([record(), record({}, { eventName: 'k8s.audit' })])
    assert.deepEqual([...new Set(names(server))], ['logs-weir.everything-prod'])
  }))

test('names are written as servers take them', () => {
  assert.equal(sanitised('Team A/B-C'), 'team_a_b_c')
  assert.equal(sanitised('a:b,c#d*e?f"g<h>i|j\\k'), 'a_b_c_d_e_f_g_h_i_j_k')
  assert.equal(sanitised('x'.repeat(300)).length, 100)
})

test('names that no server takes are refused in the configuration', () => {
  const refused = (given: object): void =>
    void assert.throws(
      () => elasticsearch.config.parse({ endpoint: 'http://localhost:9200', ...given }),
      JSON.stringify(given),
    )
  for (const name of ['a-b', 'A', 'a b', 'a/b', '', 'a*', 'x'.repeat(101)]) {
    refused({ data_stream: { dataset: name } })
    refused({ data_stream: { namespace: name } })
  }
  for (const name of ['Upper', '-x', '_x', '.x', 'a,b', 'a b', '*']) refused({ logs_index: name })
  refused({ data_stream: { dynamic: { dataset: { attribute: 'x', allow: [] } } } })
})
