/** Requests as an SDK or a Collector sends them: 100 records each, made by the SDK's own serializer. */
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { internResource, internScope } from '../../src/records/interning.ts'
import type { Attributes, LogRecord } from '../../src/records/record.ts'

export type Kind = 'events' | 'testbed'
export const RECORDS_PER_REQUEST = 100

const resource = internResource({
  'service.name': 'checkout',
  'k8s.cluster.name': 'production',
  'k8s.namespace.name': 'shop',
  'k8s.deployment.name': 'checkout',
  'k8s.pod.name': 'checkout-7d9f8b6c54-x2x7k',
  'k8s.node.name': 'node-17',
  'container.image.name': 'registry.example.com/shop/checkout',
  'cloud.region': 'eu-central-1',
})
const scope = internScope('bench', '1.0.0')

/** `events`: about 1 kB and 20 attributes each. `testbed`: the small record of the Collector's own load tests. */
export function requests(kind: Kind, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => {
    const records = Array.from({ length: RECORDS_PER_REQUEST }, (_, j) => make(kind, i * RECORDS_PER_REQUEST + j))
    return Buffer.from(ProtobufLogsSerializer.serializeRequest(records) as Uint8Array)
  })
}

function make(kind: Kind, n: number): LogRecord {
  const isSmall = kind === 'testbed'
  return {
    hrTime: [1_780_000_000 + n, 123_456_789],
    hrTimeObserved: [1_780_000_001 + n, 987_654_321],
    eventName: isSmall ? '' : 'k8s.audit',
    severityNumber: isSmall ? 11 : 9,
    severityText: isSmall ? 'INFO3' : 'INFO',
    body: isSmall
      ? `Load Generator Counter #${n}`
      : `service account shop/checkout read secret shop/db-${n} from 10.0.${n % 256}.7`,
    attributes: isSmall ? { a: 'test', b: 5, c: 3.5, d: true } : eventAttributes(n),
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
  }
}

function eventAttributes(n: number): Attributes {
  const id = `${(n * 2654435761).toString(16).padStart(12, '0')}-4f2a`
  return {
    'log.record.uid': `${id}/ResponseComplete`,
    'k8s.audit.id': id,
    'k8s.audit.stage': 'ResponseComplete',
    'k8s.audit.level': 'Metadata',
    'k8s.audit.verb': n % 3 === 0 ? 'get' : 'list',
    'k8s.audit.request_uri': `/api/v1/namespaces/shop/secrets/db-${n}`,
    'user.name': 'system:serviceaccount:shop:checkout',
    'user.groups': ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    'client.address': `10.0.${n % 256}.7`,
    'user_agent.original': 'checkout/v2.14.1 (linux/amd64) kubernetes/$Format',
    'k8s.audit.object.resource': 'secrets',
    'k8s.audit.object.namespace': 'shop',
    'k8s.audit.object.name': `db-${n}`,
    'k8s.audit.object.api_version': 'v1',
    'k8s.audit.response.code': 200,
    'k8s.audit.decision': 'allow',
    'k8s.audit.decision.reason': 'RBAC: allowed by RoleBinding "checkout/shop"',
    'k8s.audit.latency': n / 1000 + 0.0005,
  }
}
