import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { check } from '../../src/config/check.ts'
import { parseYaml } from '../../src/config/parse.ts'
import { duration, secret } from '../../src/config/values.ts'

const at = { source: 'a.yaml', line: 1, column: 1 }

/** What is said about `key: value` under a schema for it. */
function said(schema: z.ZodType, value: string): string[] {
  const { node } = parseYaml(`key: ${value}`, { source: 'a.yaml', limits: { values: 1000 } })
  assert.ok(node)
  const { problems, isValid } = check(node, { schema: z.strictObject({ key: schema }), path: [], at })
  assert.equal(isValid, problems.length === 0)
  return problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const cases: readonly { schema: z.ZodType; value: string; said: readonly string[] }[] = [
  { schema: z.string(), value: 'x', said: [] },
  { schema: z.string().min(3), value: 'x', said: ['key: expected at least 3 characters, found 1'] },
  { schema: z.string().max(3), value: 'xxxx', said: ['key: expected at most 3 characters, found 4'] },
  { schema: z.string().length(3), value: 'xxxx', said: ['key: expected exactly 3 characters, found 4'] },
  { schema: z.array(z.string()).min(1), value: '[]', said: ['key: expected at least 1 entries, found 0'] },
  { schema: z.number().min(1), value: '0', said: ['key: expected a number of at least 1, found 0'] },
  { schema: z.number().gt(0), value: '0', said: ['key: expected a number of more than 0, found 0'] },
  { schema: z.number().lt(10), value: '10', said: ['key: expected a number of less than 10, found 10'] },
  { schema: z.int(), value: '1.5', said: ['key: expected an integer, found 1.5'] },
  { schema: z.number().multipleOf(5), value: '7', said: ['key: expected a multiple of 5, found 7'] },
  { schema: z.number(), value: '.nan', said: ['key: expected a number, found NaN'] },
  { schema: z.string().regex(/^a+$/), value: 'b', said: ['key: expected text that matches /^a+$/, found "b"'] },
  { schema: z.string().startsWith('/'), value: 'b', said: ['key: expected text with "/" (starts with), found "b"'] },
  { schema: z.email(), value: 'b', said: ['key: expected a string in the form "email", found "b"'] },
  { schema: z.literal('on'), value: 'off', said: ['key: expected on, found "off"'] },
  { schema: z.boolean(), value: 'yes', said: ['key: expected true or false, found "yes"'] },
  {
    schema: z.union([z.string(), z.array(z.string())]),
    value: '{}',
    said: ['key: expected a string or a list of strings, found a map'],
  },
  {
    schema: z.union([z.string(), z.array(z.string())]),
    value: '[1]',
    said: ['key.0: expected a string, found 1; put it in quotes'],
  },
  { schema: z.union([z.url(), z.literal('auto')]), value: 'x', said: ['key: expected a URL or auto, found "x"'] },
  {
    schema: z.union([
      z.strictObject({ type: z.literal('a'), n: z.number() }),
      z.strictObject({ type: z.literal('b'), s: z.string(), t: z.string() }),
    ]),
    value: '{type: a, n: x}',
    said: ['key.n: expected a number, found "x"'],
  },
  {
    schema: z.record(z.string().regex(/^x/), z.number()),
    value: '{a: 1}',
    said: ['key.a: this key is not allowed: see the schema'],
  },
  {
    schema: z.array(duration()),
    value: '5s',
    said: ['key: expected a list of durations, found "5s"; write it as a list: [value]'],
  },
  { schema: z.tuple([z.string(), z.number()]), value: '[a, b]', said: ['key.1: expected a number, found "b"'] },
  { schema: z.string({ error: 'say what' }), value: '5', said: ['key: say what'] },
  { schema: z.string().refine((text) => text !== 'x', { error: 'not x' }), value: 'x', said: ['key: not x'] },
  {
    schema: z.lazy(() => z.strictObject({ a: z.number() })),
    value: '{a: x}',
    said: ['key.a: expected a number, found "x"'],
  },
  {
    schema: z.preprocess((value) => value, z.strictObject({ a: z.number() })),
    value: '{b: 1}',
    said: ['key.a: is required: expected a number', 'key.b: unknown key "b"; valid are a'],
  },
  {
    schema: z.intersection(z.object({ a: z.number() }), z.object({ b: z.number() })),
    value: '{a: 1, b: x}',
    said: ['key.b: expected a number, found "x"'],
  },
  { schema: secret(), value: '5', said: ['key: expected a string, found a number; put it in quotes'] },
  { schema: secret().min(10), value: 'hunter2', said: ['key: expected at least 10 characters, found 7'] },
  {
    schema: secret().regex(/^Bearer /),
    value: 'hunter2',
    said: ['key: expected text that matches /^Bearer /, found a string'],
  },
  {
    schema: secret().refine(() => false, { error: ({ input }) => `bad: ${input}` }),
    value: 'hunter2',
    said: ['key: bad: [REDACTED]'],
  },
  {
    schema: z.array(z.record(z.string(), secret())),
    value: '[{a: [hunter2]}]',
    said: ['key.0.a: expected a string, found a list'],
  },
  { schema: z.url(), value: 'https//me:hunter2@x', said: ['key: expected a URL, found "https//me:hunter2@x"'] },
  { schema: z.enum(['a']), value: 'https://me:hunter2@x', said: ['key: expected a, found "https://[REDACTED]@x"'] },
  {
    schema: z.boolean(),
    value: `"${'x'.repeat(100)}"`,
    said: [`key: expected true or false, found "${'x'.repeat(60)}…"`],
  },
]
for (const { schema, value, said: expected } of cases) {
  test(`${value.slice(0, 40)} under ${(schema as unknown as { type: string }).type}: ${expected[0] ?? 'nothing is said'}`, () => {
    assert.deepEqual(said(schema, value), expected)
  })
}

test('a schema that throws is an error, not a crash', () => {
  const schema = z.string().transform(() => {
    throw new Error('boom')
  })
  assert.deepEqual(said(schema, 'x'), [': cannot be checked: boom'])
})
