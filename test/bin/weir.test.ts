import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const weir = (args: string[], options: object = {}) =>
  spawnSync(join(root, 'bin/weir'), args, { encoding: 'utf8', ...options })

test('a machine without a fitting Node is told what to do', (t) => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'weir-bin-'))
  t.after(() => rmSync(elsewhere, { recursive: true }))
  mkdirSync(join(elsewhere, 'bin'))
  cpSync(join(root, 'bin/weir'), join(elsewhere, 'bin/weir'))
  const old = join(elsewhere, 'old')
  mkdirSync(old)
  writeFileSync(join(old, 'node'), '#!/bin/sh\necho 20\n', { mode: 0o755 })
  for (const path of ['/usr/bin:/bin', `${old}:/usr/bin:/bin`]) {
    const tools = join(elsewhere, `tools-${path.length}`)
    mkdirSync(tools)
    // Only what the script itself needs: a Node of the machine must not be found.
    for (const tool of ['sh', 'uname', 'dirname', 'readlink']) symlinkSync(`/usr/bin/${tool}`, join(tools, tool))
    const { status, stderr } = spawnSync(join(elsewhere, 'bin/weir'), ['version'], {
      encoding: 'utf8',
      env: { PATH: path.startsWith(old) ? `${old}:${tools}` : tools },
    })
    assert.equal(status, 1)
    assert.match(stderr, /no Node\.js 26 or newer was found\. Run 'npm ci'/)
  }
})

test('it can be called through a link from anywhere', (t) => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'weir-bin-'))
  t.after(() => rmSync(elsewhere, { recursive: true }))
  symlinkSync(join(root, 'bin/weir'), join(elsewhere, 'weir'))
  const { status, stdout } = spawnSync(join(elsewhere, 'weir'), ['version'], { encoding: 'utf8', cwd: elsewhere })
  assert.equal(status, 0)
  assert.match(stdout, /^weir \d+\.\d+\.\d+\n$/)
})

test('help names every command, and an unknown one is answered with the list', () => {
  const { stdout } = weir(['help'])
  for (const command of ['run', 'validate', 'components', 'print-config', 'schema']) assert(stdout.includes(command))
  const { status, stderr } = weir(['rum'])
  assert.equal(status, 1)
  assert.match(stderr, /there is no command "rum".*run/)
  assert(!stderr.includes('    at '), 'no stack trace')
})
