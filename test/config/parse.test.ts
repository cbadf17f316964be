/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: expansions are what is tested. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toRaw } from '../../src/config/node.ts'
import { type Parsed, parseYaml } from '../../src/config/parse.ts'
import { loadText } from './kit.ts'

const parse = (text: string, values = 1000): Parsed => parseYaml(text, { source: 'a.yaml', limits: { values } })
const raw = (text: string): unknown => {
  const { node, syntaxErrors, errors } = parse(text)
  assert.deepEqual([syntaxErrors, errors], [[], []])
  return node === undefined ? undefined : JSON.parse(JSON.stringify(toRaw(node)))
}
const said = ({ syntaxErrors, errors }: Parsed): string[] =>
  [...syntaxErrors, ...errors].map(
    ({ position, path, message }) => `${position.line}:${position.column} ${path.join('.')} ${message}`,
  )

test('values are those of YAML 1.2', () => {
  assert.deepEqual(raw('a: 1\nb: [yes, "2", 0x10, ~, ]\nc:\n  d: |\n    text\n'), {
    a: 1,
    b: ['yes', '2', 16, null],
    c: { d: 'text\n' },
  })
})

test('aliases and merge keys are resolved; what stands in the map itself wins', () => {
  assert.deepEqual(raw('a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {z: 4}]}\nd: *a\n'), {
    a: { x: 1, y: 2 },
    b: { x: 1, y: 3 },
    c: { x: 1, y: 2, z: 4 },
    d: { x: 1, y: 2 },
  })
})

test('keys are taken as they are written', () => {
  assert.deepEqual(
    raw('1: a\n0x1F: b\ntrue: c\n__proto__: d\n'),
    JSON.parse('{"1":"a","0x1F":"b","true":"c","__proto__":"d"}'),
  )
})

test('a duplicate key is an error that names the first one', () => {
  assert.deepEqual(said(parse('a:\n  b: 1\n  c: 2\n  b: 3\n')), [
    '4:3 a.b this key is already given on line 2; a map has each key once',
  ])
})

test('an alias to nothing, an alias to itself and a merge of no map are errors at their place', () => {
  assert.deepEqual(said(parse('a: *b\n')), [
    '1:4 a the alias *b has no anchor; write &b before the value it stands for',
  ])
  assert.deepEqual(said(parse('a: &a [1, *a]\n')), ['1:11 a.1 the alias *a stands inside the value it refers to'])
  assert.deepEqual(said(parse('a: {<<: 5}\n')), ['1:9 a.<< expected an alias of a map, or a list of them'])
  assert.deepEqual(said(parse('? [a]\n: b\n')), ['1:3  expected a key that is a string'])
})

test('aliases that multiply each other end in one sentence instead of memory', () => {
  const laughs = ['a: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++)
    laughs.push(
      `b${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  const begun = performance.now()
  const errors = said(parse(laughs.join('\n'), 100_000))
  assert.equal(errors.length, 1)
  assert.match(errors[0] as string, /too many values; do aliases \(\*name\) multiply them\?/)
  assert.ok(performance.now() - begun < 3000)
})

test('nesting is bounded, also where the parser itself gives up', () => {
  assert.match(said(parse('['.repeat(150) + ']'.repeat(150)))[0] as string, /nested more than 100 deep/)
  const deep = said(parse('['.repeat(200_000)))
  assert.match(deep.join(), /YAML syntax: nested too deeply/)
})

test('text is bounded', () => {
  assert.match(said(parse(`a: ${'x'.repeat(5 * 1024 * 1024)}`))[0] as string, /larger than 4194304 characters/)
})

const syntax: readonly { name: string; text: string; said: string[] }[] = [
  {
    name: 'a tab',
    text: 'a:\n\tb: 1\n',
    said: ['2:1  YAML syntax: a tab is used for indentation; YAML allows spaces only'],
  },
  {
    name: 'a second document',
    text: 'a: 1\n---\nb: 2\n',
    said: [
      '2:1  YAML syntax: a second YAML document ("---") begins here; write one document a file and give --config for each',
    ],
  },
  {
    name: 'an expansion without quotes in braces',
    text: 'a: {b: ${env:X}}\n',
    said: ['1:9  YAML syntax: inside { } and [ ] an expansion needs quotes: "${env:NAME}"'],
  },
  {
    name: 'a colon too many',
    text: 'a: b: c\n',
    said: [
      '1:4  YAML syntax: a map cannot begin here; a value with ": " in it needs quotes, a map begins on the next line',
    ],
  },
  { name: 'a quote that is not closed', text: 'a: "b\n', said: ['2:1  YAML syntax: Missing closing "quote'] },
]
for (const { name, text, said: expected } of syntax) {
  test(`${name} is one error that says what to do`, () => assert.deepEqual(said(parse(text)), expected))
}

test('a syntax error never quotes the file', () => {
  const { said: lines } = loadText('exporters:\n  x: {password: "hunter2" hunter3}\n  y: "a" hunter4\n  @hunter5: 1\n')
  assert.ok(lines.length > 0)
  assert.doesNotMatch(lines.join('\n'), /hunter/)
})
