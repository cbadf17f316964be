/** Records that use every attribute of the tables, each with a value of its type. */
import { AUDIT_ATTRIBUTES } from '../../src/audit/attribute-table.ts'
import { AUDIT_TABLE } from '../../src/ecs/audit-table.ts'
import { ECS_TABLE } from '../../src/ecs/table.ts'
import { type FieldType, type Targets, targetsOf } from '../../src/ecs/types.ts'
import { EVENT_NAMES } from '../../src/records/event-names.ts'
import { internResource } from '../../src/records/interning.ts'
import type { AnyValue, Attributes, LogRecord } from '../../src/records/record.ts'
import { record } from '../kit/records.ts'

const VALUES: Readonly<Record<FieldType, AnyValue>> = {
  keyword: 'value',
  long_keyword: ['several', 'values'],
  text: 'some words',
  stored: '{"whole":"event"}',
  long: 42,
  double: 1.5,
  boolean: true,
  date: '2026-01-02T03:04:05.000000006Z',
  ip: '192.0.2.1',
  flat: 'free',
  opaque: 'kept',
  constant: 'constant',
}

function valueFor(targets: Targets): AnyValue {
  const types = targetsOf(targets).map(({ type }) => type)
  // Where a field wants an address, the others take it as text.
  return VALUES[types.includes('ip') ? 'ip' : (types[0] as FieldType)]
}

function attributesOf(table: Readonly<Record<string, Targets>>): Attributes {
  return Object.fromEntries(
    Object.entries(table).map(([name, targets]) => [name.replace('*', 'app.kubernetes.io/name'), valueFor(targets)]),
  )
}

const BODIES: Attributes = {
  'k8s.audit.request_object':
    '{"kind":"Pod","metadata":{"managedFields":[{}]},"spec":{"containers":[{"image":"nginx:1"}]}}',
  'k8s.audit.response_object': '{"kind":"Status","code":201}',
}

/** One record for each event name, with every attribute that such a record could have and one that nobody knows. */
export function everyRecord(): LogRecord[] {
  const resource = internResource({
    'service.name': 'weir',
    'host.name': 'node-1',
    'k8s.cluster.name': 'production',
    'k8s.pod.label.app.kubernetes.io/name': 'shop',
    'deployment.environment.name': 'test',
  })
  const audit = Object.fromEntries(
    Object.entries(AUDIT_ATTRIBUTES).map(([name, { type }]): [string, AnyValue] => [
      name.replace('*', 'a.b/c'),
      type === 'string[]' ? ['a', 'b'] : type === 'string' ? 'text' : 1,
    ]),
  )
  return EVENT_NAMES.map((eventName, i) =>
    record(
      {
        ...attributesOf(ECS_TABLE),
        ...(eventName === 'k8s.audit' ? { ...audit, ...attributesOf(AUDIT_TABLE), ...BODIES } : {}),
        'log.record.uid': `every-${i}`,
        'unknown.attribute': { map: [1, 'two', { three: 3 }] },
      },
      { eventName, resource, droppedAttributesCount: 2, spanContext: SPAN },
    ),
  )
}

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
