import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSmallFile, watchFiles } from '../../src/net/watched-files.ts'

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weir-watched-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A Secret as the kubelet mounts it: the name is a link into `..data`, which is a link that is exchanged. */
function mountedSecret(root: string): { readonly path: string; exchange(text: string): void } {
  let generation = 0
  const exchange = (text: string): void => {
    generation += 1
    const real = `..2026_${generation}`
    mkdirSync(join(root, real))
    writeFileSync(join(root, real, 'token'), text)
    symlinkSync(real, join(root, '..data_tmp'))
    renameSync(join(root, '..data_tmp'), join(root, '..data'))
  }
  symlinkSync('..data/token', join(root, 'token'))
  return { path: join(root, 'token'), exchange }
}

test('a mounted Secret that is exchanged is read again, at most once an interval', async (t) => {
  const secret = mountedSecret(directory(t))
  secret.exchange('first')
  let time = 0
  let loads = 0
  const watched = watchFiles({
    paths: [secret.path],
    load() {
      loads += 1
      return readSmallFile('token', secret.path)
    },
    intervalMs: 5000,
    onError: (error) => assert.fail(error),
    now: () => time,
  })
  assert.equal(watched.value, 'first')
  secret.exchange('again')
  assert.equal(await watched.refresh(), false)
  assert.equal(watched.value, 'first')
  time = 5000
  assert.deepEqual(await Promise.all([watched.refresh(), watched.refresh()]), [true, true])
  assert.equal(watched.value, 'again')
  time = 10_000
  assert.equal(await watched.refresh(), false)
  assert.equal(loads, 2)
  secret.exchange('third')
  assert.equal(await watched.refresh(true), true)
  assert.equal(watched.value, 'third')
})

test('a file that goes keeps its last value, says so, and counts again when it is back', async (t) => {
  const path = join(directory(t), 'token')
  writeFileSync(path, 'one')
  const errors: string[] = []
  const watched = watchFiles({
    paths: [path],
    load: () => readSmallFile('token', path),
    intervalMs: 1,
    onError: ({ message }) => errors.push(message),
  })
  rmSync(path)
  assert.equal(await watched.refresh(true), false)
  assert.equal(watched.value, 'one')
  assert.match(errors[0] ?? '', /ENOENT/)
  writeFileSync(path, 'two')
  assert.equal(await watched.refresh(true), true)
  assert.equal(watched.value, 'two')
})

test('files that cannot be used are tried again, though they do not change any more', async (t) => {
  const path = join(directory(t), 'token')
  writeFileSync(path, 'one')
  let isUsable = true
  const watched = watchFiles({
    paths: [path],
    load() {
      if (!isUsable) throw new Error('the key is still to come')
      return readSmallFile('token', path)
    },
    intervalMs: 1,
    onError: () => {},
  })
  isUsable = false
  writeFileSync(path, 'a new one')
  assert.equal(await watched.refresh(true), false)
  assert.equal(watched.value, 'one')
  isUsable = true
  assert.equal(await watched.refresh(true), true)
  assert.equal(watched.value, 'a new one')
})

test('an interval of 0 reads once', async (t) => {
  const path = join(directory(t), 'token')
  writeFileSync(path, 'one')
  const watched = watchFiles({ paths: [path], load: () => readSmallFile('token', path), intervalMs: 0, onError() {} })
  writeFileSync(path, 'another')
  assert.equal(await watched.refresh(), false)
  assert.equal(watched.value, 'one')
})

test('what is no small file is refused with its name', (t) => {
  const root = directory(t)
  assert.throws(() => readSmallFile('ca_file', root), /^Error: ca_file: cannot read .*: it is not a file$/)
  writeFileSync(join(root, 'huge'), Buffer.alloc(5 * 1024 * 1024))
  assert.throws(() => readSmallFile('ca_file', join(root, 'huge')), /larger than 4194304 bytes/)
})
