import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUDIT_ATTRIBUTES } from '../../src/audit/attribute-table.ts'
import { AUDIT_TABLE } from '../../src/ecs/audit-table.ts'
import { COMPUTED } from '../../src/ecs/computed.ts'
import { EVENT_CLASSES } from '../../src/ecs/events.ts'
import { FIELDS } from '../../src/ecs/fields.ts'
import { ECS_TABLE } from '../../src/ecs/table.ts'
import { targetsOf } from '../../src/ecs/types.ts'
import { EVENT_NAMES } from '../../src/records/event-names.ts'

/** Allowed values of ECS 8.17: elastic.co/guide/en/ecs/8.17/ecs-category-field-values-reference.html. */
const CATEGORIES =
  'api authentication configuration database driver email file host iam intrusion_detection library malware network package process registry session threat vulnerability web'.split(
    ' ',
  )
const TYPES =
  'access admin allowed change connection creation deletion denied device end error group indicator info installation protocol start user'.split(
    ' ',
  )
const KINDS = 'alert asset enrichment event metric state pipeline_error signal'.split(' ')

test('every event name has a class, in the words of ECS, and no class is without an event', () => {
  assert.deepEqual(Object.keys(EVENT_CLASSES).toSorted(), [...EVENT_NAMES].toSorted())
  for (const [name, { kind, category, type }] of Object.entries(EVENT_CLASSES)) {
    assert(KINDS.includes(kind), name)
    for (const one of category) assert(CATEGORIES.includes(one), `${name}: ${one}`)
    for (const one of type) assert(TYPES.includes(one), `${name}: ${one}`)
  }
})

test('what an attribute fills first is its own: no other attribute can overwrite it', () => {
  for (const table of [ECS_TABLE, { ...ECS_TABLE, ...AUDIT_TABLE }]) {
    const owners = new Map<string, string>()
    for (const [name, targets] of Object.entries(table)) {
      const field = targetsOf(targets)[0]?.field as string
      assert.equal(owners.get(field), undefined, `${name} and ${owners.get(field)} fill ${field}`)
      owners.set(field, name)
    }
  }
})

test('every attribute of an audit event has a field, but for annotations and bodies', () => {
  const elsewhere = ['k8s.audit.annotations.*', 'k8s.audit.request_object', 'k8s.audit.response_object']
  const homeless = Object.keys(AUDIT_ATTRIBUTES).filter(
    (name) => !Object.hasOwn(ECS_TABLE, name) && !Object.hasOwn(AUDIT_TABLE, name),
  )
  assert.deepEqual(homeless.toSorted(), elsewhere.toSorted())
})

test('there are fewer fields than an index may have by default', () => {
  const objects = new Set(FIELDS.flatMap(({ path }) => path.slice(0, -1).map((_, i) => path.slice(0, i + 1).join('.'))))
  assert(FIELDS.length + objects.size < 500, `${FIELDS.length} fields in ${objects.size} objects`)
})

test('what follows from the record itself is said in a sentence', () => {
  for (const { field, meaning } of COMPUTED) assert.match(meaning, /\.$/, field)
})
