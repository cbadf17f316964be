import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_NAMES, isFinding } from '../../src/records/event-names.ts'

/** The list as the design has it, by the first word of the name. A change here is a change for every user. */
const LIST: Record<string, string> = {
  process: 'exec exec_failed fork exit ptrace signal fd_redirect syscall',
  network: 'socket bind connect accept listen close flow',
  dns: 'query response',
  tls: 'client_hello',
  http: 'request',
  file: 'open create delete rename link symlink chmod chown truncate mkdir setattr',
  capability: 'use',
  privilege: 'change',
  namespace: 'change',
  mount: 'change',
  module: 'load',
  memfd: 'create',
  bpf: 'use',
  io_uring: 'use',
  k8s: 'audit event object',
  aws: 'cloudtrail',
  gcp: 'audit',
  azure: 'activity',
  cloud: 'log',
  linux: 'audit',
  syslog: '',
  log: '',
  sensor: 'status loss throttle tamper',
  security: 'anomaly detection advice',
}

test('event names are the closed list of the architecture, no more and no less', () => {
  const expected = Object.entries(LIST).flatMap(([first, rest]) =>
    rest === '' ? [first] : rest.split(' ').map((each) => `${first}.${each}`),
  )
  assert.deepEqual([...EVENT_NAMES], expected)
  assert.equal(new Set(EVENT_NAMES).size, EVENT_NAMES.length)
})

test('findings are anomalies and detections', () => {
  assert.deepEqual(EVENT_NAMES.filter(isFinding), ['security.anomaly', 'security.detection'])
})
