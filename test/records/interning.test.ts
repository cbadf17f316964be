import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InternTable, internResource, internScope, resources } from '../../src/records/interning.ts'

test('equal attributes make one resource, in whatever order', () => {
  const one = internResource({ a: 1, b: 'x' })
  assert.equal(internResource({ b: 'x', a: 1 }), one)
  assert.notEqual(internResource({ a: '1', b: 'x' }), one)
  assert.notEqual(internResource({ a: 1 }), one)
})

test('a resource cannot be changed, not by its maker either', () => {
  const attributes = { a: 1 }
  const resource = internResource(attributes)
  attributes.a = 2
  assert.deepEqual(resource.attributes, { a: 1 })
  assert.throws(() => {
    ;(resource.attributes as Record<string, unknown>)['a'] = 3
  }, TypeError)
})

test('merging gives the interned sum', () => {
  const merged = internResource({ a: 1, b: 1 }).merge(internResource({ b: 2 }))
  assert.equal(merged, internResource({ a: 1, b: 2 }))
  assert.equal(merged.merge(null), merged)
})

test('scopes are told apart by name and version', () => {
  assert.equal(internScope('a', '1'), internScope('a', '1'))
  assert.notEqual(internScope('a', '1'), internScope('a'))
  assert.deepEqual(internScope('a'), { name: 'a' })
  assert(Object.isFrozen(internScope('a', '1')))
})

test('a table keeps to its cap, forgets the oldest and counts that', () => {
  const table = new InternTable<object>(3)
  const made = ['a', 'b', 'c', 'd'].map((key) => table.get(key, () => ({ key })))
  assert.deepEqual([table.size, table.evictions], [3, 1])
  assert.equal(
    table.get('d', () => assert.fail('d is known')),
    made[3],
  )
  assert.notEqual(
    table.get('a', () => ({})),
    made[0],
    'a was forgotten',
  )
  assert.equal(table.evictions, 2)
})

test('a flood of distinct resources takes bounded room', () => {
  for (let i = 0; i < 12_000; i++) internResource({ flood: i })
  assert.equal(resources.size, 10_000)
  assert(resources.evictions >= 2000)
})
