/**
 * Every document that the exporter writes is taken by the mapping that `weir elasticsearch setup` ships.
 *
 * Runs against the strict server of the tests, as several products and versions. With
 * `WEIR_TEST_ELASTICSEARCH=http://localhost:9200` it runs against that server as well, after setting it up.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elasticsearch } from '../../../exporters/elasticsearch/index.ts'
import { AUDIT_TABLE } from '../../../src/ecs/audit-table.ts'
import { ECS_TABLE } from '../../../src/ecs/table.ts'
import { EVENT_NAMES } from '../../../src/records/event-names.ts'
import type { AnyValue, Attributes, LogRecord } from '../../../src/records/record.ts'
import { everyRecord } from '../../ecs/samples.ts'
import { testContext } from '../../kit/context.ts'
import { record } from '../../kit/records.ts'
import { never, preparedServer, setUpReal } from './kit.ts'

interface Destination {
  readonly name: string
  /** Sends records; throws when one was refused. Resolves with the documents where they can be seen. */
  readonly open: (mode: string) => Promise<{
    send(records: readonly LogRecord[]): Promise<void>
    documents(): readonly { readonly stream: string; readonly source: never }[] | undefined
    close(): Promise<void>
  }>
}

const simulated = (product: 'elasticsearch' | 'opensearch', version: string): Destination => ({
  name: `${product} ${version}`,
  async open(mode) {
    const server = await preparedServer({ product, version })
    const { send, stop } = await exporterFor({ endpoint: server.url, mapping: { mode } })
    return {
      send,
      documents: () => server.documents as never,
      async close() {
        await stop()
        await server.close()
      },
    }
  },
})

const real = (url: string): Destination => ({
  name: url,
  async open(mode) {
    await setUpReal(url)
    const data_stream = { namespace: `test${Date.now()}` }
    const { send, stop } = await exporterFor({ endpoint: url, mapping: { mode }, data_stream })
    return { send, documents: () => undefined, close: stop }
  },
})

async function exporterFor(config: object) {
  const exporter = elasticsearch.create(elasticsearch.config.parse(config), testContext())
  await exporter.start?.(never)
  return {
    send: (records: readonly LogRecord[]) => exporter.export(records, never),
    stop: async () => exporter.stop?.(never),
  }
}

const url = process.env['WEIR_TEST_ELASTICSEARCH']
const destinations = [
  simulated('elasticsearch', '7.17.0'),
  simulated('elasticsearch', '9.2.0'),
  simulated('opensearch', '1.3.0'),
  simulated('opensearch', '2.13.0'),
  simulated('opensearch', '3.1.0'),
  ...(url === undefined ? [] : [real(url)]),
]
const modes = ['ecs', 'otel', 'raw'] as const

for (const destination of destinations) {
  for (const mode of modes) {
    test(`${destination.name} takes every event with every attribute in the mode ${mode}`, async () => {
      const { send, documents, close } = await destination.open(mode)
      try {
        await send(everyRecord())
        const stored = documents()
        if (stored === undefined) return
        assert.equal(stored.length, EVENT_NAMES.length)
        const audit = stored.find(({ stream }) => stream.startsWith('logs-kubernetes.audit_logs'))
        assert.equal(audit?.stream, `logs-kubernetes.audit_logs${mode === 'ecs' ? '' : `.${mode}`}-default`)
      } finally {
        await close()
      }
    })
  }
}

/** Values at the limits of free-form maps, together with keys at theirs: terms are limited in bytes. */
const extremes: AnyValue[] = [11, 12, 13].flatMap((depth) =>
  ['k', '€'.repeat(90), '€'.repeat(256), '€'.repeat(257)].map((key) =>
    Array.from({ length: depth }).reduce<AnyValue>((inner) => ({ [key]: inner }), '€'.repeat(8191)),
  ),
)
for (const destination of destinations) {
  for (const mode of modes) {
    test(`${destination.name} takes the longest paths and values in the mode ${mode}`, async () => {
      const { send, close } = await destination.open(mode)
      try {
        const names = ['unknown', '€'.repeat(256), 'k8s.pod.label.x']
        await send(names.flatMap((name) => extremes.map((one) => record({ [name]: one, plain: '€'.repeat(8191) }))))
        await send(extremes.map((body) => record({}, { body })))
        const objects = extremes.map((one) => ({ 'k8s.audit.request_object': JSON.stringify({ spec: one }) }))
        await send(objects.map((one) => record(one, { eventName: 'k8s.audit' })))
      } finally {
        await close()
      }
    })
  }
}

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '\0', '\ud800', '"\\\n', '192.0.2.1', '::1', '2026-02-31T00:00:00Z', '99'),
  },
  { weight: 1, arbitrary: fc.nat(40_000).map((length) => 'ä€'.repeat(length)) },
)
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(2 ** 53, -(2 ** 63), 2 ** 63, 1e21, 1e300, -0, Number.NaN, Number.POSITIVE_INFINITY),
)
const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('', '.', '..', ' ', 'a.', '.a', 'a..b', '__proto__', 'constructor', '\0', '"'),
  },
  { weight: 1, arbitrary: fc.nat(3000).map((length) => 'k'.repeat(length)) },
)
const value: fc.Arbitrary<AnyValue> = fc.letrec<{ any: AnyValue }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    text,
    number,
    fc.boolean(),
    fc.constantFrom(null, undefined, new Uint8Array([1, 2]), 10n as never),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(key, tie('any'), { maxKeys: 4 }) as fc.Arbitrary<AnyValue>,
    fc.nat(60).map((depth) => Array.from({ length: depth }).reduce<AnyValue>((inner) => ({ d: inner }), 1)),
  ),
})).any

const known = [...Object.keys(ECS_TABLE), ...Object.keys(AUDIT_TABLE)]
  .map((name) => name.replace('*', 'x'))
  .concat('k8s.audit.request_object', 'k8s.audit.response_object', 'elasticsearch.document_id')
const name = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: key })
const attributes = fc
  .array(fc.tuple(name, value), { maxLength: 12 })
  .map((entries) => Object.fromEntries(entries) as Attributes)
const times = fc.constantFrom<[number, number]>(
  [1_700_000_000, 1],
  [-62_135_596_800, 0],
  [253_402_300_799, 999_999_999],
  [1e300, 0],
  [Number.NaN, Number.NaN],
  [9_300_000_000, 5],
)
const anyRecord = fc
  .record({
    attributes,
    resource: attributes,
    body: value,
    eventName: fc.constantFrom(...EVENT_NAMES, 'odd'),
    hrTime: times,
  })
  .map(({ attributes: own, resource, ...rest }) =>
    record(own, { ...rest, resource: { attributes: resource } as never }),
  )

for (const destination of destinations) {
  for (const mode of modes) {
    test(`${destination.name} takes whatever attributes hold in the mode ${mode}`, { timeout: 120_000 }, async () => {
      const { send, documents, close } = await destination.open(mode)
      try {
        let sent = 0
        const property = fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), async (records) => {
          // An id may repeat by chance: what counts is that each is stored.
          for (const [i, { attributes: own }] of records.entries()) own['log.record.uid'] = `uid-${sent + i}`
          sent += records.length
          await send(records)
          const stored = documents()
          if (stored !== undefined) assert.equal(stored.length, sent)
        })
        await fc.assert(property, { numRuns: url === undefined ? 60 : 20, seed: 20_261_125 })
      } finally {
        await close()
      }
    })
  }
}
