/** Keys of the kernel's maps, byte by byte. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFAULTS, encodeConfig } from '../../../src/ebpf/kernel/config.ts'
import { addressKey, inodeKey, pathKey } from '../../../src/ebpf/kernel/rules.ts'
import { CONFIG } from '../../../src/ebpf/layout/offsets.ts'

const ADDRESSES: readonly [string, number, string][] = [
  ['10.0.0.0/8', 104, '00000000000000000000ffff0a000000'],
  ['192.168.1.7', 128, '00000000000000000000ffffc0a80107'],
  ['0.0.0.0/0', 96, '00000000000000000000ffff00000000'],
  ['::/0', 0, '00000000000000000000000000000000'],
  ['fd00::/8', 8, 'fd000000000000000000000000000000'],
  ['2001:db8::1:0:1', 128, '20010db8000000000000000100000001'],
  ['::ffff:10.1.2.3/104', 104, '00000000000000000000ffff0a010203'],
]

describe('keys', () => {
  for (const [cidr, bits, hex] of ADDRESSES) {
    test(`of ${cidr}`, () => {
      const key = addressKey(cidr)
      assert.equal(key.readUInt32LE(0), bits)
      assert.equal(key.subarray(4).toString('hex'), hex)
    })
  }

  for (const wrong of ['10.0.0.0/33', 'fd00::/129', '10.0.0', 'example.org', '10.0.0.0/x', '']) {
    test(`${JSON.stringify(wrong)} is no address`, () => {
      assert.throws(() => addressKey(wrong), RangeError)
    })
  }

  test('of a path: its bits, and its bytes', () => {
    const key = pathKey('/etc/')
    assert.equal(key.readUInt32LE(0), 40)
    assert.equal(key.toString('utf8', 4, 9), '/etc/')
    assert.throws(() => pathKey(''), RangeError)
    assert.throws(() => pathKey(`/${'x'.repeat(252)}`), RangeError)
  })

  test('of an inode', () => {
    assert.equal(inodeKey((8 << 20) | 1, 0x1_0000_0002n).toString('hex'), '02000000010000000100800000000000')
  })
})

test('the configuration stands where the kernel side reads it', () => {
  const bytes = encodeConfig({ ...DEFAULTS, signals: 0x3ffff, rate: [1, 2, 3, 4], capMask: 1n << 40n, wakeBytes: 77 })
  assert.equal(bytes.length, CONFIG.bytes)
  assert.equal(bytes.readUInt32LE(CONFIG.signals), 0x3ffff)
  assert.deepEqual(
    [0, 4, 8, 12].map((at) => bytes.readUInt32LE(CONFIG.rate + at)),
    [1, 2, 3, 4],
  )
  assert.equal(bytes.readBigUInt64LE(CONFIG.capMask), 1n << 40n)
  assert.equal(bytes.readBigUInt64LE(CONFIG.wakeBytes), 77n)
})
