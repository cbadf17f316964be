import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { auditLines } from '../../bench/audit/generate.ts'
import { isAnnouncement, parseWithoutBodies } from '../../src/audit/parse.ts'
import { event } from './events.ts'

function ordered(fields: Record<string, unknown>): string {
  const {
    kind,
    apiVersion,
    level,
    auditID,
    stage,
    requestReceivedTimestamp,
    stageTimestamp,
    annotations,
    requestObject,
    responseObject,
    ...rest
  } = event(fields)
  return JSON.stringify({
    kind,
    apiVersion,
    level,
    auditID,
    stage,
    ...rest,
    requestObject,
    responseObject,
    requestReceivedTimestamp,
    stageTimestamp,
    annotations,
  })
}
const big = { filler: 'x'.repeat(200) }

test('a generated log parses to the same events, less their bodies', () => {
  let cut = 0
  for (const line of auditLines({ events: 3000, seed: 5, attack: true })) {
    const { requestObject, responseObject, ...whole } = JSON.parse(line)
    const parsed = parseWithoutBodies(line) as Record<string, unknown>
    if (!('requestObject' in parsed) && (requestObject ?? responseObject) !== undefined) cut += 1
    delete parsed['requestObject']
    delete parsed['responseObject']
    assert.deepEqual(parsed, whole)
  }
  assert(cut > 200)
})

suite('nothing a body holds can pass for the event’s own fields', () => {
  const forged = {
    requestReceivedTimestamp: '2000-01-01T00:00:00.000000Z',
    user: { username: 'forged' },
    verb: 'forged',
    filler: 'x'.repeat(200),
  }
  const lines: [string, string][] = [
    ['fields of an event in the request', ordered({ level: 'Request', requestObject: { a: 1, ...forged } })],
    [
      'the same, deeper',
      ordered({ level: 'Request', requestObject: { a: { a: 1, ...forged }, b: [{ a: 1, ...forged }] } }),
    ],
    [
      'the same in the response',
      ordered({ level: 'Request', requestObject: big, responseObject: { a: 1, ...forged } }),
    ],
    ['bodies behind the times', JSON.stringify({ ...JSON.parse(ordered({})), requestObject: { a: 1, ...forged } })],
    ['text that looks like fields', ordered({ requestObject: { a: ',"requestReceivedTimestamp":"x"', ...big } })],
    ['an event in an event', ordered({ requestObject: { a: event(), ...big } })],
    ['no body', ordered({})],
  ]
  for (const [name, line] of lines) {
    test(name, () => {
      const { requestObject, responseObject, ...whole } = JSON.parse(line)
      const { requestObject: _, responseObject: __, ...parsed } = parseWithoutBodies(line) as Record<string, unknown>
      assert.deepEqual(parsed, whole)
    })
  }
})

test('two lines torn into one are no event', () => {
  const line = ordered({ level: 'Request', requestObject: big })
  const at = line.indexOf('"filler"')
  assert.throws(() => parseWithoutBodies(line.slice(0, at) + line), SyntaxError)
  assert.throws(() => parseWithoutBodies(line.slice(0, -3)), SyntaxError)
})

test('announcements are told without parsing, and only those', () => {
  assert(isAnnouncement(ordered({ stage: 'RequestReceived' })))
  assert(!isAnnouncement(ordered({ stage: 'ResponseComplete', requestObject: { stage: 'RequestReceived' } })))
  assert(!isAnnouncement(ordered({ auditID: '","stage":"RequestReceived",' })))
  assert(!isAnnouncement(ordered({ stage: 'RequestReceived' }).slice(0, -1)))
  assert(!isAnnouncement('{"stage":"RequestReceived"}'))
  const torn = ordered({ stage: 'RequestReceived' }).slice(0, 300) + ordered({})
  assert(!isAnnouncement(torn), 'the second half may be an event that was to be kept')
})
