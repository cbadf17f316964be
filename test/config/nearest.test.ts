import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest, suggestion } from '../../src/config/nearest.ts'

const distances: readonly (readonly [string, string, number])[] = [
  ['', '', 0],
  ['abc', '', 3],
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
  ['inclde', 'include', 1],
]
for (const [a, b, distance] of distances) {
  test(`"${a}" and "${b}" are ${distance} apart, both ways`, () => {
    assert.equal(editDistance(a, b), distance)
    assert.equal(editDistance(b, a), distance)
  })
}

const words: readonly (readonly [word: string, meant: string | undefined])[] = [
  ['inclde', 'include'],
  ['incldue', 'include'],
  ['startAt', 'start_at'],
  ['START-AT', 'start_at'],
  ['start', 'start_at'],
  ['xyz', undefined],
  ['', undefined],
  ['include'.repeat(20), undefined],
]
for (const [word, meant] of words) {
  test(`"${word.slice(0, 20)}" ${meant === undefined ? 'is nothing that is valid' : `means ${meant}`}`, () => {
    assert.equal(nearest(word, ['include', 'exclude', 'start_at']), meant)
  })
}

test('where nothing is near, the valid names are listed as long as they are few', () => {
  assert.equal(suggestion('zzz', ['a', 'b']), '; valid are a, b')
  assert.equal(suggestion('zzz', []), '')
  assert.equal(
    suggestion(
      'zzz',
      Array.from({ length: 13 }, (_, index) => `key${index}`),
    ),
    '',
  )
})
