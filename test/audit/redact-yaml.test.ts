import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactYaml } from '../../src/audit/redact-yaml.ts'

const cases: [string, string][] = [
  ['a: b\ntoken: abc\nc: d', 'a: b\ntoken: [REDACTED]\nc: d'],
  ['- token: abc', '- token: [REDACTED]'],
  ['  "password": "a b"', '  "password": [REDACTED]'],
  ['password: |\n  one\n\n  two\nnext: kept', 'password: [REDACTED]\nnext: kept'],
  ['- password: |\n    one\n  user: b', '- password: [REDACTED]\n  user: b'],
  ['password:\n  one\nnext: kept', 'password: [REDACTED]\nnext: kept'],
  ['user: {name: a, token: abc}', 'user: {name: a, token: [REDACTED]}'],
  ['db.password=abc\ndb.user=me', 'db.password=[REDACTED]\ndb.user=me'],
  ['tokenPath: /var/run\nkey: value', 'tokenPath: /var/run\nkey: value'],
  ['the token: was here', 'the token: was here'],
  ['secretName: db', 'secretName: db'],
]
for (const [text, expected] of cases) test(JSON.stringify(text), () => assert.equal(redactYaml(text), expected))

test('long texts cost no more than their length', () => {
  const started = performance.now()
  for (const text of [
    'token: x\n'.repeat(50_000),
    `token: x ${'{a:'.repeat(100_000)}`,
    `token:${' '.repeat(500_000)}x`,
  ]) {
    redactYaml(text)
  }
  assert(performance.now() - started < 3000)
})
