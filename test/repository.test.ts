/** Rules about the repository itself. A convention that is not tested here is a wish. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pagePath } from '../scripts/docs/component-page.ts'
import { generatedPages } from '../scripts/docs/pages.ts'
import type { AnyDefinition } from '../src/component.ts'
import { registry } from '../src/components.ts'

const root = join(import.meta.dirname, '..')
const sources = globSync('{src,receivers,processors,exporters,connectors,extensions}/**/*.ts', { cwd: root })
const definitions: AnyDefinition[] = Object.values(registry).flat()

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:^(?:import|export)\b[^'"]*\bfrom |^import |\bimport\()['"](\.[^'"]+)['"]/gm)].map(
    ([, specifier]) => new URL(specifier ?? '', `file:///${file}`).pathname.slice(1),
  )
}

/** Folders of src, from the inside out: each may import itself and what stands before it. */
const LAYERS = [
  ['records', 'flow'],
  ['telemetry', 'storage', 'config', 'component.ts'],
  ['net', 'otlp', 'conditions', 'files', 'exporting', 'redaction'],
  ['audit', 'ecs', 'elastic', 'kubernetes', 'ebpf', 'baseline', 'advise'],
  ['graph'],
  ['cli', 'components.ts', 'main.ts'],
]

function layerOf(path: string): number {
  const room = path.split('/')[1] as string
  const layer = LAYERS.findIndex((rooms) => rooms.includes(room))
  assert(layer >= 0, `src/${room} stands in no layer: name it in test/repository.test.ts`)
  return layer
}

test('folders of src import only inwards', () => {
  for (const file of sources.filter((path) => path.startsWith('src/') && path !== 'src/components.ts')) {
    for (const target of importsOf(file).filter((path) => path.startsWith('src/'))) {
      assert(layerOf(target) <= layerOf(file), `${file} imports ${target}`)
    }
  }
})

test('src/flow and src/records import nothing of ours but each other', () => {
  for (const file of sources.filter((path) => /^src\/(flow|records)\//.test(path))) {
    for (const target of importsOf(file)) assert.match(target, /^src\/(flow|records)\//, `${file} imports ${target}`)
  }
})

test('only main, the command line and the list of components see components', () => {
  for (const file of sources.filter((path) => path.startsWith('src/') && path !== 'src/components.ts')) {
    for (const target of importsOf(file)) {
      if (target === 'src/components.ts') assert.equal(file, 'src/main.ts', `${file} imports ${target}`)
      else assert.match(target, /^(src\/|package\.json)/, `${file} imports ${target}`)
    }
  }
})

test('a component imports src and its own folder, never another component', () => {
  for (const file of sources.filter((path) => !path.startsWith('src/'))) {
    const [kind, name = ''] = file.split('/') as [string, string?]
    for (const target of importsOf(file)) {
      const own = target.startsWith(`${kind}/${name.replace(/\.ts$/, '')}/`)
      assert(target.startsWith('src/') || own, `${file} imports ${target}`)
    }
  }
})

test('no source file is longer than 300 lines', () => {
  const long = sources.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301)
  assert.deepEqual(long, [])
})

test('RxJS stays in src, and in processors that need time', () => {
  const strays = sources.filter(
    (file) => !/^(src|processors)\//.test(file) && /from 'rxjs'/.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(strays, [])
})

test('every component has a file named as its type, a test and a page', () => {
  for (const { kind, type, ...definition } of definitions) {
    const path = `${kind}s/${type}`
    assert(existsSync(join(root, `${path}.ts`)) || existsSync(join(root, path, 'index.ts')), `${path} has no file`)
    assert(existsSync(join(root, `test/${path}.test.ts`)), `${path} has no test`)
    assert(
      existsSync(join(root, 'docs/components', pagePath({ kind, type, ...definition } as AnyDefinition))),
      `${path} has no page: npm run docs`,
    )
  }
})

test('every file of a component folder belongs to a listed component', () => {
  const listed = new Set(definitions.map(({ kind, type }) => `${kind}s/${type}`))
  for (const file of sources.filter((path) => !path.startsWith('src/'))) {
    const [kind, name = ''] = file.split('/')
    assert(listed.has(`${kind}/${name.replace(/\.ts$/, '')}`), `${file} is not listed in src/components.ts`)
  }
})

test('the generated pages are up to date', () => {
  for (const [path, text] of generatedPages(root, registry)) {
    assert.equal(
      existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '',
      text,
      `${path} is stale: npm run docs`,
    )
  }
})

test('only licences we have read are shipped', () => {
  const allowed = new Set(['Apache-2.0', 'MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause'])
  const lock: { packages: Record<string, { license?: string; dev?: boolean; resolved?: string; integrity?: string }> } =
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '')
  assert(packages.length > 10)
  assert.deepEqual(
    packages.filter(([, { dev, license }]) => !dev && !allowed.has(license ?? '')).map(([path]) => path),
    [],
  )
  assert.deepEqual(
    packages.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path),
    [],
    'every package is locked by its hash',
  )
})

test('one copy of the OpenTelemetry SDK is installed', () => {
  assert.equal(globSync('node_modules/**/@opentelemetry/sdk-logs/package.json', { cwd: root }).length, 1)
})

test('dependencies have exact versions', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const section of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries<string>(manifest[section]))
      assert.match(version, /^\d+\.\d+\.\d+$/, name)
  }
})

test('every error of an option says how to write it: every option is described', () => {
  for (const [path, text] of generatedPages(root, registry)) {
    if (!path.startsWith('docs/components/') || path.endsWith('README.md')) continue
    for (const line of text.split('\n')) {
      if (/^\| `[^`]+` \| .* \| {2}\|$/.test(line)) assert.fail(`${path}: an option has no description: ${line}`)
    }
  }
})
