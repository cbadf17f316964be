import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { createFinder } from '../../src/files/glob.ts'
import { tempDir } from './harness.ts'

const { dir, remove } = tempDir()
after(remove)
const FILES = [
  'a.log',
  'b.log',
  'b.txt',
  '.hidden.log',
  'x[1].log',
  'pods/ns_web_1/server/0.log',
  'pods/ns_web_1/server/0.log.20241010-132438',
  'pods/ns_web_1/side.car/12.log',
  'pods/ns_db_2/main/0.log',
  'deep/er/and/deep.er/c.log',
]
for (const file of FILES) {
  mkdirSync(dirname(join(dir, file)), { recursive: true })
  writeFileSync(join(dir, file), '')
}
symlinkSync(join(dir, 'pods/ns_web_1/server'), join(dir, 'link'))
symlinkSync(dir, join(dir, 'deep/circle'))

function find(include: string[], exclude: string[] = []): string[] {
  const found = createFinder(
    include.map((pattern) => join(dir, pattern)),
    exclude,
  ).find()
  return [...found].map((path) => path.slice(dir.length + 1)).sort()
}

const cases = [
  { name: 'a path', include: ['a.log'], found: ['a.log'] },
  {
    name: 'a star, which also means names that begin with a dot',
    include: ['*.log'],
    found: ['.hidden.log', 'a.log', 'b.log', 'x[1].log'],
  },
  { name: 'a question mark', include: ['?.log'], found: ['a.log', 'b.log'] },
  { name: 'a set', include: ['[!a-a].log'], found: ['b.log'] },
  { name: 'alternatives', include: ['b.{log,txt}'], found: ['b.log', 'b.txt'] },
  {
    name: 'nested alternatives with directories',
    include: ['{a.log,pods/{ns_web_1,nowhere}/*/0.log}'],
    found: ['a.log', 'pods/ns_web_1/server/0.log'],
  },
  { name: 'an escaped bracket', include: ['x\\[1\\].log'], found: ['x[1].log'] },
  {
    name: 'stars between directories',
    include: ['pods/*/*/*.log'],
    found: ['pods/ns_db_2/main/0.log', 'pods/ns_web_1/server/0.log', 'pods/ns_web_1/side.car/12.log'],
  },
  {
    name: 'two stars, not through links',
    include: ['**/[0c].log'],
    found: ['deep/er/and/deep.er/c.log', 'pods/ns_db_2/main/0.log', 'pods/ns_web_1/server/0.log'],
  },
  { name: 'two stars that stand for nothing', include: ['**/a.log'], found: ['a.log'] },
  { name: 'two stars at the end', include: ['deep/**'], found: ['deep/circle', 'deep/er/and/deep.er/c.log'] },
  { name: 'a link to a directory that is named', include: ['link/*.log'], found: ['link/0.log'] },
  { name: 'nothing', include: ['no/such/*'], found: [] },
] as const

for (const { name, include, found } of cases) {
  test(`a pattern finds ${name}`, () => assert.deepEqual(find([...include]), found))
}

test('what is excluded is left out: by path, by name, below a directory', () => {
  assert.deepEqual(find(['*.log'], [join(dir, 'a.*')]), ['.hidden.log', 'b.log', 'x[1].log'])
  assert.deepEqual(find(['*.{log,txt}'], ['*.log']), ['b.txt'])
  assert.deepEqual(find(['pods/*/*/*.log'], [`${dir}/pods/ns_web_1/**`]), ['pods/ns_db_2/main/0.log'])
  assert.deepEqual(find(['pods/*/*/*.log'], [`${dir}/**/0.log`]), ['pods/ns_web_1/side.car/12.log'])
})

test('what comes, goes and is renamed is noticed, also right after a look', () => {
  const finder = createFinder([join(dir, 'new', '*.log')], [])
  assert.equal(finder.find().size, 0)
  assert.deepEqual(finder.unmatched, [join(dir, 'new', '*.log')])
  mkdirSync(join(dir, 'new'))
  for (let i = 0; i < 300; i++) {
    writeFileSync(join(dir, 'new', `${i}.log`), '')
    assert.equal(finder.find().size, 1)
    renameSync(join(dir, 'new', `${i}.log`), join(dir, 'new', `${i}`))
    assert.equal(finder.find().size, 0)
    unlinkSync(join(dir, 'new', `${i}`))
  }
})

test('a pattern that cannot be meant is refused', () => {
  assert.throws(() => createFinder(['/a{b'], []), /opening brace without a closing one/)
  assert.throws(() => createFinder([`/${'{a,b}'.repeat(11)}`], []), /more than 1000 alternatives/)
})
