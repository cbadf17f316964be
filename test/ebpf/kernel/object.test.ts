/** The object that is shipped is the one that the source gives, and so are the offsets. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { layoutOf } from '../../../scripts/bpf/layout.ts'
import { Btf, elfSection } from '../../../src/ebpf/kernel/btf.ts'
import { CORE, HOOKS, RAW } from '../../../src/ebpf/kernel/hooks.ts'

const root = join(import.meta.dirname, '../../..')
const clang = spawnSync('clang', ['--version'], { encoding: 'utf8' })
/** The version that the object was made with: another one makes another object of the same source. */
const hasClang = clang.status === 0 && clang.stdout.includes('clang version 14.')

function object(architecture: string): Buffer {
  return readFileSync(join(root, `bpf/dist/weir-${architecture}.bpf.o`))
}

/** Names of functions, which programs are. */
function functions(architecture: string): Set<string> {
  const btf = new Btf(elfSection(object(architecture), '.BTF') as Uint8Array)
  const names = new Set<string>()
  for (let type = 1; type < btf.length; type++) if (btf.isFunction(type)) names.add(btf.name(type))
  return names
}

describe('the object', () => {
  test('is what the source gives', { skip: !hasClang && 'clang 14 is not installed', timeout: 120_000 }, () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/bpf.ts', '--check'], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
  })

  for (const architecture of ['x64', 'arm64']) {
    test(`of ${architecture} has the layout that the decoders read by`, () => {
      const made = layoutOf(object(architecture))
      assert(made.size > 1)
      for (const [path, text] of made) assert.equal(text, readFileSync(join(root, path), 'utf8'))
    })

    test(`of ${architecture} has the programs that the hooks name`, () => {
      const known = functions(architecture)
      // Calls and the dispatcher that arm64 does not have.
      const needed = [...CORE, ...HOOKS, ...(architecture === 'x64' ? [RAW] : [])].flatMap(({ programs }) => programs)
      assert.deepEqual(
        needed.filter((name) => !known.has(name)),
        [],
      )
    })
  }

  test('holds no path of the machine that it was built on', () => {
    for (const architecture of ['x64', 'arm64']) {
      const text = object(architecture).toString('latin1')
      assert(!/\/(?:home|work|tmp|root)\//.test(text))
    }
  })
})
