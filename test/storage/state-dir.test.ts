import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { resolveStateDir } from '../../src/storage/state-dir.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-dir-'))
after(() => rmSync(root, { recursive: true, force: true }))
const file = join(root, 'file')
writeFileSync(file, '')
const unusable = join(file, 'weir')

const cases = [
  { name: 'the flag wins', flag: '/flag', env: { WEIR_STATE_DIR: '/env' }, system: root, expected: '/flag' },
  { name: 'a relative flag is made absolute', flag: 'x', env: {}, system: root, expected: resolve('x') },
  { name: 'then the environment', flag: undefined, env: { WEIR_STATE_DIR: '/env' }, system: root, expected: '/env' },
  { name: 'then the system directory', flag: undefined, env: {}, system: root, expected: root },
  { name: 'which may be creatable', flag: '', env: {}, system: join(root, 'new'), expected: join(root, 'new') },
  {
    name: 'a file is no directory',
    flag: undefined,
    env: { XDG_STATE_HOME: '/xdg' },
    system: file,
    expected: '/xdg/weir',
  },
  { name: 'then XDG', flag: undefined, env: { XDG_STATE_HOME: '/xdg' }, system: unusable, expected: '/xdg/weir' },
  {
    name: 'a relative XDG directory is ignored, as its specification says',
    flag: undefined,
    env: { XDG_STATE_HOME: 'xdg', HOME: '/home/u' },
    system: unusable,
    expected: '/home/u/.local/state/weir',
  },
] as const

for (const { name, flag, env, system, expected } of cases) {
  test(`state directory: ${name}`, () => assert.equal(resolveStateDir(flag, env, system), expected))
}
