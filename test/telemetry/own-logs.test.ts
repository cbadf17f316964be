import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../src/telemetry/logger.ts'
import { openOwnLogs } from '../../src/telemetry/own-logs.ts'
import { otlpSink } from '../kit/otlp-sink.ts'

test("Weir's own log arrives by OTLP, with its level, its facts and its resource", async () => {
  const sink = await otlpSink()
  const own = await openOwnLogs({
    destinations: [{ endpoint: `${sink.url}/v1/logs`, headers: { 'x-team': 'platform' } }],
    resource: { 'service.name': 'weir' },
  })
  const log = createLogger({ level: 'info', encoding: 'console', write: () => {}, also: own.emit })
  log.debug('Not written, so not sent.')
  log.child({ 'otelcol.component.id': 'k8s_audit' }).warn('A file cannot be read.', { error: new Error('EACCES') })
  await own.close()
  const [record, ...more] = sink.accepted
  assert.deepEqual(more, [])
  assert.equal(record?.body, 'A file cannot be read.')
  assert.equal(record?.severityNumber, 13)
  assert.deepEqual(record?.attributes, { 'otelcol.component.id': 'k8s_audit', error: 'EACCES' })
  assert.equal(record?.resource['service.name'], 'weir')
  assert.equal(sink.requests[0]?.headers['x-team'], 'platform')
  await sink.close()
})

test('a destination that is down costs a bounded time at the end, and nothing else', { timeout: 8000 }, async () => {
  const own = await openOwnLogs({
    destinations: [{ endpoint: 'http://127.0.0.1:1/v1/logs', headers: {} }],
    resource: {},
  })
  own.emit('error', 'nobody hears this', {})
  const startedAt = Date.now()
  await own.close()
  assert(Date.now() - startedAt < 4000)
})
