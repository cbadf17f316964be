import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { boundedRaw, redactRaw } from '../../src/audit/redact-raw.ts'
import { event } from './events.ts'

const PLANTED = 'c3VwZXItc2VjcmV0'
const secretEvent = JSON.stringify(
  event({
    objectRef: { resource: 'secrets', name: 'db' },
    requestObject: { kind: 'Secret', data: { password: PLANTED } },
  }),
)

suite('what is kept of a line that is no event', () => {
  const cases: [string, string, RegExp][] = [
    ['a line cut short keeps its beginning', secretEvent.slice(0, -20), /"auditID":"5c2b4a3e/],
    [
      'an object of another kind keeps what is no secret',
      `{"kind":"Secret","metadata":{"name":"db"},"data":{"a":"${PLANTED}"}}`,
      /"name":"db"/,
    ],
    [
      'the second half of a torn line keeps names only',
      `aa","data":{"password":"${PLANTED}"},"type":"Opaque"}`,
      /"data":\{"password":"\[REDACTED\]"/,
    ],
    ['a torn line that begins inside a value', `${PLANTED}","other":"${PLANTED}"}`, /^\[REDACTED\]/],
    ['a token in broken JSON', `{"user":"x","token":"${PLANTED}","broken`, /"token":"\[REDACTED\]"/],
    ['plain text', `I0101 server.go:1] Bearer ${PLANTED}`, /^I0101 server\.go/],
    ['an event of secrets with a broken type', secretEvent.replace('"kind":"Event"', '"kind":"Evnt"'), /"kind":"Evnt"/],
  ]
  for (const [name, line, kept] of cases) {
    test(name, () => {
      const raw = redactRaw(line)
      assert.doesNotMatch(raw, new RegExp(PLANTED))
      assert.match(raw, kept)
    })
  }
  test('is bounded', () => {
    assert(redactRaw(`{${'x'.repeat(10_000_000)}`).length < 4200)
    assert(redactRaw(`"a":"${'x'.repeat(10_000_000)}`).length < 4200)
    assert(boundedRaw('x'.repeat(10_000_000)).length < 4200)
  })
})
