import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatByteSize, formatDuration } from '../../src/config/readable.ts'
import {
  byteSize,
  duration,
  formatRegex,
  parseByteSize,
  parseDuration,
  parseRegex,
  regex,
} from '../../src/config/values.ts'

const durations: readonly (readonly [text: string, millis: number | undefined])[] = [
  ['200ms', 200],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['250us', 0.25],
  ['0', 0],
  ['5', undefined],
  ['', undefined],
  ['-5s', undefined],
  ['5 s', undefined],
  ['s', undefined],
  ['5sec', undefined],
]
for (const [text, millis] of durations) {
  test(`"${text}" is ${millis === undefined ? 'no duration' : `${millis} ms`}`, () =>
    assert.equal(parseDuration(text), millis))
}

const sizes: readonly (readonly [text: string, bytes: number | undefined])[] = [
  ['512', 512],
  ['64KiB', 65_536],
  ['1MB', 1_000_000],
  ['1.5 GiB', 1_610_612_736],
  ['10k', 10_000],
  ['many', undefined],
  ['-1', undefined],
  ['', undefined],
]
for (const [text, bytes] of sizes) {
  test(`"${text}" is ${bytes === undefined ? 'no size' : `${bytes} bytes`}`, () =>
    assert.equal(parseByteSize(text), bytes))
}

test('what is read as text is written as the same text again', () => {
  for (const text of ['200ms', '1m30s', '2h', '1h1m1s1ms', '0s'])
    assert.equal(formatDuration(parseDuration(text) as number), text)
  for (const text of ['64KiB', '1MB', '3GiB']) assert.equal(formatByteSize(parseByteSize(text) as number), text)
  assert.equal(formatByteSize(1023), 1023)
  assert.equal(formatByteSize(0), 0)
  assert.equal(formatDuration(0.25), '250000ns')
})

test('a bare number is no duration except zero, and a size either way', () => {
  assert.equal(duration().parse(0), 0)
  assert.equal(duration().safeParse(5).success, false)
  assert.equal(byteSize().parse(5), 5)
  assert.equal(byteSize().safeParse(5.5).success, false)
})

test('a pattern is compiled, and one that is wrong says so', () => {
  assert.ok(regex().parse('^a+$').test('aa'))
  assert.match(regex().safeParse('(').error?.issues[0]?.message ?? '', /^not a regular expression: /)
})

test('a pattern may have the flags and named groups of Go, and is written as it was read', () => {
  assert.ok(parseRegex('(?i)^TOKEN$').test('token'))
  assert.ok(parseRegex('(?is)a.b').test('A\nB'))
  assert.equal(parseRegex('(?P<user>[^@]+)@').exec('bob@host')?.groups?.['user'], 'bob')
  for (const text of ['(?i)a', '(?ms)^a.$', 'a|b', '\\(\\?P']) assert.equal(formatRegex(parseRegex(text)), text)
})
