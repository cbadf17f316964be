import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SEVERITY, severityName } from '../../src/records/severity.ts'

/** "Displaying Severity" of the OpenTelemetry logs data model. */
const NAMES =
  'TRACE TRACE2 TRACE3 TRACE4 DEBUG DEBUG2 DEBUG3 DEBUG4 INFO INFO2 INFO3 INFO4 ' +
  'WARN WARN2 WARN3 WARN4 ERROR ERROR2 ERROR3 ERROR4 FATAL FATAL2 FATAL3 FATAL4'

test('each severity number has the short name of the data model', () => {
  assert.deepEqual(
    Array.from({ length: 24 }, (_, i) => severityName(i + 1)),
    NAMES.split(' '),
  )
})

test('what is no severity has no name of one', () => {
  for (const wrong of [0, 25, -1, Number.NaN]) assert.equal(severityName(wrong), 'UNSPECIFIED')
})

test('the names that Weir uses are those of the model', () => {
  const { low, ...plain } = SEVERITY
  for (const [name, number] of Object.entries(plain)) assert.equal(severityName(number), name.toUpperCase())
  assert.equal(severityName(low), 'INFO2')
})
