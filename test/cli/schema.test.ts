import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schema } from '../../src/cli/schema.ts'
import { configSchema } from '../../src/config/json-schema.ts'
import { registry } from '../config/registry.ts'
import { run } from './kit.ts'

test('the JSON Schema goes to stdout, the same every time', async () => {
  const first = await run(schema, [])
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.deepEqual(JSON.parse(first.stdout), configSchema(registry))
  assert.equal((await run(schema, [])).stdout, first.stdout)
})

test('it takes no flags', async () => {
  assert.equal((await run(schema, ['--config', 'x'])).code, 1)
})
