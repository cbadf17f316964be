/**
 * One OTLP request, written by hand, with records of every kind; and what is comparable of requests in JSON, with the
 * kinds of their values, whoever wrote them.
 */

// biome-ignore lint/suspicious/noExplicitAny: JSON of others.
type Json = any

const text = (stringValue: string): Json => ({ stringValue })
const pair = (key: string, value: Json): Json => ({ key, value })

const ATTRIBUTES: readonly Json[] = [
  pair('log.record.uid', text('every-kind-1')),
  pair('text', text('a "quoted" \u0000 line\nand umlauts äöü, 漢字, 🦊')),
  pair('empty text', text('')),
  pair('yes', { boolValue: true }),
  pair('no', { boolValue: false }),
  pair('zero', { intValue: '0' }),
  pair('negative', { intValue: '-42' }),
  pair('largest exact', { intValue: '9007199254740991' }),
  pair('smallest exact', { intValue: '-9007199254740991' }),
  pair('double', { doubleValue: 0.1 }),
  pair('tiny', { doubleValue: 5e-324 }),
  pair('huge', { doubleValue: 1.7976931348623157e308 }),
  pair('bytes', { bytesValue: 'AAEC/f7/' }),
  pair('list', { arrayValue: { values: [text('a'), { intValue: '1' }, { boolValue: true }, { doubleValue: 2.5 }] } }),
  pair('list of lists', {
    arrayValue: { values: [{ arrayValue: { values: [{ intValue: '1' }] } }, { arrayValue: { values: [] } }] },
  }),
  pair('map', {
    kvlistValue: {
      values: [
        pair('a', text('b')),
        pair('deeper', {
          kvlistValue: { values: [pair('bytes', { bytesValue: '/w==' }), pair('n', { intValue: '7' })] },
        }),
        pair('list of maps', { arrayValue: { values: [{ kvlistValue: { values: [pair('k', text('v'))] } }] } }),
      ],
    },
  }),
  pair('nothing', {}),
]

/** What Weir makes harmless (docs/components/receivers/otlp.md): before, and after. */
const CHANGED: readonly (readonly [Json, Json])[] = [
  [pair('beyond', { intValue: '9223372036854775807' }), pair('beyond', text('9223372036854775807'))],
  [pair('below', { intValue: '-9223372036854775808' }), pair('below', text('-9223372036854775808'))],
  [pair('not a number', { doubleValue: 'NaN' }), pair('not a number', text('NaN'))],
  [pair('infinite', { doubleValue: '-Infinity' }), pair('infinite', text('-Infinity'))],
  [pair('whole double', { doubleValue: 5 }), pair('whole double', { intValue: '5' })],
]

function request(changed: readonly Json[]): Json {
  const first = {
    timeUnixNano: '1780000000123456789',
    observedTimeUnixNano: '1780000001987654321',
    severityNumber: 17,
    severityText: 'Error',
    eventName: 'test.every_kind',
    body: text('a body'),
    attributes: [...ATTRIBUTES, ...changed],
    droppedAttributesCount: 3,
    flags: 1,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
  }
  const bodies = [
    { kvlistValue: { values: [pair('a', { intValue: '1' }), pair('b', { arrayValue: { values: [text('c')] } })] } },
    { arrayValue: { values: [text('a'), { boolValue: false }] } },
    { bytesValue: 'AP8=' },
    { intValue: '12' },
    { doubleValue: 1.5 },
    { boolValue: true },
    text(''),
  ]
  const others = bodies.map((body, i) => ({
    timeUnixNano: `17800000020000000${10 + i}`,
    observedTimeUnixNano: '1780000003000000001',
    severityNumber: i + 1,
    severityText: `S${i}`,
    eventName: 'test.body',
    body,
    attributes: [pair('log.record.uid', text(`body-${i}`))],
  }))
  return {
    resourceLogs: [
      {
        resource: { attributes: [pair('service.name', text('every-kind')), pair('numbers', ATTRIBUTES[13].value)] },
        scopeLogs: [
          {
            scope: { name: 'a scope', version: '1.2.3', attributes: [pair('of the scope', { intValue: '1' })] },
            logRecords: [first],
            schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
          },
          { scope: { name: 'another' }, logRecords: others.slice(0, 3) },
        ],
        schemaUrl: 'https://opentelemetry.io/schemas/1.29.0',
      },
      {
        resource: { attributes: [pair('service.name', text('other'))] },
        scopeLogs: [{ scope: { name: 'a scope' }, logRecords: others.slice(3) }],
      },
    ],
  }
}

/** What is sent. */
export const EVERY_KIND: Json = request(CHANGED.map(([before]) => before))
/** What is there once it has gone through Weir. */
export const THROUGH_WEIR: readonly string[] = comparable([request(CHANGED.map(([, after]) => after))])

/** One line a record with everything that it says, sorted: requests may be cut and joined on their way. */
export function comparable(requests: readonly Json[]): string[] {
  const lines = requests.flatMap(({ resourceLogs = [] }) =>
    resourceLogs.flatMap((group: Json) =>
      group.scopeLogs.flatMap((inner: Json) => inner.logRecords.map((record: Json) => line(group, inner, record))),
    ),
  )
  return lines.toSorted()
}

function line({ resource, schemaUrl = '' }: Json, inner: Json, record: Json): string {
  const { scope = {} } = inner
  return JSON.stringify({
    uid: record.attributes?.find(({ key }: Json) => key === 'log.record.uid')?.value.stringValue,
    time: record.timeUnixNano,
    observed: record.observedTimeUnixNano,
    severity: [record.severityNumber ?? 0, record.severityText ?? ''],
    event: record.eventName ?? '',
    body: kindOf(record.body),
    attributes: attributesOf(record.attributes),
    dropped: record.droppedAttributesCount ?? 0,
    trace: [record.flags ?? 0, record.traceId ?? '', record.spanId ?? ''],
    resource: [attributesOf(resource?.attributes), schemaUrl],
    scope: [scope.name ?? '', scope.version ?? '', attributesOf(scope.attributes), inner.schemaUrl ?? ''],
  })
}

function attributesOf(list: readonly Json[] = []): Record<string, Json> {
  const pairs = list.map(({ key, value }) => [key, kindOf(value)] as const)
  return Object.fromEntries(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** With its kind, so that 1, 1.0 and "1" are three things. */
function kindOf(value: Json): Json {
  const [[kind, inner] = ['', undefined]] = Object.entries(value ?? {}) as [string, Json][]
  if (kind === 'arrayValue') return [(inner.values ?? []).map(kindOf)]
  if (kind === 'kvlistValue') return attributesOf(inner.values)
  return kind === '' ? null : `${kind}:${inner}`
}
