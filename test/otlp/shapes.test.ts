import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Shapes } from '../../src/otlp/shapes.ts'

const make = (shapes: Shapes, map: Record<string, unknown>) =>
  shapes.make(Object.keys(map), Object.values(map) as never[], Object.keys(map).length)

test('a map is what its keys and values say, the first time and every other', () => {
  const shapes = new Shapes()
  const wide = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`key.${i}`, i % 2 ? i / 3 : `v${i}`]))
  for (const map of [{}, { a: 1 }, { 7: 'number', b: null, '': [], 'quo"te': {} }, wide]) {
    for (let i = 0; i < 4; i++) assert.deepEqual(make(shapes, map), map)
  }
  for (let i = 0; i < 4; i++) assert.deepEqual(make(shapes, { a: i }), { a: i }, 'values of before are gone')
})

test('two maps of one kind share nothing', () => {
  const shapes = new Shapes()
  const [first, second, third] = [1, 2, 3].map((n) => make(shapes, { a: n, b: n }))
  Object.assign(third ?? {}, { a: 'changed', c: 'new' })
  assert.deepEqual(
    [first, second],
    [
      { a: 1, b: 1 },
      { a: 2, b: 2 },
    ],
  )
  assert.deepEqual(make(shapes, { a: 4, b: 4 }), { a: 4, b: 4 })
})

test('the last of equal keys wins, also from a kept map', () => {
  const shapes = new Shapes()
  for (let i = 0; i < 4; i++) assert.deepEqual(shapes.make(['a', 'b', 'a'], [1, 2, 3], 3), { a: 3, b: 2 })
})

test('keys that take turns at one place, and more keys than a kept map may have, are read all the same', () => {
  const shapes = new Shapes()
  for (let i = 0; i < 4; i++) {
    // The same lengths and the same letters in the middle: they fall on one place.
    assert.deepEqual(make(shapes, { axb: i, cxd: i }), { axb: i, cxd: i })
    assert.deepEqual(make(shapes, { exf: i, gxh: i }), { exf: i, gxh: i })
    const huge = Object.fromEntries(Array.from({ length: 1000 }, (_, j) => [`k${j}`, i]))
    assert.deepEqual(make(shapes, huge), huge)
  }
})
