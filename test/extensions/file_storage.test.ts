import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileStorage } from '../../extensions/file_storage.ts'
import { testContext } from '../kit/context.ts'
import { definitionContract } from '../kit/definition-contract.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-file-storage-'))
after(() => rmSync(root, { recursive: true, force: true }))
const never = new AbortController().signal

definitionContract(fileStorage)

test('without a directory it is the embedded store', async () => {
  const context = testContext()
  const extension = fileStorage.create(fileStorage.config.parse({}), context)
  await extension.start?.(never)
  assert.equal(extension.storage, context.host.stores)
  await extension.stop?.(never)
})

test('with a directory it is a store of its own, which remembers', async () => {
  const directory = join(root, 'queue')
  const config = fileStorage.config.parse({ directory })
  const first = fileStorage.create(config, testContext())
  await first.start?.(never)
  await first.storage?.queue('otlp_http').append({ id: 1, records: 2, body: new Uint8Array([1, 2]) }, { durable: true })
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  const rival = fileStorage.create(config, testContext())
  await assert.rejects(async () => rival.start?.(never), /in use by another process/)
  await first.stop?.(never)
  await first.stop?.(never)

  const second = fileStorage.create(config, testContext())
  await second.start?.(never)
  assert.deepEqual(
    (await second.storage?.queues())?.map(({ queue, batches, records }) => [queue, batches, records]),
    [['otlp_http', 1, 2]],
  )
  await second.stop?.(never)
})
