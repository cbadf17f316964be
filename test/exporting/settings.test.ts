import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { deliverySettings, settingsOf, UNSUPPORTED_QUEUE_KEYS } from '../../src/exporting/settings.ts'

const schema = z.strictObject(deliverySettings({ timeout: '30s' }))

test('the defaults lose nothing: retries never end, the queue slows its source', () => {
  assert.deepEqual(schema.parse({}), {
    timeout: 30_000,
    retry_on_failure: {
      enabled: true,
      initial_interval: 1000,
      max_interval: 30_000,
      multiplier: 2,
      randomization_factor: 1,
      max_elapsed_time: 0,
    },
    sending_queue: {
      enabled: true,
      num_consumers: 4,
      sizer: 'requests',
      max_age: 0,
      overflow: 'block',
      batch: { flush_timeout: 200, min_size: 500, max_size: 2000, max_bytes: 2 ** 20 },
    },
  })
})

test('what is written is taken over, in milliseconds and bytes', () => {
  const { retry_on_failure, sending_queue } = schema.parse({
    retry_on_failure: { enabled: false, initial_interval: '50ms', max_elapsed_time: '5m' },
    sending_queue: { num_consumers: 1, batch: { max_bytes: '64KiB', flush_timeout: '1s' } },
  })
  assert.deepEqual([retry_on_failure.enabled, retry_on_failure.initial_interval], [false, 50])
  assert.equal(retry_on_failure.max_elapsed_time, 300_000)
  assert.deepEqual([sending_queue.batch.max_bytes, sending_queue.batch.flush_timeout], [65_536, 1000])
})

test('values that make no sense are refused', () => {
  for (const wrong of [
    { timeout: 5 },
    { timeout: '5 parsecs' },
    { retry_on_failure: { multiplier: 0.5 } },
    { retry_on_failure: { randomization_factor: 2 } },
    { sending_queue: { num_consumers: 0 } },
    { sending_queue: { enabled: false } },
    { sending_queue: { batch: { min_size: 0 } } },
    { sending_queue: { queue_size: 10 } },
    { sending_queue: { max_bytes: '1MiB' } },
    { sending_queue: { max_age: '1h' } },
    { sending_queue: { storage: 'file_storage', queue_size: 0 } },
    { sending_queue: { overflow: 'fall_over' } },
  ]) {
    assert(!schema.safeParse(wrong).success, JSON.stringify(wrong))
  }
})

test('a bound belongs to a queue on disk, or to one that drops', () => {
  for (const sending_queue of [
    { storage: 'file_storage', queue_size: 10, sizer: 'items', max_age: '1h', max_bytes: '10GiB' },
    { overflow: 'drop_oldest', queue_size: '1MiB', sizer: 'bytes', max_age: '5m' },
    { storage: 'file_storage', overflow: 'drop_newest' },
  ]) {
    assert(schema.safeParse({ sending_queue }).success, JSON.stringify(sending_queue))
  }
})

test('keys of the Collector that mean nothing here are explained', () => {
  for (const key of ['block_on_overflow', 'wait_for_result', 'batch.sizer', 'batch.partition']) {
    assert.match(UNSUPPORTED_QUEUE_KEYS[`sending_queue.${key}`] ?? '', /\w/, key)
  }
})

test('an exporter that offers no such keys has the defaults, and no limit of time', () => {
  assert.equal(settingsOf({ path: '/x' }).timeout, 0)
  assert.equal(settingsOf(undefined).retry_on_failure.enabled, true)
  assert.equal(settingsOf(schema.parse({ timeout: '1s' })).timeout, 1000)
})

test('an exporter without a queue of its own hands on what it has almost at once', () => {
  const { sending_queue, retry_on_failure } = settingsOf({ path: '/tmp/x' })
  assert.equal(sending_queue.batch.flush_timeout, 20)
  assert.equal(retry_on_failure.max_elapsed_time, 0)
})
