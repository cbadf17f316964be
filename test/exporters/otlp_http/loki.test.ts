/** Against an endpoint as strict as Loki's own. */
import assert from 'node:assert/strict'
import { type TestContext as Runner, test } from 'node:test'
import { otlpHttp } from '../../../exporters/otlp_http/index.ts'
import { Delivery } from '../../../src/exporting/deliver.ts'
import { HoldError, RejectedError } from '../../../src/exporting/errors.ts'
import { settingsOf } from '../../../src/exporting/settings.ts'
import { internResource } from '../../../src/records/interning.ts'
import type { LogRecord } from '../../../src/records/record.ts'
import { millisToHrTime } from '../../../src/records/time.ts'
import { type TestContext, testContext } from '../../kit/context.ts'
import { type Loki, type LokiOptions, loki } from '../../kit/loki.ts'
import { record } from '../../kit/records.ts'

const never = new AbortController().signal
const MINUTE = 60_000

let sequence = 0
const at = (agoMs: number, attributes = {}): LogRecord =>
  record(
    { sequence: sequence++, ...attributes },
    {
      hrTime: millisToHrTime(Date.now() - agoMs),
      resource: internResource({ 'service.name': 'k8s-audit', 'k8s.cluster.name': 'production' }),
    },
  )

interface Trial {
  readonly to: Loki
  readonly context: TestContext
  send(records: readonly LogRecord[]): Promise<void>
  deliver(records: readonly LogRecord[]): Promise<string>
}

async function trial(t: Runner, config: object = {}, options: LokiOptions = {}): Promise<Trial> {
  const to = await loki(options)
  t.after(() => to.close())
  const context = testContext()
  const parsed = otlpHttp.config.parse({ endpoint: `${to.url}/otlp`, ...config })
  const exporter = otlpHttp.create(parsed, context)
  await exporter.start?.(never)
  t.after(() => exporter.stop?.(never))
  const delivery = new Delivery(exporter, settingsOf(parsed), {
    sent: (n) => context.count('sent', n),
    refusedUnnamed: (n) => context.count('refused', n),
    retrying: () => context.count('retries', 1),
    reject: context.reject,
    health: context.health,
  })
  return {
    to,
    context,
    send: (records) => exporter.export(records, never),
    deliver: async (records) => (await delivery.deliver(records, never)).kind,
  }
}

for (const encoding of ['proto', 'json'] as const) {
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    test(`Loki takes ${encoding} with compression ${compression}, and its empty 204 is a success`, async (t) => {
      const { to, context, deliver } = await trial(t, { encoding, compression })
      assert.equal(await deliver([at(0, { 'user.name': 'alice' }), at(0)]), 'delivered')
      assert.deepEqual(to.statuses, [204])
      assert.deepEqual(to.lines[0]?.labels, { service_name: 'k8s-audit', k8s_cluster_name: 'production' })
      assert.equal(to.lines[0]?.metadata['user_name'], 'alice')
      assert.equal(to.lines[0]?.metadata['severity_number'], '9')
      assert.equal(context.counts['weir_exporter_partial_unknown'], undefined)
    })
  }
}

test('a header of the configuration cannot spoil the content type that Loki insists on', async (t) => {
  const { to, send } = await trial(t, { headers: { 'Content-Type': 'application/json; charset=utf-8' } })
  await send([at(0)])
  assert.deepEqual(to.statuses, [204])
})

test('the tenant goes along; without it everything is held', async (t) => {
  const known = await trial(t, { headers: { 'X-Scope-OrgID': 'security' } }, { tenant: 'security' })
  await known.send([at(0)])
  const unknown = await trial(t, {}, { tenant: 'security' })
  await assert.rejects(
    unknown.send([at(0)]),
    (error: Error) => error instanceof HoldError && /no org id/.test(error.message),
  )
})

const invalid: [name: string, make: () => LogRecord, reason: RegExp][] = [
  ['too far behind its stream', () => at(90 * MINUTE), /entry too far behind/],
  ['older than a week', () => at(8 * 24 * 60 * MINUTE), /timestamp too old/],
  ['of the future', () => at(-30 * MINUTE), /timestamp too new/],
  [
    'with 130 attributes',
    () => at(0, Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`a${i}`, i]))),
    /too many structured metadata/,
  ],
  ['with 70 KB of attributes', () => at(0, { big: 'x'.repeat(70_000) }), /structured metadata too large/],
]
for (const [name, make, reason] of invalid) {
  test(`one record ${name} among good ones: nothing is sent again, all are kept aside, the reason is told`, async (t) => {
    const { to, context, deliver } = await trial(t)
    const batch = [at(0), at(0), make(), at(0), at(0)]
    assert.equal(await deliver(batch), 'rejected')
    assert.deepEqual(to.statuses, [400], 'one request, no halves')
    assert.equal(to.lines.length, 4, 'Loki kept the valid ones')
    assert.equal(to.duplicates, 0)
    assert.deepEqual(
      context.letters.map((letter) => [letter.reason, letter.record]),
      batch.map((one) => ['unknown_partial', one]),
    )
    assert.match(context.letters[0]?.error ?? '', reason)
    assert.equal(context.counts['weir_exporter_partial_unknown'], 5)
    assert.equal(context.healthLog.at(-1)?.status, 'recoverable')
    assert.equal(await deliver([at(0)]), 'delivered')
    assert.equal(context.healthLog.at(-1)?.status, 'ok')
  })
}

test('what is told explicitly wins over the path', async (t) => {
  const { to, context, deliver } = await trial(t, { partial_on_400: false })
  assert.equal(await deliver([at(0), at(8 * 24 * 60 * MINUTE)]), 'rejected')
  assert.deepEqual(to.statuses, [400, 204, 400], 'halved, as for any other destination')
  assert.deepEqual(
    context.letters.map(({ reason }) => reason),
    ['http_400'],
  )
  const elsewhere = await trial(t, { logs_endpoint: `${to.url}/v1/logs`, partial_on_400: true })
  await assert.rejects(elsewhere.send([at(0)]), HoldError, 'other answers mean what they mean')
})

test('only the path of Loki means Loki', async (t) => {
  const { to } = await trial(t)
  const batch = [at(8 * 24 * 60 * MINUTE)]
  for (const [path, isBisected] of [
    ['/otlp/v1/logs', false],
    ['/otlp/v1/logs?debug=1', false],
  ] as const) {
    const { send } = await trial(t, { logs_endpoint: `${to.url}${path}` })
    await assert.rejects(send(batch), (error: Error) => {
      if (path.includes('?')) return error instanceof HoldError
      return error instanceof RejectedError && error.bisect === isBisected
    })
  }
})
