import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bounded, boundedText } from '../../src/audit/text.ts'
import { boundedCache } from '../../src/records/bounded-cache.ts'
import { oneLine } from '../../src/records/one-line.ts'

test('text is cut with a mark, never through a character', () => {
  assert.equal(bounded('abc', 3), 'abc')
  assert.equal(bounded('abcd', 3), 'abc…[1 more]')
  assert.equal(bounded('ab😀', 3), 'ab\ufffd…[1 more]')
  assert.equal(boundedText(5, 3), undefined)
  assert.equal(boundedText('', 3), undefined)
})

test('what is not printable is written as an escape', () => {
  assert.equal(oneLine('a\tb\u2028c\u200bd é 漢'), 'a\\u0009b\\u2028c\\u200bd é 漢')
})

test('a bounded cache forgets everything rather than grow, and holds no long key', () => {
  let made = 0
  const cached = boundedCache(2, (key) => `${key}${(made += 1)}`, 3)
  assert.deepEqual([cached('a'), cached('a'), cached('b'), cached('a')], ['a1', 'a1', 'b2', 'a1'])
  cached('c')
  assert.equal(cached('a'), 'a4')
  assert.deepEqual([cached('long!'), cached('long!')], ['long!5', 'long!6'])
})
