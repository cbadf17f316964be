import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, type LoggerOptions } from '../../src/telemetry/logger.ts'

function logger(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  let time = Date.parse('2026-01-02T03:04:05Z')
  const log = createLogger({
    level: 'info',
    encoding: 'console',
    write: (line) => void lines.push(line),
    now: () => time,
    ...options,
  })
  return { log, lines, pass: (ms: number) => void (time += ms) }
}

test('a line of text has its time, its level, its sentence and its facts', () => {
  const { log, lines } = logger()
  log.info('It is ready.', { port: 8888, path: '/a b', ok: true })
  assert.deepEqual(lines, ['2026-01-02T03:04:05.000Z info  It is ready. port=8888 path="/a b" ok=true'])
})

test('as JSON it is one object', () => {
  const { log, lines } = logger({ encoding: 'json' })
  log.child({ 'otelcol.component.id': 'x' }).warn('Odd.', { error: new Error('no', { cause: new Error('why') }) })
  assert.deepEqual(JSON.parse(lines[0] as string), {
    ts: '2026-01-02T03:04:05.000Z',
    level: 'warn',
    msg: 'Odd.',
    'otelcol.component.id': 'x',
    error: 'no: why',
  })
})

test('what is below the level is not said', () => {
  const { log, lines } = logger({ level: 'warn' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  assert.equal(lines.length, 2)
})

test('repeated errors are counted and said once in ten seconds', () => {
  const { log, lines, pass } = logger()
  for (let i = 0; i < 100; i++) log.error('Exporting failed.', { error: new Error('down') })
  assert.equal(lines.length, 1)
  pass(10_000)
  log.error('Exporting failed.', { error: new Error('down') })
  assert.match(lines[1] as string, /repeated=99$/)
})

test('another cause, another component and another reload are other messages', () => {
  const { log, lines } = logger()
  log.error('Failed.', { error: new Error('a') })
  log.error('Failed.', { error: new Error('b') })
  log.child({ 'otelcol.component.id': 'x' }).error('Failed.', { error: new Error('b') })
  log.child({ reload: 2 }).error('Failed.', { error: new Error('b') })
  assert.equal(lines.length, 4)
})

test('information is never held back', () => {
  const { log, lines } = logger()
  for (let i = 0; i < 3; i++) log.info('The configuration was reloaded.')
  assert.equal(lines.length, 3)
})

test('ever new messages do not fill the memory, and are all said', () => {
  const { log, lines } = logger()
  for (let i = 0; i < 2500; i++) log.warn(`w${i}`)
  assert.equal(lines.length, 2500)
})

test('control characters of untrusted input reach neither the terminal nor another line', () => {
  for (const encoding of ['console', 'json'] as const) {
    const { log, lines } = logger({ encoding })
    log.error('Bad input.', { source: 'evil\u001b[2J\n2026 info  forged', list: ['\u001b]0;x\u0007'] })
    assert.equal(lines.length, 1)
    assert.doesNotMatch(lines[0] as string, /[\u0000-\u001f\u007f]/, encoding)
  }
})

test('whoever listens as well hears what is said, and no more', () => {
  const heard: unknown[] = []
  const { log } = logger({ also: (level, message, fields) => heard.push([level, message, fields]) })
  log.debug('no')
  log.warn('twice', { a: 1 })
  log.warn('twice', { a: 1 })
  assert.deepEqual(heard, [['warn', 'twice', { a: 1 }]])
})
