import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isSensitiveName, redactArguments, redactText } from '../../src/audit/redact-text.ts'

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaSJ9.c2lnbmF0dXJl'

suite('credentials in running text', () => {
  const cases: [string, string][] = [
    ['nothing to hide', 'nothing to hide'],
    [`a ${JWT} b`, 'a [REDACTED] b'],
    [`${JWT.slice(0, 40)}`, '[REDACTED]'],
    [
      'a continue token eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ is none',
      'a continue token eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ is none',
    ],
    ['Bearer abc, BEARER   abc', 'Bearer [REDACTED], Bearer [REDACTED]'],
    ['Authorization: Basic YWxpY2U6cHc=', 'Authorization: [REDACTED]'],
    ['"authorization":"xyz"', '"authorization":"[REDACTED]"'],
    ['authorization.k8s.io is a group', 'authorization.k8s.io is a group'],
    ['https://alice:pw@host/path', 'https://alice:[REDACTED]@host/path'],
    ['https://host:443/a@b', 'https://host:443/a@b'],
    ['https://issuer:8443#alice@example.com', 'https://issuer:8443#alice@example.com'],
    ['-----BEGIN PRIVATE KEY-----\nabc', '[REDACTED]'],
    ['-----BEGIN CERTIFICATE-----\nabc', '-----BEGIN CERTIFICATE-----\nabc'],
  ]
  for (const [text, expected] of cases) test(text, () => assert.equal(redactText(text), expected))
})

suite('command lines', () => {
  const cases: [string[], string[]][] = [
    [
      ['ls', '-l', '/tmp'],
      ['ls', '-l', '/tmp'],
    ],
    [
      ['login', '--token', 'abc', 'x'],
      ['login', '--token', '[REDACTED]', 'x'],
    ],
    [
      ['login', '--token', '--verbose', 'x'],
      ['login', '--token', '--verbose', 'x'],
    ],
    [
      ['login', '--password=abc'],
      ['login', '--password=[REDACTED]'],
    ],
    [
      ['env', 'API_KEY=abc', 'PORT=80'],
      ['env', 'API_KEY=[REDACTED]', 'PORT=80'],
    ],
    [
      ['sh', '-c', 'curl -s --token "a b" x'],
      ['sh', '-c', 'curl -s --token [REDACTED] x'],
    ],
    [
      ['sh', '-c', 'cd x && PASSWORD=abc run --port=1'],
      ['sh', '-c', 'cd x && PASSWORD=[REDACTED] run --port=1'],
    ],
    [
      ['cat', '/var/run/secrets/token'],
      ['cat', '/var/run/secrets/token'],
    ],
  ]
  for (const [words, expected] of cases) {
    test(words.join(' '), () => assert.deepEqual(redactArguments(words), expected))
  }
})

test('names that hold credentials are told from names that only speak of them', () => {
  for (const name of ['token', 'ACCESS_TOKEN', 'dbPassword', 'api-key', 'client_secret', 'sig'])
    assert(isSensitiveName(name), name)
  for (const name of ['tokenPath', 'secretName', 'resourceVersion', 'continue', 'fieldSelector', 'watch'])
    assert(!isSensitiveName(name), name)
})

test('hostile text takes linear time', () => {
  for (const part of ['eyJ', 'Bearer ', '://a:', '-----BEGIN ', 'authorization:', '--token ', 'a=', 'eyJaaaa.']) {
    const start = performance.now()
    redactText(part.repeat(20_000))
    redactArguments([part.repeat(20_000)])
    assert(performance.now() - start < 2000, part)
  }
})
