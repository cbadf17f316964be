import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodingOf } from '../../src/files/encoding.ts'
import { cutLines, type LineLimits } from '../../src/files/lines.ts'

function limits(encoding: string, maxLineBytes = 1 << 20, onLongLine: 'split' | 'truncate' = 'split'): LineLimits {
  const found = encodingOf(encoding)
  assert(found !== undefined)
  return { encoding: found, maxLineBytes, onLongLine }
}

/** Reads a file as the follower does: `size` bytes at a time, from where the last lines ended. */
function readAll(
  bytes: Buffer,
  size: number,
  options: LineLimits,
): { lines: string[]; offsets: number[]; dropped: number } {
  const lines: string[] = []
  const offsets: number[] = []
  let dropped = 0
  let cutting = false
  for (let at = 0; at < bytes.length; ) {
    const to = Math.min(bytes.length, at + size)
    const isEnd = to === bytes.length
    // The buffer is longer than what was read, as it is in the follower: nothing beyond may be looked at.
    const buffer = Buffer.concat([bytes.subarray(at, to), Buffer.from('\nbeyond\n')])
    const cut = cutLines(buffer, 0, to - at, options, cutting, isEnd)
    buffer.fill(0)
    lines.push(...cut.lines)
    offsets.push(...cut.offsets().map((offset) => at + offset))
    assert.equal(cut.lines.length === 0 || cut.first === cut.offsets()[0], true)
    dropped += cut.dropped
    cutting = cut.cutting
    assert(cut.consumed > 0, 'progress')
    at += cut.consumed
  }
  return { lines, offsets, dropped }
}

const TEXTS = {
  'plain lines': 'one\ntwo\n\nfour\n',
  'no last newline': 'one\ntwo',
  'carriage returns': 'one\r\ntwo\r\n\r\nfour\r',
  'other alphabets': 'ä\n€€\n𝄞𝄞𝄞\nнет\n',
  'only newlines': '\n\n\n',
}

for (const [name, text] of Object.entries(TEXTS)) {
  for (const encoding of ['utf-8', 'utf-16le', 'utf-16be']) {
    test(`${name} come out right in ${encoding}, wherever the reads end`, () => {
      const utf16 = Buffer.from(text, 'utf16le')
      const bytes =
        encoding === 'utf-8' ? Buffer.from(text) : encoding === 'utf-16le' ? utf16 : Buffer.from(utf16).swap16()
      const raw = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n')
      const sizes = raw.map((line) => (encoding === 'utf-8' ? Buffer.byteLength(line) + 1 : line.length * 2 + 2))
      const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0))
      // A read is longer than the longest line; the follower sees to that.
      for (let size = Math.max(...sizes) + 2; size < bytes.length + 3; size += encoding === 'utf-8' ? 1 : 2) {
        const read = readAll(bytes, size, limits(encoding))
        assert.deepEqual(
          read.lines,
          raw.map((line) => line.replace(/\r$/, '')),
        )
        assert.deepEqual(read.offsets, offsets)
        assert.equal(read.dropped, 0)
      }
    })
  }
}

test('long lines are cut the same way wherever the reads end', () => {
  const lengths = [3, 40, 10, 11, 0, 100, 9, 20, 21]
  const lines = lengths.map((length, i) => String.fromCharCode(97 + i).repeat(length))
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  for (let size = 16; size < 230; size++) {
    const split = readAll(bytes, size, limits('utf-8', 10))
    const pieces = lines.flatMap((line) => (line === '' ? [''] : (line.match(/.{1,10}/g) as string[])))
    assert.deepEqual(split.lines, pieces, `split, reads of ${size}`)
    assert.equal(split.dropped, 0)
    const truncated = readAll(bytes, size, limits('utf-8', 10, 'truncate'))
    assert.deepEqual(
      truncated.lines,
      lines.map((line) => line.slice(0, 10)),
      `truncated, reads of ${size}`,
    )
    assert.equal(
      truncated.dropped,
      lengths.reduce((sum, length) => sum + Math.max(0, length - 10), 0),
    )
    const starts = lines.map((_, i) => lines.slice(0, i).reduce((sum, line) => sum + line.length + 1, 0))
    assert.deepEqual(truncated.offsets, starts)
  }
})

test('a long line is not cut inside a character', () => {
  for (const [text, expected] of [
    ['ääää', ['ää', 'ää']],
    ['€€€', ['€', '€', '€']],
    ['𝄞𝄞', ['𝄞', '𝄞']],
    ['a𝄞b', ['a𝄞', 'b']],
  ] as const) {
    assert.deepEqual(readAll(Buffer.from(`${text}\n`), 64, limits('utf-8', 5)).lines, expected, text)
  }
  assert.deepEqual(readAll(Buffer.from('a𝄞b\n', 'utf16le'), 64, limits('utf-16le', 4)).lines, ['a', '𝄞', 'b'])
})

test('bytes that are no UTF-8 cost themselves and not the offsets of what follows', () => {
  const bytes = Buffer.concat([
    Buffer.from([0xc3, 0x28, 0x0a]),
    Buffer.from('b\n'),
    Buffer.from([0xff, 0x0a]),
    Buffer.from('d\n'),
  ])
  const { lines, offsets } = readAll(bytes, 64, limits('utf-8'))
  assert.deepEqual(lines, ['\ufffd(', 'b', '\ufffd', 'd'])
  assert.deepEqual(offsets, [0, 3, 5, 7])
})
