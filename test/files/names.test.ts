import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areGenerations, mayBeCopy, nameBeforeRotation } from '../../src/files/names.ts'

const names = [
  { rotator: 'logrotate', name: 'app.log.1', before: 'app.log' },
  { rotator: 'logrotate, compressed', name: 'app.log.12.gz', before: 'app.log' },
  { rotator: 'logrotate with dateext', name: 'app.log-20241010', before: 'app.log' },
  { rotator: 'logrotate with dateext and an extension', name: 'app-20241010.log', before: 'app.log' },
  { rotator: 'the kubelet', name: '0.log.20241010-132438', before: '0.log' },
  { rotator: 'the kubelet, compressed', name: '0.log.20241010-132438.gz', before: '0.log' },
  { rotator: 'lumberjack', name: 'audit-2024-10-10T13-24-38.123.log', before: 'audit.log' },
  { rotator: 'lumberjack, compressed', name: 'audit-2024-10-10T13-24-38.123.log.gz', before: 'audit.log' },
  { rotator: 'a person', name: 'app.log.old', before: 'app.log' },
  { rotator: 'nobody', name: 'app.log', before: 'app.log' },
  { rotator: 'nobody: a container', name: '12.log', before: '12.log' },
  { rotator: 'nobody: another extension', name: 'app.log.idx', before: 'app.log.idx' },
] as const

for (const { rotator, name, before } of names) {
  test(`${name} was ${before} before ${rotator} renamed it`, () => assert.equal(nameBeforeRotation(name), before))
}

test('generations share a first name, strangers do not', () => {
  assert(areGenerations('/l/app.log', '/l/app.log.1'))
  assert(areGenerations('/l/app.log.2.gz', '/l/app.log.1'))
  assert(areGenerations('/l/app.log', '/old/app.log-20240101'))
  assert(!areGenerations('/pods/a/0.log', '/pods/b/0.log'))
  assert(!areGenerations('/pods/a/0.log', '/pods/a/1.log'))
  assert(!areGenerations('/l/messages', '/l/syslog'))
})

test('a copy has a rotated name, never the first one', () => {
  assert(mayBeCopy('/l/app.log.1', '/l/app.log'))
  assert(!mayBeCopy('/l/app.log', '/l/app.log.1'))
})
