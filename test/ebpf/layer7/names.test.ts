import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DnsMessage, parseDns } from '../../../src/ebpf/layer7/dns.ts'
import { Names } from '../../../src/ebpf/layer7/names.ts'
import { answer, dns, name, type Parts, question, RESPONSE } from './packets.ts'

const SECOND = 1e9

function message(parts: Parts): DnsMessage {
  const bytes = dns({ flags: RESPONSE, questions: [question('shop.example')], ...parts })
  return parseDns(bytes, 0, bytes.length) as DnsMessage
}

const ip = (last: number) => Buffer.from([10, 0, last >> 8, last & 255])

test('an address has the name that was asked, also through aliases in any order', () => {
  const names = new Names()
  const answers = [
    answer('c.cdn', 1, ip(1)),
    answer('b.cdn', 5, name('c.cdn')),
    answer('shop.example', 5, name('b.cdn')),
    answer('c.cdn', 28, Buffer.from('20010db8000000000000000000000001', 'hex')),
  ]
  names.learn(1, message({ answers }), 0)
  assert.equal(names.lookup(1, '10.0.0.1', 0), 'shop.example')
  assert.equal(names.lookup(1, '2001:db8::1', 0), 'shop.example')
  assert.equal(names.lookup(2, '10.0.0.1', 0), undefined)
  assert.equal(names.lookup(1, '10.0.0.2', 0), undefined)
})

test('aliases that go round in circles end', () => {
  const names = new Names()
  const answers = [
    answer('shop.example', 5, name('b.example')),
    answer('b.example', 5, name('shop.example')),
    answer('b.example', 1, ip(1)),
  ]
  names.learn(1, message({ answers }), 0)
  assert.equal(names.lookup(1, '10.0.0.1', 0), 'shop.example')
})

test('nothing is learned from names that nobody asked for, from errors and from questions', () => {
  const names = new Names()
  names.learn(1, message({ answers: [answer('bank.example', 1, ip(1))] }), 0)
  names.learn(1, message({ flags: RESPONSE | 3, answers: [answer('*12', 1, ip(1))] }), 0)
  names.learn(1, message({ flags: 0x0100, answers: [answer('*12', 1, ip(1))] }), 0)
  names.learn(1, message({ questions: [], answers: [answer('bank.example', 1, ip(1))] }), 0)
  names.learn(1, message({ answers: [answer('*12', 1, Buffer.from([1]))] }), 0)
  names.learn(1, message({ answers: [answer('*12', 16, Buffer.from('\x0810.0.0.1'))] }), 0)
  assert.equal(names.lookup(1, '10.0.0.1', 0), undefined)
  names.learn(1, message({ questions: [], answers: [answer('tv.local', 1, ip(1))] }), 0)
  assert.equal(names.lookup(1, '10.0.0.1', 0), 'tv.local')
})

test('a name lives as long as the answer says, within bounds', () => {
  const names = new Names()
  const until = (ttl: number) => {
    names.learn(1, message({ answers: [answer('*12', 1, ip(1), ttl)] }), 0)
    let seconds = 0
    while (names.lookup(1, '10.0.0.1', seconds * SECOND) !== undefined) seconds++
    return seconds - 1
  }
  assert.deepEqual([0, 90, 86_400, 0xffffffff].map(until), [60, 90, 3600, 60])
  assert.equal(names.size, 0)
})

test('the number of names is bounded: the ones learned longest ago go', () => {
  const names = new Names({ most: 3 })
  for (const last of [1, 2, 3, 1, 4]) names.learn(1, message({ answers: [answer('*12', 1, ip(last))] }), 0)
  assert.equal(names.size, 3)
  assert.deepEqual(
    [1, 2, 3, 4].map((last) => names.lookup(1, `10.0.0.${last}`, 0) !== undefined),
    [true, false, true, true],
  )
  const many = message({ answers: Array.from({ length: 60 }, (_, i) => answer('*12', 1, ip(i))) })
  const wide = new Names()
  wide.learn(1, many, 0)
  assert.equal(wide.size, 32)
})
