import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TextTable } from '../../src/otlp/text-table.ts'

const read = (table: TextTable, text: string | Buffer): string => {
  // Between other bytes, so that a read beyond the end would be seen.
  const inner = Buffer.from(text as string)
  const bytes = Buffer.concat([Buffer.from('<<'), inner, Buffer.from('>>')])
  return table.read(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 2, 2 + inner.length)
}

test('every text is read as it is, whatever was read before', () => {
  const table = new TextTable(8, 16)
  const alphabet = ['a', 'b', 'ü', '世', '🎉', '\0']
  let state = 3
  const roll = (n: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: roll(9) }, () => alphabet[roll(alphabet.length)]).join('')
    assert.equal(read(table, text), text)
  }
})

test('texts that differ in one byte, or in length alone, are told apart', () => {
  const table = new TextTable(1, 40)
  for (const text of ['abcdefgh', 'abcdefgi', 'bbcdefgh', 'abcdabcd', 'abcdabcdabcd', 'aaaa', 'aaaaa', 'aaaaaa']) {
    assert.equal(read(table, text), text)
    assert.equal(read(table, text), text)
  }
})

test('what is not UTF-8 becomes U+FFFD, the first time and the second', () => {
  const table = new TextTable(8, 40)
  for (let i = 0; i < 2; i++) assert.equal(read(table, Buffer.from([0x61, 0xff, 0x62, 0x63, 0x64])), 'a\ufffdbcd')
})
