import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compileAny, compileCondition } from '../../src/conditions/compile.ts'
import { condition } from '../../src/conditions/schema.ts'
import { internResource } from '../../src/records/interning.ts'
import type { LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

/** As a user writes it: through the schema. */
const holds = (written: unknown, on: LogRecord): boolean => compileCondition(condition.parse(written))(on)

const event = record(
  {
    verb: 'delete',
    code: 403,
    dry: false,
    none: null,
    groups: ['system:masters', 'dev'],
    agent: 'kubectl/v1.31.0',
    empty: '',
  },
  {
    eventName: 'k8s.audit',
    severityNumber: 14,
    body: 'alice deleted it',
    resource: internResource({ cluster: 'prod' }),
  },
)

suite('a condition holds', () => {
  const cases: [written: object, expected: boolean][] = [
    [{ attribute: 'verb', equals: 'delete' }, true],
    [{ attribute: 'verb', equals: 'get' }, false],
    [{ attribute: 'code', equals: 403 }, true],
    [{ attribute: 'code', equals: '403' }, false],
    [{ attribute: 'dry', equals: false }, true],
    [{ attribute: 'missing', equals: false }, false],
    [{ attribute: 'verb', in: ['get', 'delete'] }, true],
    [{ attribute: 'code', in: [200, 404] }, false],
    [{ attribute: 'agent', prefix: 'kubectl/' }, true],
    [{ attribute: 'code', prefix: '4' }, false],
    [{ attribute: 'agent', suffix: '.0' }, true],
    [{ attribute: 'agent', contains: '/v1' }, true],
    [{ attribute: 'groups', contains: 'dev' }, true],
    [{ attribute: 'groups', contains: 'de' }, false],
    [{ attribute: 'agent', matches: '^kubectl/v\\d' }, true],
    [{ attribute: 'agent', matches: '(?i)KUBECTL' }, true],
    [{ attribute: 'groups', matches: 'dev' }, false],
    [{ attribute: 'code', gt: 402, lt: 404 }, true],
    [{ attribute: 'code', gte: 403, lte: 403 }, true],
    [{ attribute: 'code', gt: 403 }, false],
    [{ attribute: 'code', lt: 403 }, false],
    [{ attribute: 'verb', gt: 1 }, false],
    [{ attribute: 'missing', lte: 5 }, false],
    [{ attribute: 'verb', exists: true }, true],
    [{ attribute: 'missing', exists: false }, true],
    [{ attribute: 'none', exists: true }, false],
    [{ attribute: 'empty', exists: true }, true],
    [{ attribute: 'verb', exists: true, in: ['get'] }, false],
    [{ resource: 'cluster', equals: 'prod' }, true],
    [{ resource: 'verb', exists: true }, false],
    [{ event_name: 'k8s.audit' }, true],
    [{ event_name: ['k8s.event', 'k8s.audit'] }, true],
    [{ event_name: { prefix: 'k8s.' } }, true],
    [{ event_name: 'k8s' }, false],
    [{ body: { contains: 'deleted' } }, true],
    [{ severity: 'warn' }, true],
    [{ severity: 'info' }, false],
    [{ severity: 14 }, true],
    [{ severity: 13 }, false],
    [{ severity: { min: 'warn' } }, true],
    [{ severity: { max: 'warn' } }, true],
    [{ severity: { min: 'error' } }, false],
    [{ severity: { min: 14, max: 14 } }, true],
    [{ all: [{ severity: 'warn' }, { attribute: 'verb', equals: 'get' }] }, false],
    [{ any: [{ severity: 'info' }, { attribute: 'verb', equals: 'delete' }] }, true],
    [{ not: { any: [{ severity: 'info' }, { not: { event_name: 'k8s.audit' } }] } }, true],
  ]
  for (const [written, expected] of cases) {
    test(`${JSON.stringify(written)}: ${expected}`, () => assert.equal(holds(written, event), expected))
  }
})

suite('levels by name', () => {
  const level = (severityNumber: number): LogRecord => record({}, { severityNumber })
  const matching = (severity: unknown): number[] =>
    Array.from({ length: 24 }, (_, i) => i + 1).filter((number) => holds({ severity }, level(number)))

  test('stand for all of their numbers', () => {
    assert.deepEqual(matching('warn'), [13, 14, 15, 16])
    assert.deepEqual(matching('fatal'), [21, 22, 23, 24])
    assert.deepEqual(matching('info'), [9, 10, 11, 12])
  })
  test('low is the one number between info and notice', () => assert.deepEqual(matching('low'), [10]))
  test('a range ends with the last number of its level', () => {
    assert.deepEqual(matching({ min: 'debug', max: 'info' }), [5, 6, 7, 8, 9, 10, 11, 12])
    assert.deepEqual(matching({ max: 'trace' }), [1, 2, 3, 4])
    assert.deepEqual(matching({ max: 'low' }), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert.deepEqual(matching({ min: 'error' }), [17, 18, 19, 20, 21, 22, 23, 24])
  })
})

test('an empty list of conditions never holds', () => assert.equal(compileAny([])(event), false))

test('a body that is no text is compared as what it is', () => {
  assert.equal(holds({ body: 'x' }, record({}, { body: { a: 'x' } })), false)
  assert.equal(holds({ body: { exists: true } }, record({}, { body: { a: 'x' } })), true)
})

test('older_than measures from the moment of the question', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  const at = (seconds: number): LogRecord => record({}, { hrTime: [seconds, 0] })
  assert.equal(holds({ older_than: '30m' }, at(1_800_000_000 - 1800)), false)
  assert.equal(holds({ older_than: '30m' }, at(1_800_000_000 - 1801)), true)
  assert.equal(holds({ older_than: '30m' }, at(1_800_000_000 + 60)), false)
  assert.equal(holds({ not: { older_than: '7d' } }, at(1_800_000_000 - 1801)), true)
  assert.equal(holds({ older_than: '30m' }, at(0)), false, 'a time that is not known is not old')
  const isOld = compileCondition(condition.parse({ older_than: '30m' }))
  const young = at(1_800_000_000)
  assert.equal(isOld(young), false)
  t.mock.timers.tick(1_801_000)
  assert.equal(isOld(young), true)
})

test('an expression sees the beginning of a text only', () => {
  const end = record({ a: `${'x'.repeat(65_536)}needle` })
  assert.equal(holds({ attribute: 'a', matches: 'needle' }, end), false)
  assert.equal(holds({ attribute: 'a', contains: 'needle' }, end), true)
})

suite('a mistake is refused', () => {
  const mistakes: [unknown, RegExp][] = [
    [{ attribute: 'a' }, /at least one of/],
    [{ attribute: '', exists: true }, /./],
    [{ attribute: 'constructor', exists: true }, /no name that an attribute can have/],
    [{ attribute: 'a', equal: 1 }, /equal/],
    [{ attribute: 'a', matches: '(' }, /not a regular expression/],
    [{ attribute: 'a', in: [] }, /./],
    [{ severity: 'loud' }, /./],
    [{ severity: {} }, /expected min, max or both/],
    [{ severity: 25 }, /./],
    [{ older_than: 'a while' }, /duration/],
    [{ older_than: 3600 }, /./],
    [{ all: [] }, /./],
    [{ event_name: {} }, /./],
    [{}, /./],
    [{ attribute: 'a', equals: 1, event_name: 'x' }, /./],
    ['severity > 3', /./],
  ]
  for (const [written, expected] of mistakes) {
    test(JSON.stringify(written), () => {
      const { error } = condition.safeParse(written)
      assert.match(JSON.stringify(error?.issues ?? ''), expected)
      assert(error !== undefined)
    })
  }
})
