/**
 * Compiles the kernel side: `npm run bpf` writes bpf/dist/ and src/ebpf/layout/, `npm run bpf -- --check` builds
 * elsewhere and fails where what is committed differs from what the source gives.
 *
 * The object is the same on every machine with the same compiler (Debian 12: clang 14.0.6, libbpf-dev 1.1.2): it holds
 * no paths and no dates. Users need neither.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutOf } from './bpf/layout.ts'

const root = join(import.meta.dirname, '..')
const TARGETS = [
  { name: 'x64', target: 'x86', headers: 'x86_64-linux-gnu' },
  { name: 'arm64', target: 'arm64', headers: 'x86_64-linux-gnu' },
] as const

function compile(target: (typeof TARGETS)[number], object: string): void {
  const here = join(root, 'bpf')
  const flags = [
    `-ffile-prefix-map=${here}=.`,
    '-fdebug-compilation-dir=.',
    '-target',
    'bpf',
    '-mcpu=v3',
    `-D__TARGET_ARCH_${target.target}`,
    '-O2',
    '-g',
    '-Wall',
    '-Werror',
  ]
  execFileSync(
    'clang',
    // The headers of Linux' user space: those that are read are the same on both architectures.
    [...flags, '-Wno-unused-function', `-I/usr/include/${target.headers}`, '-c', 'weir.bpf.c', '-o', object],
    { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] },
  )
  // Debug information of the compiler goes (it names paths), BTF stays.
  execFileSync('llvm-strip', ['-g', object])
}

function buildInto(directory: string): Map<string, Buffer> {
  const built = new Map<string, Buffer>()
  for (const target of TARGETS) {
    const path = join(directory, `weir-${target.name}.bpf.o`)
    compile(target, path)
    built.set(`bpf/dist/weir-${target.name}.bpf.o`, readFileSync(path))
  }
  const [first, second] = [...built.values()].map(layoutOf) as [
    ReadonlyMap<string, string>,
    ReadonlyMap<string, string>,
  ]
  for (const [path, text] of first) {
    if (second.get(path) !== text) throw new Error('the layout of the records differs between architectures')
    built.set(path, Buffer.from(text))
  }
  return built
}

const isCheck = process.argv.includes('--check')
const directory = isCheck ? mkdtempSync(join(tmpdir(), 'weir-bpf-')) : join(root, 'bpf/dist')
mkdirSync(directory, { recursive: true })
const built = buildInto(directory)
if (isCheck) rmSync(directory, { recursive: true, force: true })
for (const [path, bytes] of built) {
  if (!isCheck) writeFileSync(join(root, path), bytes)
  else if (!readFileSync(join(root, path)).equals(bytes)) {
    console.error(`${path} is not what the source gives: npm run bpf`)
    process.exitCode = 1
  }
}
if (!isCheck) console.log([...built].map(([path, { length }]) => `${path}: ${length} bytes`).join('\n'))
