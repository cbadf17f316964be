/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: expansions are what is tested. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { redacted } from '../../src/config/redact.ts'
import { filled, resolvedConfig } from '../../src/config/resolved.ts'
import { byteSize, duration, regex, secret } from '../../src/config/values.ts'
import { loadText, VALID } from './kit.ts'

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
const fill = (schema: z.ZodType, raw: unknown, redact = false): unknown => plain(filled(schema, raw, { redact }))

const fillings: readonly { name: string; schema: z.ZodType; raw: unknown; filled: unknown }[] = [
  { name: 'a duration stays as it was written', schema: duration(), raw: '1000ms', filled: '1000ms' },
  { name: 'a default duration is readable', schema: duration().default(90_000), raw: undefined, filled: '1m30s' },
  { name: 'a default size is readable', schema: byteSize().default(65_536), raw: undefined, filled: '64KiB' },
  { name: 'a written size stays', schema: byteSize(), raw: 65_536, filled: 65_536 },
  { name: 'a pattern stays', schema: regex(), raw: '^a', filled: '^a' },
  { name: 'a default pattern is its source', schema: regex().default(/^a/u), raw: undefined, filled: '^a' },
  { name: 'what is optional stays away', schema: z.strictObject({ a: z.string().optional() }), raw: {}, filled: {} },
  {
    name: 'a prefault is filled in turn',
    schema: z.strictObject({ a: z.number().default(1), b: duration().default(5) }).prefault({}),
    raw: undefined,
    filled: { a: 1, b: '5ms' },
  },
  {
    name: 'a default object has its parts in readable form',
    schema: z.strictObject({ a: z.strictObject({ t: duration() }).default({ t: 1000 }) }),
    raw: {},
    filled: { a: { t: '1s' } },
  },
  {
    name: 'what a transform makes is not shown, what goes into it is',
    schema: z.strictObject({ n: z.number().default(2) }).transform(({ n }) => n * 2),
    raw: {},
    filled: { n: 2 },
  },
  {
    name: 'the branch of a union that fits is filled',
    schema: z.union([z.string(), z.strictObject({ a: z.number(), b: z.number().default(3) })]),
    raw: { a: 1 },
    filled: { a: 1, b: 3 },
  },
  {
    name: 'records and lists',
    schema: z.record(z.string(), z.array(z.strictObject({ a: z.number().default(1) }))),
    raw: { x: [{}] },
    filled: { x: [{ a: 1 }] },
  },
  {
    name: 'text that would expand is escaped',
    schema: z.array(z.string()),
    raw: ['${X}', 'a$b', '$$', 'x$'],
    filled: ['$${X}', 'a$b', '$$$', 'x$'],
  },
]
for (const { name, schema, raw, filled: expected } of fillings) {
  test(name, () => assert.deepEqual(fill(schema, raw), expected))
}

const hidings: readonly { name: string; schema: z.ZodType; value: unknown; shown: unknown }[] = [
  { name: 'a secret', schema: secret(), value: 'x', shown: '[REDACTED]' },
  { name: 'a secret with further rules', schema: secret().min(1).optional(), value: 'x', shown: '[REDACTED]' },
  {
    name: 'a secret that is marked outside',
    schema: z.string().optional().meta({ secret: true }),
    value: 'x',
    shown: '[REDACTED]',
  },
  {
    name: 'secrets in a record',
    schema: z.record(z.string(), secret()),
    value: { a: 'x' },
    shown: { a: '[REDACTED]' },
  },
  { name: 'secrets in a list', schema: z.array(secret()), value: ['x', 'y'], shown: ['[REDACTED]', '[REDACTED]'] },
  {
    name: 'secrets in a transformed map',
    schema: z.strictObject({ a: secret() }).transform((all) => all),
    value: { a: 'x' },
    shown: { a: '[REDACTED]' },
  },
  {
    name: 'a secret of any branch of a union, even where another branch takes the value too',
    schema: z.union([z.record(z.string(), z.string()), z.strictObject({ password: secret() })]),
    value: { password: 'x', user: 'me' },
    shown: { password: '[REDACTED]', user: 'me' },
  },
  {
    name: 'everything in a secret map',
    schema: z.record(z.string(), z.string()).meta({ secret: true }),
    value: { a: 'x' },
    shown: '[REDACTED]',
  },
  { name: 'the password of a URL', schema: z.url(), value: 'https://u:p@h/x', shown: 'https://[REDACTED]@h/x' },
  {
    name: 'the token of a URL',
    schema: z.url(),
    value: 'https://h/x?a=1&access_token=t#f',
    shown: 'https://h/x?a=1&access_token=[REDACTED]#f',
  },
  {
    name: 'URLs inside text',
    schema: z.any(),
    value: ['see redis://:p@h and amqp://k@h'],
    shown: ['see redis://[REDACTED]@h and amqp://[REDACTED]@h'],
  },
  {
    name: 'no value is no secret',
    schema: z.strictObject({ a: secret().nullable() }),
    value: { a: null },
    shown: { a: null },
  },
  {
    name: 'an address with an at sign in its path is none',
    schema: z.string(),
    value: 'https://h/@me',
    shown: 'https://h/@me',
  },
]
for (const { name, schema, value, shown } of hidings) {
  test(`redacted: ${name}`, () => assert.deepEqual(plain(redacted(schema, value)), shown))
}

test('the whole configuration is shown with canonical ids and defaults', () => {
  const { config } = loadText(VALID.replace('file_log:', 'filelog:'))
  assert.ok(config)
  assert.deepEqual(plain(resolvedConfig(config, { redact: true })), {
    receivers: {
      file_log: {
        include: ['/var/log/*.log'],
        start_at: 'end',
        poll_interval: '200ms',
        max_log_size: '1MiB',
        resource: {},
      },
    },
    exporters: { stdout: { format: 'pretty' } },
    service: {
      extensions: [],
      pipelines: { logs: { receivers: ['file_log'], processors: [], exporters: ['stdout'] } },
      shutdown_timeout: '30s',
      telemetry: {
        logs: { level: 'info', encoding: 'console', processors: [] },
        metrics: {
          level: 'normal',
          readers: [{ pull: { exporter: { prometheus: { host: 'localhost', port: 8888 } } } }],
        },
        resource: {},
      },
      memory: {},
    },
  })
})
